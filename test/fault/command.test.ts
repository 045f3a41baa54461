/** Programs that fail, lie or stall behind the source `command`, with a job around them: nothing of it is published. */
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { backupsOf } from '../e2e/aftermath.ts';
import { events, expectCode, makeWorkplace, type Run, type Workplace } from '../e2e/cli.ts';
import { scriptedDump } from '../scripted-dump/fake-program.ts';

const secret = 'canary 1f3c $(x) "q"';

describe('a command', () => {
  let place: Workplace;
  beforeAll(async () => {
    place = await makeWorkplace({ DUMP_SECRET: secret });
  });
  afterAll(() => place.remove());

  async function configure(env: Readonly<Record<string, string>>, more = ''): Promise<void> {
    await place.configure(`
sources:
  thing:
    type: command
    dump: [${JSON.stringify(scriptedDump)}, dump, "--help", "$(x)"]
    restore: [sh, -c, 'cat > restored; echo "$DUMP_SECRET" > seen']
    endsWith: "-- dump complete\\n"
    env: ${JSON.stringify({ DUMP_SECRET: '$' + '{DUMP_SECRET}', ...env })}
    ${more}
destinations: { disk: { type: local, path: backups } }
jobs: { thing: { source: thing, destinations: disk, timeouts: { idle: 1s } } }
`);
  }

  async function fails(env: Readonly<Record<string, string>>, code: string, more = ''): Promise<Run> {
    await configure(env, more);
    const run = expectCode(await place.run('run', 'thing', '--json'), 3);
    expect(JSON.stringify(events(run))).toContain(`"code":"${code}"`);
    expect(run.stdout + run.stderr).not.toContain(secret);
    expect(await backupsOf(place)).toEqual([]);
    return run;
  }

  test('F01 that is missing is named', async () => {
    const run = await fails({}, 'TOOL_MISSING', 'version: [cat, --version]\n    prefix: [dockerx, exec]');
    expect(run.stdout).toContain('dockerx');
    await configure({});
    const config = readFileSync(place.path('dbbackup.yaml'), 'utf8');
    writeFileSync(place.path('dbbackup.yaml'), config.replace(JSON.stringify(scriptedDump), './no-such-program'));
    expect(expectCode(await place.run('run', 'thing'), 3).stderr).toContain('./no-such-program was not found');
  });

  test('F05 that writes nothing', () => fails({ DUMP_BYTES: '0', DUMP_TRAILER: '' }, 'DUMP_EMPTY'));
  test('F06 that is killed after a while', () => fails({ DUMP_KILL_AT: '900000' }, 'TOOL_FAILED'));
  test('F07 that ends well without its end mark', () => fails({ DUMP_EXIT_AT: '900000' }, 'DUMP_INCOMPLETE'));
  test('F07 that starts otherwise', () => fails({}, 'DUMP_INCOMPLETE', 'startsWith: "hex:00ff"'));
  test('that writes its end mark and fails', () => fails({ DUMP_EXIT: '3' }, 'TOOL_FAILED'));
  test('F08 that stalls', () => fails({ DUMP_STALL_AT: '300000' }, 'TIMEOUT'));

  test('F33 comes back through its restore command, with the secret in the environment alone', async () => {
    await configure({ DUMP_ARGV_FILE: place.path('argv') }, 'extension: .archive\n    label: the thing');
    expectCode(await place.run('run', 'thing'), 0);
    expect(readFileSync(place.path('argv'), 'utf8')).toBe('["dump","--help","$(x)"]\n');
    const [backup] = await backupsOf(place);
    expect(backup?.key).toMatch(/\.archive\.zst$/);
    const sidecar = readFileSync(`${place.path('backups', backup?.key ?? '')}.meta.json`, 'utf8');
    expect(sidecar).not.toContain('canary');
    expect(JSON.parse(sidecar).recover.at(-1)).toMatch(/^'sh' '-c' .* < thing_\S+\.archive # first set DUMP_SECRET/);

    const refused = expectCode(await place.run('restore', 'thing@latest'), 3);
    expect(refused.stderr).toContain('nobody can tell whether the thing holds data');
    expectCode(await place.run('restore', 'thing@latest', '--clean', '--yes'), 0);
    expect(readFileSync(place.path('restored'), 'utf8')).toMatch(/^INSERT.*-- dump complete\n$/s);
    expect(readFileSync(place.path('seen'), 'utf8')).toBe(`${secret}\n`);
    expectCode(await place.run('verify', 'thing@latest'), 0);
    expectCode(await place.run('check', '--json'), 0);
  });

  test('check looks for the program that restores, too, and tells what nobody can check', async () => {
    await configure({});
    const config = readFileSync(place.path('dbbackup.yaml'), 'utf8');
    writeFileSync(place.path('dbbackup.yaml'), config.replace('restore: [sh,', 'restore: [no-such-program,'));
    const { stdout } = expectCode(await place.run('check', '--source', 'thing'), 3);
    expect(stdout).toMatch(/ok .* is there\n.*fail .*the program no-such-program was not found/);
    writeFileSync(place.path('dbbackup.yaml'), config.replace(/ +(restore|endsWith): .*\n/g, ''));
    const bare = expectCode(await place.run('check', '--source', 'thing'), 0).stdout;
    expect(bare).toMatch(/info .*no restore command[\s\S]*info .*without "endsWith"/);
  });
});
