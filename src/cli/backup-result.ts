/** How the end of a backup is shown: a line and its places, or one JSON object. */
import { DbBackupError, explain } from '../errors.ts';
import type { BackupResult } from '../operation/backup/backup.ts';
import type { DestinationPrune } from '../operation/retention/prune.ts';
import type { RunRetention } from '../operation/retention/prune-after-backup.ts';
import { formatBytes, formatDuration, formatSavings } from './format.ts';
import type { Output } from './output.ts';

export function showBackupResult(
  result: BackupResult | { dryRun: string },
  retention: RunRetention,
  output: Output,
): void {
  if ('dryRun' in result) {
    output.result(
      { type: 'dry-run', job: result.dryRun, status: 'ready' },
      () => `${output.color.green('✓')} ${result.dryRun}: ready`,
    );
    return;
  }
  const pruned = retention.result?.destinations ?? [];
  output.result({ type: 'result', ...toJson(result), retention: retentionJson(retention) }, () =>
    [summary(result, output), ...pruned.map(retentionLine)].join('\n'),
  );
}

function retentionJson({ result, troubles }: RunRetention): Record<string, unknown> | undefined {
  if (!result && troubles.length === 0) return undefined;
  const destinations = result?.destinations.map(({ name, deleted, decisions }) => {
    return { name, deleted: deleted.map(({ key }) => key), kept: kept(decisions) };
  });
  return { executionId: result?.executionId, destinations, troubles };
}

function retentionLine({ name, decisions, deleted }: DestinationPrune): string {
  const count = (...rules: string[]) => {
    return decisions.filter(({ reasons }) => reasons.some(({ rule }) => rules.includes(rule))).length;
  };
  const [foreign, broken] = [count('foreign'), count('unreadable', 'damaged')];
  const notes = [
    ...(foreign > 0 ? [`; ${foreign} of another source left alone (dbbackup prune --adopt)`] : []),
    ...(broken > 0 ? [`; ${broken} unreadable or damaged left alone (dbbackup prune --dry-run)`] : []),
  ];
  return `  retention at ${name}: kept ${kept(decisions)}, deleted ${deleted.length}${notes.join('')}`;
}

function kept(decisions: DestinationPrune['decisions']): number {
  return decisions.filter(({ action }) => action === 'keep').length;
}

function toJson(result: BackupResult): Record<string, unknown> {
  const { sidecar } = result;
  return {
    executionId: result.executionId,
    job: result.job,
    status: result.status,
    suspect: result.suspect,
    id: sidecar.id,
    key: result.key,
    ...sidecar.artifact,
    durationMs: sidecar.durationMs,
    destinations: result.destinations.map(({ name, status, key, error }) => ({
      name,
      status,
      key,
      error: error === undefined ? undefined : explain(error),
      hint: hintOf(error),
    })),
    warnings: result.warnings,
  };
}

function summary(result: BackupResult, output: Output): string {
  const { rawBytes, storedBytes } = result.sidecar.artifact;
  const sizes = `${formatBytes(rawBytes)} → ${formatBytes(storedBytes)} (${formatSavings(rawBytes, storedBytes)})`;
  const suspect =
    result.suspect === undefined
      ? []
      : [
          `  ${output.color.yellow('suspect')} ${result.suspect}`,
          '  dbbackup accept declares it good; until then nothing older is pruned',
        ];
  const mark = result.status === 'completed' ? output.color.green('✓') : output.color.yellow('!');
  const head = `${mark} ${result.job}: ${sizes} in ${formatDuration(result.sidecar.durationMs)}, id ${result.sidecar.id.slice(0, 6)}`;
  const places = result.destinations.flatMap(({ name, status, key, error }) => {
    if (status === 'completed') return [`  ${name}:${key}`];
    const hint = hintOf(error);
    const wayOut = hint === undefined ? [] : [`    ${output.color.cyan('hint')} ${hint}`];
    return [`  ${output.color.red('failed')} ${name}: ${explain(error)}`, ...wayOut];
  });
  return [head, ...places, ...suspect].join('\n');
}

/** What failed at one place is shown in short, and yet with its way out. */
function hintOf(error: unknown): string | undefined {
  return error instanceof DbBackupError ? error.hint : undefined;
}
