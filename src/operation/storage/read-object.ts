import type { Destination } from '../../destination/destination.ts';
import { DbBackupError } from '../../errors.ts';

/** A small object as one buffer; throws LIMIT_EXCEEDED beyond `limit` bytes (F37: a gigabyte sidecar), OBJECT_MISSING. */
export async function readObject(
  destination: Destination,
  key: string,
  limit: number,
  signal?: AbortSignal,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of await destination.get(key, { signal })) {
    bytes += (chunk as Buffer).length;
    if (bytes > limit) throw new DbBackupError('LIMIT_EXCEEDED', `${key} is larger than ${limit} bytes`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

/** Undefined where the object is missing. */
export async function ifThere(reading: Promise<Buffer>): Promise<Buffer | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof DbBackupError && error.code === 'OBJECT_MISSING') return undefined;
    throw error;
  }
}
