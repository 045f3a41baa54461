import type { SourceSetup } from '../../setup.ts';

export const commandSetup: SourceSetup = {
  title: 'Something else: any command that prints a dump',
  questions: [
    {
      option: 'dump',
      kind: 'words',
      message: 'Command that writes the dump to its standard output, as mongodump --archive (no shell, no secrets)',
      required: true,
    },
    {
      option: 'restore',
      kind: 'words',
      message: 'Command that reads it from its standard input (empty: backups are restored to files only)',
    },
    { option: 'extension', kind: 'text', message: 'Extension of the stored files', offered: '.dump' },
  ],
  more: [
    'env: variables for the commands, as references; the place for secrets',
    'startsWith, endsWith: what a whole dump starts and ends with: text, or bytes as "hex:…"',
    'version: [mongodump, --version] # prints the version of the tool',
  ],
  firstRestore: () => '--output ./restored.dump',
};
