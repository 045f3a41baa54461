/**
 * Metrics for node_exporter's textfile collector: one file a job, `dbbackup_<job>.prom`, written beside and renamed.
 * The file is readable by all (0644): node_exporter runs as another user, and there is nothing secret in it.
 * https://github.com/prometheus/node_exporter#textfile-collector
 */
import { randomUUID } from 'node:crypto';
import { chmod, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { messageOf } from '../errors.ts';
import { NotificationFailure } from './failure.ts';
import type { Message, NotificationType } from './notification.ts';

const options = z.strictObject({
  folder: z.string().min(1).describe("node_exporter's --collector.textfile.directory; must exist"),
});

const statuses = ['completed', 'partial', 'suspect', 'failed', 'cancelled'];

export const prometheusType: NotificationType<z.output<typeof options>> = {
  type: 'prometheus',
  options,
  open({ folder }, baseFolder) {
    const absolute = resolve(baseFolder, folder);
    return {
      events: ['success', 'failure', 'recovery', 'warning', 'test'],
      cooldownMs: 0,
      send: (message) => publish(message, absolute),
    };
  },
};

async function publish(message: Message, folder: string): Promise<string> {
  // Another extension, so that the collector never reads it.
  const temporary = join(folder, `.dbbackup-${randomUUID()}.tmp`);
  const file = join(folder, `dbbackup_${message.job}.prom`);
  try {
    await writeFile(temporary, metrics(message), { mode: 0o644, flag: 'wx' });
    if (message.event === 'test') return `${folder} can be written`;
    // The mode above is subject to the umask.
    await chmod(temporary, 0o644);
    await rename(temporary, file);
    return `wrote ${file}`;
  } catch (error) {
    throw new NotificationFailure(`prometheus: ${file} cannot be written: ${messageOf(error)}`, {
      retryable: false,
      hint: 'The folder must exist and be writable for the user that runs dbbackup.',
    });
  } finally {
    await rm(temporary, { force: true });
  }
}

function metrics({ job, status, at, durationMs, lastGood }: Message): string {
  const lines: string[] = [];
  const gauge = (name: string, help: string, value: number | undefined, labels: Record<string, string> = {}) => {
    if (value === undefined) return;
    const first = lines.every((line) => !line.startsWith(`# HELP dbbackup_${name} `));
    if (first) lines.push(`# HELP dbbackup_${name} ${help}`, `# TYPE dbbackup_${name} gauge`);
    const all = Object.entries({ job, ...labels }).map(([key, text]) => `${key}="${escapeLabel(text)}"`);
    lines.push(`dbbackup_${name}{${all.join(',')}} ${value}`);
  };
  gauge('last_run_timestamp_seconds', 'When the newest run ended.', at.getTime() / 1000);
  gauge('last_run_duration_seconds', 'How long the newest run took.', durationMs && durationMs / 1000);
  for (const each of statuses) {
    gauge('last_run_status', 'How the newest run ended: 1 for its status.', Number(each === status), { status: each });
  }
  gauge(
    'last_success_timestamp_seconds',
    'When the newest completed backup ended.',
    lastGood && lastGood.at.getTime() / 1000,
  );
  gauge(
    'last_success_duration_seconds',
    'How long the newest completed backup took.',
    lastGood && lastGood.durationMs / 1000,
  );
  gauge('last_success_raw_bytes', 'Bytes dumped by the newest completed backup.', lastGood?.rawBytes);
  gauge('last_success_stored_bytes', 'Bytes stored by the newest completed backup.', lastGood?.storedBytes);
  return `${lines.join('\n')}\n`;
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
