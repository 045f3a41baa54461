import { codecs } from '../../pipeline/compression/all.ts';
import { type Sidecar, sidecarVersion, sourceFingerprint } from '../../sidecar/sidecar.ts';
import type { Execution } from '../execution.ts';
import type { Runtime } from '../runtime.ts';
import type { OpenJob } from './backup.ts';
import { recoveryRecipe } from './recovery-recipe.ts';
import type { Transfer } from './transfer.ts';

export interface BackupMaterial {
  readonly id: string;
  /** File name. */
  readonly artifact: string;
  readonly note?: string;
  readonly open: OpenJob;
  readonly moved: Transfer;
  readonly execution: Execution;
  readonly runtime: Runtime;
}

/** All that is known of a backup once its last byte has passed. */
export function composeSidecar({ id, artifact, note, open, moved, execution, runtime }: BackupMaterial): Sidecar {
  const { job, source, identity, inspection, format } = open;
  const finishedAt = new Date();
  return {
    version: sidecarVersion,
    id,
    tool: runtime.tool,
    job: { name: job.name },
    source: {
      name: source.name,
      type: source.type.type,
      label: identity.label,
      fingerprint: sourceFingerprint(identity.fingerprintParts),
      serverVersion: inspection.serverVersion,
      tool: inspection.tool,
      toolVersion: inspection.toolVersion,
      databases: [...inspection.databases],
    },
    backupType: job.backupType,
    filter: filterOf(open),
    startedAt: execution.startedAt.toISOString(),
    finishedAt: finishedAt.toISOString(),
    durationMs: finishedAt.getTime() - execution.startedAt.getTime(),
    host: runtime.host,
    trigger: runtime.trigger,
    note,
    artifact: {
      name: artifact,
      format: format.name,
      rawBytes: moved.raw.bytes,
      storedBytes: moved.stored.bytes,
      rawSha256: moved.raw.sha256,
      storedSha256: moved.stored.sha256,
    },
    compression: job.compression.type === 'none' ? { type: 'none' } : { ...job.compression },
    encryption: moved.encryption && {
      ...moved.encryption,
      recipients: moved.encryption.recipients && [...moved.encryption.recipients],
    },
    contents: moved.contents.map((each) => ({ ...each, tables: { ...each.tables }, properties: properties(each) })),
    bundle: moved.members && { members: moved.members.map((each) => ({ ...each })) },
    recover: recoveryRecipe({
      artifact,
      storedSha256: moved.stored.sha256,
      encryption: moved.encryption,
      codec: codecs[job.compression.type],
      load: open.recovery,
    }),
  };
}

function filterOf({ job }: OpenJob): Sidecar['filter'] {
  const lists = Object.entries(job.filter).filter(([, patterns]) => patterns !== undefined && patterns.length > 0);
  return lists.length === 0 ? undefined : Object.fromEntries(lists.map(([name, patterns]) => [name, [...patterns]]));
}

function properties(contents: Transfer['contents'][number]): Sidecar['contents'][number]['properties'] {
  const entries = Object.entries(contents.properties ?? {});
  return Object.fromEntries(entries.map(([name, value]) => [name, typeof value === 'object' ? [...value] : value]));
}
