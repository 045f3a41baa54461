/** Every example of every help, and every command line of the README, against the real command tree. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { argumentsOf, examplesOf } from '../../docs/example-line.ts';
import { allCommands, helpOf, isGroup, pathOf, realProgram } from '../../docs/real-program.ts';

const root = resolve(import.meta.dirname, '../../..');
const commands = allCommands(realProgram()).map((command) => ({
  path: pathOf(command),
  command,
  help: helpOf(command),
}));

/** The path of the command that a line would run; throws what Commander says of it. */
async function runOf(args: readonly string[]): Promise<string> {
  let ran: string | undefined;
  const program = realProgram((command) => {
    ran = pathOf(command);
  });
  await program.parseAsync(args, { from: 'user' });
  if (ran === undefined) throw new Error(`dbbackup ${args.join(' ')} runs nothing`);
  return ran;
}

test.each([
  ['dbbackup run shop --note "a  b"     two words', ['run', 'shop', '--note', 'a  b']],
  ['dbbackup list --json', ['list', '--json']],
  ['dbbackup status --max-age 26h || echo "old"', ['status', '--max-age', '26h']],
  ['source <(dbbackup completion bash)   here', ['completion', 'bash']],
  ['dbbackup config schema > schema.json', ['config', 'schema']],
  ['dbbackup keys # a remark', ['keys']],
  ['npm ci && bin/dbbackup.js run example', ['run', 'example']],
  ['ls dbbackup-x', undefined],
])('%s is read as a shell reads it', (line, args) => {
  expect(argumentsOf(line)).toEqual(args);
});

describe('help', () => {
  test.each([
    ['run', '--dryrun'],
    ['rnu'],
    ['lock'],
    ['lock', 'a', 'b'],
    ['list', '--sort', 'colour'],
    ['config'],
  ])('a wrong line is none: %j', async (...args) => {
    await expect(runOf(args)).rejects.toThrow();
  });

  test('the tree is there', () => {
    expect(commands.length).toBeGreaterThan(25);
  });

  test.each(commands.filter(({ command }) => !isGroup(command)))('$path has examples of itself that parse', async ({
    path,
    help,
  }) => {
    const examples = examplesOf(help);
    expect(
      examples.length,
      `give \`${path}\` examples: addHelpText('after', '\\nExamples:\\n  $ dbbackup …')`,
    ).toBeGreaterThan(0);
    const ran = await Promise.all(examples.map(runOf));
    expect(ran).toContain(path);
  });

  test('every option and argument says what it is', () => {
    const mute = commands.flatMap(({ path, command }) => [
      ...command.options.filter((each) => !each.description).map((each) => `${path} ${each.flags}`),
      ...command.registeredArguments.filter((each) => !each.description).map((each) => `${path} ${each.name()}`),
      ...(command.description() ? [] : [path]),
    ]);
    expect(mute).toEqual([]);
  });

  test('the program tells every exit code', () => {
    expect(helpOf(realProgram())).toMatch(/Exit codes: 0 .*130\/143/s);
  });
});

describe('the README', () => {
  const text = readFileSync(join(root, 'README.md'), 'utf8');
  const shell = [...text.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block = '']) => block.replace(/\\\n\s*/g, ''));
  const lines = shell
    .flatMap((block) => block.split('\n'))
    .filter((line) => /(^|&& )(bin\/)?dbbackup(\.js)? /.test(line) && !/^(alias|npm )/.test(line));

  test.each(lines)('%s', async (line) => {
    await runOf(argumentsOf(line) ?? []);
  });

  /** Inline: `dbbackup prune --adopt`, without the arguments it would need. */
  const spans = [...text.matchAll(/`dbbackup ([a-z][^`]*)`/g)].map(([, rest = '']) => rest);
  test.each([...new Set(spans)])('names a command and options that exist: dbbackup %s', (rest) => {
    const words = rest.split(/\s+/);
    const found = [...commands].reverse().find(({ path }) => path !== '' && `${rest} `.startsWith(`${path} `));
    expect(found, 'no such command').toBeDefined();
    const known = found?.command.options.flatMap(({ long, short }) => [long, short]) ?? [];
    for (const flag of words.filter((word) => /^--?[a-z]/.test(word))) expect(known).toContain(flag.replace(/=.*/, ''));
  });
});
