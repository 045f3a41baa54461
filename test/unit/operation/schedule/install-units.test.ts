import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { planUnits } from '../../../../src/operation/schedule/install-units.ts';
import type { UnitFolder } from '../../../../src/operation/schedule/unit-folder.ts';
import { type UnitFile, unitMark } from '../../../../src/schedule/systemd.ts';

const config = '/etc/dbbackup/dbbackup.yaml';
const { signal } = new AbortController();

let place: string;
beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'dbbackup-units-'));
  vi.stubEnv('PATH', `${place}/bin:${process.env['PATH']}`);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(place, { recursive: true });
});

/** A folder whose manager runs, with a `systemctl` that notes what it is asked. */
async function managed(exitCode = 0): Promise<UnitFolder> {
  await mkdir(`${place}/bin`);
  await writeFile(`${place}/bin/systemctl`, `#!/bin/sh\necho "$*" >> ${place}/asked\nexit ${exitCode}\n`);
  await chmod(`${place}/bin/systemctl`, 0o755);
  return { scope: 'system', path: `${place}/units`, systemctl: [], isManaged: true };
}

const asked = async () => (await readFile(`${place}/asked`, 'utf8')).trimEnd().split('\n');
const units = (...jobs: string[]): UnitFile[] =>
  jobs.flatMap((job) =>
    ['service', 'timer'].map((kind) => ({
      name: `dbbackup-${job}.${kind}`,
      content: `${unitMark(config)}\n${kind}\n`,
    })),
  );

test('the manager is told what begins and what ends', async () => {
  const folder = await managed();
  await (await planUnits(config, units('a', 'b'), folder, signal)).apply();
  expect(await asked()).toEqual(['daemon-reload', 'enable --now dbbackup-a.timer dbbackup-b.timer']);
  await rm(`${place}/asked`);

  await (await planUnits(config, units('b'), folder, signal)).apply();
  expect(await asked()).toEqual(['disable --now dbbackup-a.timer', 'daemon-reload', 'enable --now dbbackup-b.timer']);
  await rm(`${place}/asked`);

  await (await planUnits(config, [], folder, signal)).apply();
  expect(await asked()).toEqual(['disable --now dbbackup-b.timer', 'daemon-reload']);
  expect(await readdir(folder.path)).toEqual([]);
});

test('a manager that refuses is a failure', async () => {
  const plan = await planUnits(config, units('a'), await managed(1), signal);
  await expect(plan.apply()).rejects.toThrow(/systemctl/);
});

test('what others made is neither replaced nor removed', async () => {
  const folder = await managed();
  await (
    await planUnits(
      '/srv/other.yaml',
      units('a').map(({ name }) => ({ name, content: 'theirs\n' })),
      folder,
      signal,
    )
  ).apply();
  await expect(planUnits(config, units('a'), folder, signal)).rejects.toThrow(/was not made for/);
  expect((await planUnits(config, [], folder, signal)).changes).toEqual([]);
});
