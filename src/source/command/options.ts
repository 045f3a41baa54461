/** What the config may say about a program that dumps, and one that restores. */
import { z } from 'zod';

const text = z
  .string()
  .min(1)
  .refine((value) => !value.includes('\0'), 'expected text without NUL characters');
const program = z
  .array(z.string().refine((value) => !value.includes('\0'), 'expected text without NUL characters'))
  .min(1);

export const commandOptions = z.strictObject({
  /** Program and arguments, no shell; writes the dump to its standard output. */
  dump: program,
  /** Program and arguments; reads the dump from its standard input. Without it, backups are restored to files only. */
  restore: program.optional(),
  /** Program and arguments that print the version of the tool. */
  version: program.optional(),
  /** Set for all of them; the place for secrets. */
  env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected the name of a variable'), z.string()).optional(),
  /** What a whole dump starts and ends with: text, or bytes as `hex:504b0304`. */
  startsWith: text.optional(),
  endsWith: text.optional(),
  /** Of the stored files; `.dump` unless told. */
  extension: z
    .string()
    .regex(/^(\.[a-z0-9]{1,10}){1,2}$/, 'expected .archive, .rdb …')
    .refine((value) => !/\.(gz|br|zst|bz2|age|enc|json)$/.test(value), 'that extension is what dbbackup adds itself')
    .optional(),
  /** What is dumped, for people and for telling two sources apart; without it the command itself. */
  label: text.optional(),
  /** Where the programs run: `[docker, exec, -i, db]`. */
  prefix: z.array(text).min(1).optional(),
});

export type CommandOptions = z.infer<typeof commandOptions>;

/** Bytes of `startsWith` and `endsWith`. */
export function markerBytes(marker: string | undefined): Buffer {
  const [, hex] = /^hex:((?:[0-9a-f]{2})+)$/i.exec(marker ?? '') ?? [];
  return hex === undefined ? Buffer.from(marker ?? '') : Buffer.from(hex, 'hex');
}
