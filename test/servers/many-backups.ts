/** A destination folder full of small backups of several jobs, as years of nightly runs leave it. */
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatArtifactName } from '../../src/sidecar/artifact-name.ts';
import { type Sidecar, serializeSidecar } from '../../src/sidecar/sidecar.ts';

const firstDay = Date.UTC(2020, 0, 1, 3);
const dayMs = 86_400_000;

/** Number `index` of them: its key, its bytes and its sidecar. `change` goes over the sidecar. */
export function backupNumber(index: number, change: Partial<Sidecar> = {}) {
  const job = `job-${index % 20}`;
  const id = createHash('sha256')
    .update(String(index))
    .digest('hex')
    .replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*/, '$1-$2-4$3-8$4-$5');
  const startedAt = new Date(firstDay + Math.floor(index / 20) * dayMs);
  const data = Buffer.from(`backup ${index}`);
  const name = formatArtifactName({ job, startedAt, id6: id.slice(0, 6), extensions: '.dump.zst' });
  const hash = createHash('sha256').update(data).digest('hex');
  const tables = Object.fromEntries(Array.from({ length: 20 }, (_, table) => [`public.table_${table}`, index + table]));
  const sidecar: Sidecar = {
    version: '1.0',
    id,
    tool: { name: 'dbbackup', version: '0.1.0' },
    job: { name: job },
    source: {
      name: 'shop',
      type: index % 2 === 0 ? 'postgres' : 'sqlite',
      fingerprint: '0123456789abcdef',
      serverVersion: '15.18',
      tool: 'pg_dump 15.18',
      toolVersion: '15.18',
      databases: ['shop'],
    },
    backupType: 'full',
    startedAt: startedAt.toISOString(),
    finishedAt: new Date(startedAt.getTime() + 5000).toISOString(),
    durationMs: 5000,
    host: 'db1',
    trigger: 'cron',
    artifact: {
      name,
      format: 'custom',
      rawBytes: 1000 + index,
      storedBytes: data.length,
      rawSha256: hash,
      storedSha256: hash,
    },
    compression: { type: 'zstd', level: 3 },
    contents: [{ name: 'shop', tables }],
    recover: [
      `echo '${hash}  '${name} | sha256sum -c -`,
      `zstd -dc < ${name} > shop.dump`,
      'pg_restore -d shop shop.dump',
    ],
    ...change,
  };
  return { key: `${job}/${name}`, data, sidecar };
}

export async function fillFolder(folder: string, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const { key, data, sidecar } = backupNumber(index);
    if (index < 20) await mkdir(join(folder, `job-${index}`), { recursive: true, mode: 0o700 });
    await writeFile(join(folder, key), data, { mode: 0o600 });
    await writeFile(join(folder, `${key}.meta.json`), serializeSidecar(sidecar), { mode: 0o600 });
  }
}
