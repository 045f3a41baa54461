import type { SourceSetup } from '../../setup.ts';

export const filesSetup: SourceSetup = {
  title: 'Files: a folder with all that is in it',
  questions: [
    { option: 'path', kind: 'path', message: 'Folder', required: true },
    {
      option: 'exclude',
      kind: 'patterns',
      message: 'Leave out, as in .gitignore, with commas between, as *.tmp, /cache/ (empty: nothing)',
    },
  ],
  more: ['include: [images, "*.pdf"] # only these', 'changedFiles: warn # keep what was read of files that change'],
  firstRestore: () => '--to ./restored',
};
