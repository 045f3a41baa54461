import { stringify } from 'yaml';
import { showConfig } from './show.ts';

/**
 * The file's content as it may leave the machine: literal secrets as `***`, references as they are, comments gone. The
 * same content gives the same text, whatever ran and when.
 */
export function keptText(raw: unknown, file: string): string {
  const head = [
    `# What ${file} held, kept by dbbackup beside its backups.`,
    '# *** stands for what was secret. Read all of it before you use it: hooks and commands in it are run.',
  ];
  return `${head.join('\n')}\n${stringify(showConfig(raw))}`;
}
