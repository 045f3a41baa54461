/** The file's content (`ConfigReading.raw`) with literal secrets as `***`; references stay as written. */
export function showConfig(_raw: unknown): unknown {
  throw new Error('not yet written');
}
