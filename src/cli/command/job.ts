import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Command } from 'commander';
import { DbBackupError } from '../../errors.ts';
import type { App, GlobalOptions } from '../app.ts';
import { type CommandContext, newCommand, runAction } from '../command.ts';
import type { Output } from '../output.ts';
import { addWizardFlags } from '../wizard/flags.ts';
import type { Flags } from '../wizard/interview.ts';
import type { Target } from '../wizard/set-up.ts';

export function jobCommand(context: CommandContext): Command {
  return newCommand('job').description('jobs of the config').addCommand(addCommand(context));
}

function addCommand(context: CommandContext): Command {
  const command = newCommand('add').description('add a job to the config by questions, with what it needs');
  return addWizardFlags(command)
    .addHelpText('after', examples)
    .action(runAction<Flags>(context, ({ options }, output) => addJob(options, context.app, output)));
}

const examples = `
Sources, destinations and encryption that the config has can be used again by their names. Everything that stands in the
file stays as it is, comments too. Asks on a terminal; elsewhere every answer comes from its flag, or with --yes from what
is offered.

Examples:
  $ dbbackup job add
  $ dbbackup job add --source files --path ./uploads --destination disk --job uploads --yes
  $ dbbackup job add --source shop --destination disk --destination sftp://me@nas.example/backups --job shop-away`;

export async function addJob(options: Flags & GlobalOptions, app: App, output: Output): Promise<number | undefined> {
  const { setUp } = await import('../wizard/set-up.ts');
  const { firstRun } = await import('../wizard/first-run.ts');
  const target = await readTarget(options, app);
  const done = await setUp(target, options, app, output);
  if (done) return firstRun(target, done.planned, options, done.wizard);
  output.say('Nothing was written.');
  return undefined;
}

/** The config as every command finds and checks it, with its text. */
async function readTarget(options: GlobalOptions, app: App): Promise<Required<Target>> {
  const { loadConfig, readConfig } = await import('../../config/load.ts');
  const { parseConfigDocument } = await import('../../config/document.ts');
  const request = { named: options.config, cwd: app.workingFolder, env: app.env, catalog: await app.loadCatalog() };
  const config = await loadConfig(request);
  const { raw } = await readConfig(request);
  const text = await readFile(config.file, 'utf8');
  if (isDeepStrictEqual(parseConfigDocument(text).raw, raw)) return { file: config.file, existing: { text, config } };
  throw new DbBackupError('BUSY', `${config.file} changes while it is read`, { hint: 'Try again.' });
}
