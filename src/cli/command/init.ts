import { access, constants, lstat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import { DbBackupError, messageOf } from '../../errors.ts';
import type { App, GlobalOptions } from '../app.ts';
import { type CommandContext, newCommand, runAction } from '../command.ts';
import type { Output } from '../output.ts';
import { addWizardFlags } from '../wizard/flags.ts';
import type { Flags } from '../wizard/interview.ts';
import { addJob } from './job.ts';

export function initCommand(context: CommandContext): Command {
  const command = newCommand('init').description('write a first config by questions, try it out, and run it');
  return addWizardFlags(command)
    .addHelpText('after', examples)
    .action(
      runAction<Flags>(context, async ({ options }, output) => {
        const { app } = context;
        const file = resolve(app.workingFolder, options.config ?? (app.env['DBBACKUP_CONFIG'] || 'dbbackup.yaml'));
        refuseOtherKinds(file);
        await assertWritable(dirname(file));
        const there = await existing(file, options.config === undefined && !app.env['DBBACKUP_CONFIG']);
        if (there !== undefined) return addInstead(there, options, app, output);
        const { setUp } = await import('../wizard/set-up.ts');
        const { firstRun } = await import('../wizard/first-run.ts');
        const done = await setUp({ file }, options, app, output);
        if (done) return firstRun({ file }, done.planned, options, done.wizard);
        output.say('Nothing was written.');
        return undefined;
      }),
    );
}

const examples = `
Asks on a terminal; elsewhere every answer comes from its flag, or with --yes from what is offered. Tries out source and
destination while it asks. Writes ./dbbackup.yaml (or --config), never over an existing one; passwords go into files of
their own. At the end the job runs for the first time.

Examples:
  $ dbbackup init
  $ dbbackup init --source sqlite --path ./shop.sqlite --destination ./backups --job shop --yes
  $ dbbackup init --source postgres --host db.internal --database shop --password-env SHOP_PASSWORD \\
      --destination s3://acme-backups/shop --encryption new --yes --no-run`;

/** The commented file is YAML; under another name its readers, and editors, would take it for something else. */
function refuseOtherKinds(file: string): void {
  if (/\.ya?ml$|^\.dbbackuprc$/i.test(basename(file))) return;
  throw new DbBackupError('USAGE', `init writes YAML, and ${basename(file)} is no name for it`, {
    hint: 'Give the file a name that ends in .yaml.',
  });
}

/** Told before the questions, not after them. */
async function assertWritable(folder: string): Promise<void> {
  await access(folder, constants.W_OK).catch((cause: unknown) => {
    throw new DbBackupError('USAGE', `no config can be written into ${folder}: ${messageOf(cause)}`, {
      cause,
      hint: 'Make the folder, or name a file elsewhere with --config.',
    });
  });
}

/** The config that is there, or one of another name in its folder, which the new one would hide. */
async function existing(file: string, isSearched: boolean): Promise<string | undefined> {
  if (await lstat(file).catch(() => undefined)) return file;
  if (!isSearched) return undefined;
  const { configIn } = await import('../../config/find.ts');
  return configIn(dirname(file));
}

async function addInstead(file: string, options: Flags & GlobalOptions, app: App, output: Output) {
  const { Interview } = await import('../wizard/interview.ts');
  const interview = new Interview(app, options);
  const hint = 'It is left as it is. `dbbackup job add` adds to it; --config <file> writes another.';
  if (!interview.onTerminal) throw new DbBackupError('USAGE', `${file} exists`, { hint });
  output.say(`${file} exists, and init never overwrites.`);
  if (await interview.confirm('Add a job to it instead?')) return addJob({ ...options, config: file }, app, output);
  output.say(hint);
  return undefined;
}
