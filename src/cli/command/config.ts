import type { Command } from 'commander';
import type { ConfigReading } from '../../config/load.ts';
import { DbBackupError } from '../../errors.ts';
import type { App, GlobalOptions } from '../app.ts';
import { type CommandContext, newCommand, runAction } from '../command.ts';

export function configCommand(context: CommandContext): Command {
  return newCommand('config')
    .description('check, show or describe the configuration')
    .addCommand(validateCommand(context))
    .addCommand(showCommand(context))
    .addCommand(schemaCommand(context));
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
          if (output.json) output.event({ file, valid: false, problems });
          throw new DbBackupError(
            'CONFIG_INVALID',
            [`${file} has ${problems.length} problem(s):`, ...lines].join('\n'),
          );
        }
        const counts = { sources: config.sources.size, destinations: config.destinations.size, jobs: config.jobs.size };
        output.result({ file, valid: true, ...counts }, () => {
          const parts = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
          return `${output.color.green('✓')} ${file}: ${parts.join(', ')}`;
        });
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

async function read(app: App, options: GlobalOptions): Promise<ConfigReading> {
  const { readConfig } = await import('../../config/load.ts');
  return readConfig({ named: options.config, cwd: app.workingFolder, env: app.env, catalog: await app.loadCatalog() });
}
