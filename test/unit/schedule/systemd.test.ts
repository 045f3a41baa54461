import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Launch } from '../../../src/schedule/launch.ts';
import { systemdUnits, type UnitScope } from '../../../src/schedule/systemd.ts';
import { cron, interval } from './sample.ts';

const folder = mkdtempSync(join(tmpdir(), 'dbbackup-units-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const launch: Launch = {
  program: [process.execPath, '/opt/db backup/$HOME/100%/"q"/dbbackup.js'],
  configFile: '/etc/dbbackup/my config.yaml',
  stateFolder: '/var/lib/dbbackup',
  path: '/usr/bin:/opt/my tools/bin',
  home: '/root',
  environmentFile: '/etc/dbbackup/env',
};

describe('units', () => {
  test.each<UnitScope>(['system', 'user'])('pass systemd-analyze verify: %s', (scope) => {
    const units = systemdUnits({ name: 'shop.n_1', schedule: cron('0 3 1 * 5', 'Europe/Zurich') }, launch, scope);
    for (const { name, content } of units) writeFileSync(join(folder, name), content);
    const files = units.map(({ name }) => join(folder, name));
    const manager = scope === 'user' ? ['--user'] : [];
    const env = { ...process.env, XDG_RUNTIME_DIR: folder };
    const said = execFileSync('systemd-analyze', [...manager, '--recursive-errors=no', 'verify', ...files], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    expect(said.toString()).toBe('');
  });

  test('say what they do, and make up for missed runs', () => {
    const [service, timer] = systemdUnits({ name: 'shop', schedule: interval('12h', 12) }, launch, 'system');
    expect(service?.name).toBe('dbbackup-shop.service');
    expect(service?.content).toContain(
      `ExecStart=${process.execPath} "/opt/db backup/$$HOME/100%%/\\"q\\"/dbbackup.js" run shop --quiet --config "/etc/dbbackup/my config.yaml"\n`,
    );
    expect(service?.content).toContain('\nEnvironment="PATH=/usr/bin:/opt/my tools/bin"\n');
    expect(service?.content).toContain('\nEnvironmentFile=/etc/dbbackup/env\n');
    expect(timer?.content).toContain('\nOnCalendar=*-*-* 00,12:00:00\n');
    expect(timer?.content).toContain('\nPersistent=true\n');
  });

  test.each([
    '/etc/env\nExecStartPre=/bin/evil',
    '/etc/env\\',
    '/etc/env ',
  ])('refuse the file %j', (environmentFile) => {
    const job = { name: 'shop', schedule: cron('0 3 * * *') };
    expect(() => systemdUnits(job, { ...launch, environmentFile }, 'system')).toThrow(/cannot name the file/);
  });

  test('are refused for an interval that no calendar has', () => {
    expect(() => systemdUnits({ name: 'shop', schedule: interval('7h', 7) }, launch, 'system')).toThrow(/interval/);
  });
});
