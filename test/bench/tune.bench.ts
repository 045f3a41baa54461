/**
 * Does `tune` recommend what is best? On a private PostgreSQL server: `tune`, then real runs with every candidate that it
 * gives a forecast for, one after the other in rounds, and what came true of it.
 * BENCH_MB: size of the database's data (default 1000). BENCH_ROUNDS: runs of each candidate (default 3).
 */
import { rm, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, it } from 'vitest';
import { events, expectCode, makeWorkplace, type Workplace } from '../e2e/cli.ts';
import { type PostgresServer, startPostgres } from '../servers/postgres.ts';
import { fillShop } from './shop.ts';

const megabytes = Number(process.env['BENCH_MB'] ?? 1000);
const rounds = Number(process.env['BENCH_ROUNDS'] ?? 3);
/** Bytes a second; without it the disk is the limit. */
const upload = process.env['BENCH_UPLOAD'] ?? '';

interface Forecast {
  readonly type: string;
  readonly level: number;
  readonly seconds: number;
  readonly storedBytes: number;
}

interface Tuning {
  readonly candidates: readonly (Forecast | { readonly notTried: string })[];
  readonly recommendation: { readonly type: string; readonly level: number; readonly why: string };
}

let place: Workplace;
let server: PostgresServer;

beforeAll(async () => {
  place = await makeWorkplace();
  server = await startPostgres({ settings: ['shared_buffers = 256MB'] });
  await server.sql('CREATE DATABASE shop');
  await server.sql(fillShop(megabytes), 'shop');
});

afterAll(async () => {
  await server?.stop();
  await place?.remove();
});

it('recommends what the runs then confirm', async () => {
  await configure([{ type: 'zstd', level: 3 }]);
  const args = upload === '' ? [] : ['--upload', upload];
  const [tuning] = events<Tuning>(
    expectCode(await place.run('tune', nameOf({ type: 'zstd', level: 3 }), '--json', ...args), 0),
    'result',
  );
  if (!tuning) throw new Error('tune told no result');
  const all = tuning.candidates.flatMap((each) => ('seconds' in each ? [each] : []));
  const quickest = Math.min(...all.map(({ seconds }) => seconds));
  // What is hopelessly slow takes most of the time, and nobody doubts it.
  const forecasts = all.filter(({ seconds }) => seconds <= 4 * quickest + 2);
  await configure(forecasts);
  const took = new Map<string, { seconds: number[]; stored: number }>();
  for (let round = 0; round < rounds; round += 1) {
    for (const forecast of forecasts) {
      const started = performance.now();
      const run = expectCode(await place.run('run', nameOf(forecast), '--json'), 0);
      const [result] = events<{ durationMs: number; storedBytes: number }>(run, 'result');
      const seen = took.get(nameOf(forecast)) ?? { seconds: [], stored: result?.storedBytes ?? 0 };
      seen.seconds.push(result ? result.durationMs / 1000 : (performance.now() - started) / 1000);
      took.set(nameOf(forecast), seen);
      await rm(place.path('backups'), { recursive: true, force: true });
    }
  }
  report(tuning, forecasts, took);
});

function nameOf({ type, level }: Pick<Forecast, 'type' | 'level'>): string {
  return `${type}-${level}`;
}

async function configure(wanted: readonly Pick<Forecast, 'type' | 'level'>[]): Promise<void> {
  const jobs = wanted.map((each) => {
    const compression = each.type === 'none' ? 'none' : `{ type: ${each.type}, level: ${each.level} }`;
    return `  ${nameOf(each)}: { source: shop, destinations: disk, compression: ${compression} }\n`;
  });
  const limit = upload === '' ? '' : `, limit: ${upload}`;
  await writeFile(
    place.path('dbbackup.yaml'),
    `sources: { shop: { type: postgres, url: "${server.url('shop')}" } }
destinations: { disk: { type: local, path: ./backups${limit} } }
jobs:
${jobs.join('')}`,
    { mode: 0o600 },
  );
}

function report(
  { recommendation }: Tuning,
  forecasts: readonly Forecast[],
  took: ReadonlyMap<string, { readonly seconds: readonly number[]; readonly stored: number }>,
): void {
  const measured = forecasts.map((each) => {
    const { seconds = [], stored = 0 } = took.get(nameOf(each)) ?? {};
    return { name: nameOf(each), said: each.seconds, took: Math.min(...seconds), saidBytes: each.storedBytes, stored };
  });
  const line = (each: (typeof measured)[number]) =>
    [
      each.name.padEnd(10),
      `${each.said.toFixed(2)} s`.padStart(9),
      `${each.took.toFixed(2)} s`.padStart(9),
      `${(each.saidBytes / 1e6).toFixed(1)} MB`.padStart(10),
      `${(each.stored / 1e6).toFixed(1)} MB`.padStart(10),
    ].join(' ');
  const chosen = measured.find(({ name }) => name === nameOf(recommendation));
  const best = Math.min(...measured.map((each) => each.took));
  const within = measured.filter((each) => each.took <= best * 1.1 + 1);
  const smallest = Math.min(...within.map((each) => each.stored));
  const holds = chosen !== undefined && within.includes(chosen);
  const isSmallest = holds && chosen.stored <= smallest * 1.05;
  process.stdout.write(
    `\nPostgreSQL ${server.major}, ${megabytes} MB, ${rounds} rounds; forecast, then measured (the quickest of each)\n${measured.map(line).join('\n')}\n` +
      `recommended: ${nameOf(recommendation)}, ${recommendation.why}\n` +
      `its run took ${chosen?.took.toFixed(2)} s, the quickest ${best.toFixed(2)} s: ${holds ? 'confirmed' : 'NOT confirmed'}\n` +
      `of those within 10% (or 1 s) of the quickest it is ${isSmallest ? '(within 5%) the smallest: confirmed' : `not the smallest (${(smallest / 1e6).toFixed(1)} MB): NOT confirmed`}\n`,
  );
}
