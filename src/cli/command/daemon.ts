import type { Command } from 'commander';
import { DbBackupError } from '../../errors.ts';
import type { DaemonEvent } from '../../operation/daemon/daemon.ts';
import type { OperationEvent } from '../../operation/event.ts';
import { plural } from '../../value/figure.ts';
import type { App, GlobalOptions } from '../app.ts';
import { type CommandContext, newCommand, runAction } from '../command.ts';
import type { Output } from '../output.ts';

interface DaemonFlags {
  readonly healthPort?: number;
}

export function daemonCommand(context: CommandContext): Command {
  return newCommand('daemon')
    .description(
      'run jobs at their times, in the foreground: for containers, and where there is neither cron nor systemd',
    )
    .option('--health-port <port>', 'answer /health and /jobs on 127.0.0.1', port)
    .addHelpText('after', examples)
    .action(
      runAction<DaemonFlags>(context, async ({ options }) => {
        await runDaemon(context.app, options);
        return 0;
      }),
    );
}

const examples = `
A run that was missed while the daemon was down is made up for once. SIGHUP reads the config anew; one that is wrong
changes nothing. SIGTERM and Ctrl-C stop running backups in good order (nothing half-done is left, and the next daemon
makes up for what SIGTERM has cut), and the exit code is 0; a second signal leaves at once.

Examples:
  $ dbbackup daemon
  $ dbbackup daemon --json --health-port 8484
  $ kill -HUP <pid>                                read the config anew
  $ curl -f http://127.0.0.1:8484/jobs             were the last runs good?`;

async function runDaemon(app: App, options: DaemonFlags & GlobalOptions): Promise<void> {
  const { Daemon } = await import('../../operation/daemon/daemon.ts');
  const { systemClock } = await import('../../operation/daemon/system-clock.ts');
  const { openStampedOutput } = await import('../stamped-output.ts');
  const { openRuntime } = await import('../open-runtime.ts');
  const { showBackupResult } = await import('../backup-result.ts');
  const output = openStampedOutput(app, options, systemClock.now);
  const emit = await reporter(output);
  const unattended = { ...app, env: { ...app.env, DBBACKUP_TRIGGER: app.env['DBBACKUP_TRIGGER'] || 'daemon' } };
  const daemon = new Daemon({
    clock: systemClock,
    signal: app.signal,
    open: () => openRuntime(unattended, options, output, { config: 'required', state: true, emit }),
    onEvent: (event) => tell(event, output),
    onOutcome: (outcome, troubles) => {
      if (outcome.status === 'failed') output.failure(outcome.error, { job: outcome.job.name });
      else showBackupResult(outcome.result, outcome.retention, output);
      for (const trouble of troubles) output.warn(trouble);
      if (outcome.status === 'done') for (const trouble of outcome.retention.troubles) output.warn(trouble);
    },
    onTrouble: (error) => (typeof error === 'string' ? output.warn(error) : output.failure(error)),
  });
  app.onHangup?.(() => daemon.reload());
  const server = await health(options, daemon.state.bind(daemon));
  try {
    await daemon.work();
  } finally {
    server?.close();
  }
}

async function health(
  { healthPort }: DaemonFlags,
  state: Parameters<typeof import('../../operation/daemon/health.ts')['openHealthServer']>[1],
) {
  if (healthPort === undefined) return undefined;
  const { openHealthServer } = await import('../../operation/daemon/health.ts');
  return openHealthServer(healthPort, state);
}

/** Lines for people whatever the terminal; under --json all events but the many of progress. */
async function reporter(output: Output): Promise<(event: OperationEvent) => void> {
  if (output.json) return (event) => event.type !== 'progress' && output.event(event);
  const { LineReporter } = await import('../progress/line-reporter.ts');
  const lines = new LineReporter(output);
  return (event) => lines.report(event);
}

function tell(event: DaemonEvent, output: Output): void {
  output.event(event);
  if (!output.json) output.say(sentence(event));
}

function sentence(event: DaemonEvent): string {
  switch (event.type) {
    case 'ready':
      return `dbbackup daemon: ${plural(event.jobs, 'scheduled job')} of ${event.config}`;
    case 'reloaded':
      return `config read anew: ${plural(event.jobs, 'scheduled job')} of ${event.config}`;
    case 'scheduled':
      return `${event.job}: next run ${instant(event.next)}`;
    case 'missed':
      return `${event.job}: the run of ${instant(event.due)} was missed or cut, and is made up for now`;
    case 'skipped':
      return `${event.job}: the run of ${instant(event.due)} is left out, the one before has not ended`;
    case 'queued':
      return `${event.job}: waits for another job to end`;
    case 'removed':
      return `${event.job}: no longer scheduled`;
    case 'stopping':
      return event.running.length === 0 ? 'stopping' : `stopping: ending ${event.running.join(', ')}`;
  }
}

function port(value: string): number {
  const number = Number(value);
  if (/^\d+$/.test(value) && number >= 1 && number <= 65535) return number;
  throw new DbBackupError('USAGE', `--health-port ${value}: a port is a number from 1 to 65535`);
}

/** In UTC, as the time before each line. */
function instant(time: Date): string {
  return time.toISOString().replace('.000Z', 'Z');
}
