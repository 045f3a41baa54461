/** How the entries of an RDB file are written. Source: src/rdb.h of Redis 8 and Valkey 9. */

/** Bytes that begin an entry; smaller ones are types of values. */
export const opcode = {
  /** The lowest that is in use: Valkey's import of slots. */
  lowest: 240,
  slot: 244,
  library: 245,
  moduleData: 247,
  idle: 248,
  frequency: 249,
  auxiliary: 250,
  resize: 251,
  expiresMs: 252,
  expires: 253,
  database: 254,
  end: 255,
} as const;

/** What a value repeats: a number before it says how often. */
export type Item =
  | 'strings'
  | 'pairs'
  /** A string and eight bytes. */
  | 'scored'
  /** A string and digits behind their number. */
  | 'written score'
  /** A number and a string. */
  | 'tagged'
  /** A number, and two strings. */
  | 'timed pairs'
  /** Two strings, and eight bytes. */
  | 'pairs and times';

export type Shape =
  | 'string'
  | 'module'
  /** Eight bytes before the one string. */
  | 'timed string'
  | { readonly items: Item; readonly before?: number }
  | { readonly stream: number };

const shapes: Readonly<Record<number, Shape>> = {
  0: 'string',
  1: { items: 'strings' },
  2: { items: 'strings' },
  3: { items: 'written score' },
  4: { items: 'pairs' },
  5: { items: 'scored' },
  7: 'module',
  // Zipmap, ziplists, intset: one string.
  9: 'string',
  10: 'string',
  11: 'string',
  12: 'string',
  13: 'string',
  14: { items: 'strings' },
  15: { stream: 1 },
  16: 'string',
  17: 'string',
  18: { items: 'tagged' },
  19: { stream: 2 },
  20: 'string',
  21: { stream: 3 },
  // Hashes whose fields expire; the first time of all stands before them.
  24: { items: 'timed pairs', before: 8 },
  25: 'timed string',
};

/** Undefined: not known, or one that cannot be passed over without its module. */
export function shapeOf(type: number, isValkey: boolean): Shape | undefined {
  if (type === 22 && isValkey) return { items: 'pairs and times' };
  return shapes[type];
}

/** Hashes whose fields may have a time to live (Redis 7.4, Valkey 9); with the last field the key goes. */
export function hasTimedFields(type: number, isValkey: boolean): boolean {
  return type === 24 || type === 25 || (type === 22 && isValkey);
}
