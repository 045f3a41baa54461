/**
 * Names of stored objects: `<job>/<job>_<UTC timestamp>_<id6><extensions>`. Extensions stand in the order in which the
 * bytes were made and are all kept, so that a file tells how to read it even without its sidecar.
 */
const timestampPattern = String.raw`\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}-\d{3}Z`;
const artifactPattern = new RegExp(String.raw`^(.+)_(${timestampPattern})_([0-9a-f]{6})((?:\.[A-Za-z0-9]+)+)$`);
export const jobNamePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

export interface ArtifactName {
  readonly job: string;
  readonly startedAt: Date;
  /** First six hex digits of the backup's id. */
  readonly id6: string;
  /** All of them, as `.sql.gz.enc`. */
  readonly extensions: string;
}

export function formatArtifactName(name: ArtifactName): string {
  const timestamp = name.startedAt.toISOString().replace(/[:.]/g, '-');
  return `${name.job}_${timestamp}_${name.id6}${name.extensions}`;
}

/** Undefined for a name that is not ours. */
export function parseArtifactName(text: string): ArtifactName | undefined {
  const match = artifactPattern.exec(text);
  if (!match) return undefined;
  const [, job = '', timestamp = '', id6 = '', extensions = ''] = match;
  const iso = timestamp.replace(/T(\d{2})-(\d{2})-(\d{2})-(\d{3})Z/, 'T$1:$2:$3.$4Z');
  const startedAt = new Date(iso);
  return Number.isNaN(startedAt.getTime()) ? undefined : { job, startedAt, id6, extensions };
}
