import type { Command } from 'commander';
import { type CommandContext, newCommand, oneOf, runAction } from '../command.ts';
import {
  chooseSomeScheduled,
  readScheduleConfig,
  remarkSkippedTimes,
  scopeOf,
  warnOfVariables,
} from '../scheduled-jobs.ts';

const formats = ['crontab', 'systemd', 'kubernetes'] as const;

interface ExportFlags {
  readonly format: string;
  readonly user?: boolean;
  readonly envFile?: string;
  readonly output?: string;
  readonly image?: string;
  readonly namespace?: string;
  readonly namePrefix: string;
  readonly secret: string;
}

export function exportCommand(context: CommandContext): Command {
  return newCommand('export')
    .description('the same as text, to install by other means; and for Kubernetes')
    .argument('[job...]', 'only these; otherwise every job with a schedule')
    .requiredOption('--format <format>', formats.join(', '))
    .option('--user', "systemd: for the user's own manager, for root too")
    .option('--env-file <file>', 'crontab, systemd: NAME=value lines, read before each run')
    .option('--output <folder>', 'into files of a folder, in place of stdout; never over one that is there')
    .option('--image <image>', 'kubernetes: an image that you have made, with dbbackup and the dump tools')
    .option('--namespace <name>', 'kubernetes: without it, the one kubectl is set to')
    .option(
      '--name-prefix <prefix>',
      'kubernetes: begins every name; one of its own for each config of a namespace, since equal names replace each other',
      'dbbackup',
    )
    .option(
      '--secret <name>',
      'kubernetes: the Secret with the variables and files that the config refers to',
      'dbbackup',
    )
    .addHelpText('after', exportExamples)
    .action(
      runAction<ExportFlags>(context, async ({ args, options }, output) => {
        const { exportSchedule, writeExport } = await import('../export-schedule.ts');
        const format = oneOf(options.format, formats, '--format');
        const { config, raw } = await readScheduleConfig(context.app, options);
        const jobs = await chooseSomeScheduled(args, config);
        if (format !== 'kubernetes') await warnOfVariables(jobs, config, format, options.envFile, context.app, output);
        if (format !== 'crontab') await remarkSkippedTimes(jobs, output);
        const scope = scopeOf(options);
        const files = await exportSchedule({ format, jobs, config, raw, scope, options }, context.app, output);
        if (options.output === undefined) {
          output.result({ format, files }, () =>
            files
              .map(({ name, content }) => headed(name, content, files.length))
              .join('\n')
              .trimEnd(),
          );
          return;
        }
        const written = await writeExport(files, options.output, context.app);
        output.result({ format, written }, () => written.map((file) => `wrote ${file}`).join('\n'));
      }),
    );
}

const exportExamples = `
Kubernetes: values of secrets never stand in the manifest; it says which keys the Secret must have.

Examples:
  $ dbbackup schedule export --format systemd --output ./units
  $ dbbackup schedule export --format kubernetes --image backup/dbbackup:1 > cronjobs.yaml
  $ dbbackup schedule export --format kubernetes --image backup/dbbackup:1 --name-prefix shop-backup
  $ dbbackup schedule export --format crontab --config config.example.yaml`;

function headed(name: string, content: string, count: number): string {
  return count === 1 ? content : `### ${name}\n${content}`;
}
