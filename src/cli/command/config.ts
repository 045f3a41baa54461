import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import type { Command } from 'commander';
import type { ConfigReading } from '../../config/load.ts';
import { DbBackupError, exitCodes } from '../../errors.ts';
import type { KeptConfig } from '../../operation/config-copy/recover-config.ts';
import type { Runtime } from '../../operation/runtime.ts';
import { plural } from '../../value/figure.ts';
import type { App, GlobalOptions } from '../app.ts';
import { type CommandContext, collect, newCommand, runAction } from '../command.ts';
import { formatTable, formatTime } from '../format.ts';
import type { Output } from '../output.ts';

export function configCommand(context: CommandContext): Command {
  return newCommand('config')
    .description('check, show, describe or recover the configuration')
    .addCommand(validateCommand(context))
    .addCommand(showCommand(context))
    .addCommand(schemaCommand(context))
    .addCommand(recoverCommand(context));
}

function validateCommand(context: CommandContext): Command {
  return newCommand('validate')
    .description('every problem at once, with its place in the file')
    .addHelpText(
      'after',
      '\nExamples:\n  $ dbbackup config validate\n  $ dbbackup config validate -c config.example.yaml',
    )
    .action(
      runAction(context, async ({ options }, output) => {
        const { formatProblem } = await import('../../config/problem.ts');
        const { file, problems, config } = await read(context.app, options);
        if (!config) {
          const lines = problems.map((problem) => `  ${formatProblem(file, problem)}`);
          if (output.json) {
            output.event({ file, valid: false, problems });
            return exitCodes.CONFIG_INVALID;
          }
          throw new DbBackupError(
            'CONFIG_INVALID',
            [`${file} has ${plural(problems.length, 'problem')}:`, ...lines].join('\n'),
          );
        }
        const counts = { sources: config.sources.size, destinations: config.destinations.size, jobs: config.jobs.size };
        output.result({ file, valid: true, ...counts }, () => {
          const parts = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
          return `${output.color.green('✓')} ${file}: ${parts.join(', ')}`;
        });
        return undefined;
      }),
    );
}

function showCommand(context: CommandContext): Command {
  return newCommand('show')
    .description('the configuration as it was found, secrets hidden')
    .addHelpText('after', '\nExamples:\n  $ dbbackup config show\n  $ dbbackup config show --json')
    .action(
      runAction(context, async ({ options }, output) => {
        const { showConfig } = await import('../../config/show.ts');
        const { stringify } = await import('yaml');
        const { file, raw } = await read(context.app, options);
        const shown = showConfig(raw);
        output.result({ file, config: shown }, () => `# ${file}\n${stringify(shown).trimEnd()}`);
      }),
    );
}

function schemaCommand(context: CommandContext): Command {
  return newCommand('schema')
    .description('the JSON Schema of the configuration, for editors')
    .addHelpText(
      'after',
      '\nExamples:\n  $ dbbackup config schema > dbbackup.schema.json\n  then begin the config with:  # yaml-language-server: $schema=./dbbackup.schema.json',
    )
    .action(
      runAction(context, async (_, output) => {
        const { configJsonSchema } = await import('../../config/json-schema.ts');
        const schema = configJsonSchema(await context.app.loadCatalog());
        output.result(schema, () => JSON.stringify(schema, null, 2));
      }),
    );
}

interface RecoverFlags {
  readonly host?: string;
  readonly list?: boolean;
  readonly output?: string;
  readonly identity?: readonly string[];
}

function recoverCommand(context: CommandContext): Command {
  return newCommand('recover')
    .description('the configuration of a lost machine, as `keepConfig` has kept it beside its backups')
    .argument('<destination>', 'a destination of the config, or a folder that holds backups')
    .option('--host <name>', 'of this machine, where several keep theirs there')
    .option('--list', 'only tell what is kept there')
    .option('-o, --output <path>', 'new file, readable by you alone; without it: stdout')
    .option('--identity <file>', 'key file to decrypt it (repeatable)', collect)
    .addHelpText('after', recoverExamples)
    .action(
      runAction<RecoverFlags>(context, async ({ args: [place = ''], options }, output) => {
        const { openRuntime } = await import('../open-runtime.ts');
        const { keptConfigs, chooseKept } = await import('../../operation/config-copy/recover-config.ts');
        const needs = { config: 'optional', state: false, identity: options.identity } as const;
        const runtime = await openRuntime(context.app, options, output, needs);
        const kept = await keptConfigs(place, runtime);
        if (options.list) return listKept(kept, output);
        await recover(chooseKept(kept, place, options.host), options.output, runtime, output);
        return undefined;
      }),
    );
}

const recoverExamples = `
Examples:
  $ dbbackup config recover /mnt/usb/backups --list
  $ dbbackup config recover /mnt/usb/backups -o dbbackup.yaml --identity restore.agekey
  $ dbbackup config recover offsite --host db1`;

function listKept(kept: readonly KeptConfig[], output: Output): undefined {
  const about = kept.map(({ host, keptAt, key, extension }) => ({ host, keptAt, key, encrypted: extension !== '' }));
  output.result({ kept: about }, () => {
    if (kept.length === 0) return 'no configuration is kept there';
    const rows = kept.map(({ host, keptAt, extension, key }) => [
      host,
      formatTime(keptAt),
      extension === '' ? '-' : extension.slice(1),
      key,
    ]);
    return formatTable(['HOST', 'KEPT', 'ENCRYPTED', 'KEY'], rows);
  });
}

async function recover(kept: KeptConfig, path: string | undefined, runtime: Runtime, output: Output): Promise<void> {
  const { readKept } = await import('../../operation/config-copy/recover-config.ts');
  const { hiddenPlaces } = await import('../../config/hidden-places.ts');
  const text = await readKept(kept, runtime);
  const hidden = hiddenPlaces(text);
  const file = path === undefined ? undefined : resolve(runtime.workingFolder, path);
  if (file !== undefined) {
    const { writeNewFile } = await import('../../operation/restore/write-file.ts');
    await writeNewFile(Readable.from([Buffer.from(text)], { objectMode: false }), file, runtime.signal);
  }
  const { host, keptAt, key } = kept;
  const wrote = `${output.color.green('✓')} the configuration of ${host}, kept ${formatTime(keptAt)}, is in ${file}`;
  output.result({ host, keptAt, key, path: file, hidden, config: text }, () => (file ? wrote : text.trimEnd()));
  if (hidden.length > 0) output.say(`*** stands for a secret at ${hidden.join(', ')}`);
  output.say(
    'Read it before you use it: hooks and commands in it are run. `dbbackup check` then says what is missing.',
  );
}

async function read(app: App, options: GlobalOptions): Promise<ConfigReading> {
  const { readConfig } = await import('../../config/load.ts');
  return readConfig({ named: options.config, cwd: app.workingFolder, env: app.env, catalog: await app.loadCatalog() });
}
