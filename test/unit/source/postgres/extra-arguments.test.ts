import { expect, test } from 'vitest';
import { postgresOptions } from '../../../../src/source/postgres/options.ts';

test.each([
  '--list',
  '-l',
  '--file=/tmp/x',
  '-f',
  '-fdump',
  '--fil',
  '-vf',
  '-Fc',
  '-1',
  '-j4',
  '--jobs=4',
  '--dbname=x',
  '-W',
  '-xC',
  '-el',
])('%s is refused: the program would do something else', (argument) => {
  for (const option of ['dumpArguments', 'restoreArguments']) {
    const { error } = postgresOptions.safeParse({ [option]: ['--verbose', argument] });
    expect(error?.issues).toMatchObject([
      { path: [option, 1], message: expect.stringContaining('cannot be given here') },
    ]);
  }
});

test('what says how to dump and to load is taken', () => {
  const taken = ['--no-comments', '--lock-wait-timeout=5s', '--exclude-table-data=l*', '-nfoo', '-tFj', '--if-exists'];
  const more = [
    '-v',
    '-x',
    '-O',
    '--filter=rules',
    '--rows-per-insert=50',
    'value',
    '-L/list',
    '--disable-triggers',
    '--clean',
  ];
  const options = { dumpArguments: [...taken, ...more], restoreArguments: [...taken, ...more] };
  expect(postgresOptions.parse(options)).toEqual(options);
});
