/**
 * `npm run soak [name…]`: the long campaigns, one after the other. `npm test` runs a few rounds of the same code. Each
 * prints its seed; DBBACKUP_TEST_SEED repeats it. They take hours on two cores; a campaign that fails ends nothing but
 * itself, and the exit code is 1.
 */
import { spawnSync } from 'node:child_process';

/** What runs → how often, how much. */
const campaigns = [
  { name: 'crash', files: ['test/e2e/crash.test.ts', 'test/e2e/damage.test.ts'], env: { DBBACKUP_TEST_ROUNDS: '100' } },
  { name: 'retention', files: ['test/e2e/retention-crash.test.ts'], env: { DBBACKUP_TEST_ROUNDS: '240' } },
  { name: 'postgres', files: ['test/e2e/postgres-crash.test.ts'], env: { DBBACKUP_TEST_KILLS: '50' } },
  {
    name: 'streams',
    files: ['test/fault/postgres.test.ts', 'test/fault/mysql.test.ts', 'test/fault/redis.test.ts'],
    env: { DBBACKUP_TEST_CUTS: '50' },
  },
  { name: 'nasty', files: ['test/contract/postgres-nasty.test.ts'], env: { DBBACKUP_TEST_BIG_BYTES: '200000000' } },
  { name: 'destinations', files: ['test/e2e/destination-crash.test.ts'], env: { DBBACKUP_TEST_ROUNDS: '100' } },
  {
    name: 'stores',
    files: ['test/fault/destination-sftp.test.ts', 'test/fault/destination-s3.test.ts'],
    env: { DBBACKUP_TEST_ROUNDS: '100', DBBACKUP_TEST_LARGE: '1' },
  },
  { name: 's3-large', files: ['test/e2e/s3-large.test.ts'], env: { DBBACKUP_TEST_LARGE: '1' } },
  {
    name: 'memory',
    files: ['test/e2e/memory.test.ts'],
    env: { DBBACKUP_TEST_MEGABYTES: '1000', DBBACKUP_TEST_ROW_MEGABYTES: '100' },
  },
  { name: 'schedule', files: ['test/unit/schedule/on-calendar.test.ts'], env: { DBBACKUP_TEST_ROUNDS: '3000' } },
  { name: 'package', files: ['test/e2e/package.test.ts'], env: {} },
  { name: 'report', files: ['test/e2e/report-browser.test.ts'], env: {}, install: ['chromium'] },
];

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !campaigns.some((each) => each.name === name));
if (unknown.length > 0) {
  process.stderr.write(
    `no campaign ${unknown.join(', ')}; there are ${campaigns.map(({ name }) => name).join(', ')}\n`,
  );
  process.exit(2);
}

let failed = 0;
for (const { name, files, env, install = [] } of campaigns) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  if (install.length > 0) spawnSync('node', ['test/servers/install.js', ...install], { stdio: 'inherit' });
  process.stdout.write(
    `\n== ${name}: ${Object.entries(env)
      .map((pair) => pair.join('='))
      .join(' ')}\n`,
  );
  const hours = ['--testTimeout', String(4 * 3_600_000)];
  const { status } = spawnSync('npx', ['vitest', 'run', ...hours, ...files], {
    stdio: 'inherit',
    env: { ...process.env, DBBACKUP_SOAK: '1', ...env },
  });
  if (status !== 0) failed += 1;
}
process.stdout.write(`\n${failed} of the campaigns failed\n`);
process.exitCode = failed > 0 ? 1 : 0;
