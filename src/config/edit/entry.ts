/** What is added to a config: one entry of one section, with comments for its reader. */
export interface Field {
  readonly key: string;
  readonly value: unknown;
  /** Behind the value, in its line. */
  readonly comment?: string;
  /** On a line of its own before it. */
  readonly above?: string;
  /** A secret that its owner wants in the file: not to be shown. */
  readonly isSecret?: boolean;
}

export interface Entry {
  readonly section: 'sources' | 'destinations' | 'encryption' | 'jobs';
  readonly name: string;
  readonly fields: readonly Field[];
  /** Comment lines below the fields: what else could stand there. */
  readonly notes: readonly string[];
}

/** The entry's value as plain data. */
export function contentOf({ fields }: Entry): Readonly<Record<string, unknown>> {
  return Object.fromEntries(fields.map(({ key, value }) => [key, value]));
}

/** As it may be shown. */
export function masked(entry: Entry): Entry {
  return { ...entry, fields: entry.fields.map((field) => (field.isSecret ? { ...field, value: '***' } : field)) };
}

/** Comments of a section, where a file gets it anew. */
export type SectionComments = Readonly<Record<Entry['section'], string>>;
