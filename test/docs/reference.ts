/** The part of the README that is made from the program itself: commands with their options, keys of the config. */
import type { Argument, Command, Option } from 'commander';
import { z } from 'zod';
import { fileSchema, jobSchema } from '../../src/config/schema.ts';
import { encryptionTypes } from '../../src/crypto/all.ts';
import { destinationTypes } from '../../src/destination/all.ts';
import { notificationTypes } from '../../src/notification/all.ts';
import { sourceTypes } from '../../src/source/all.ts';
import { allCommands, isGroup, pathOf } from './real-program.ts';

export const begin = '<!-- From here to the next mark: made by `npm run docs` from the program. -->\n';
export const end = '<!-- Made by `npm run docs` up to here. -->\n';

export function reference(program: Command): string {
  const commands = allCommands(program).filter((command) => command !== program && !isGroup(command));
  return `${begin}
<details>
<summary>Every command with its options</summary>

Each of them also takes ${optionsOf(commands[0], true).map(flagsOf).join(', ')}.

${commands.map(commandPart).join('\n')}
</details>

<details>
<summary>Every key of the config</summary>

${keysPart()}
</details>

${end}`;
}

function commandPart(command: Command): string {
  const usage = [pathOf(command), ...command.registeredArguments.map(argumentName)].join(' ');
  const rows = [
    ...command.registeredArguments.map(
      (each) => `| \`${argumentName(each)}\` | ${cell(each.description + choicesOf(each))} |`,
    ),
    ...optionsOf(command, false).map((each) => `| ${flagsOf(each)} | ${cell(describe(each))} |`),
  ];
  const table = rows.length === 0 ? '' : `\n| | |\n|---|---|\n${rows.join('\n')}\n`;
  return `**\`dbbackup ${usage}\`**: ${command.description()}\n${table}`;
}

/** Those of every command, or the command's own. */
function optionsOf(command: Command | undefined, global: boolean): readonly Option[] {
  return (command?.options ?? []).filter((each) => !each.hidden && isGlobal(each) === global);
}

function isGlobal({ long }: Option): boolean {
  return ['--config', '--json', '--quiet', '--debug'].includes(long ?? '');
}

function argumentName(argument: Argument): string {
  const text = `${argument.name()}${argument.variadic ? '...' : ''}`;
  return argument.required ? `<${text}>` : `[${text}]`;
}

function flagsOf({ flags }: Option): string {
  return `\`${flags}\``;
}

function describe(option: Option): string {
  const { description, defaultValue } = option;
  const usual = defaultValue === undefined || typeof defaultValue === 'boolean' ? '' : `; default ${defaultValue}`;
  return description + choicesOf(option) + usual;
}

function choicesOf({ argChoices }: Argument | Option): string {
  return argChoices ? `; one of ${argChoices.join(', ')}` : '';
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replace(/\s+/g, ' ').replace(/</g, '&lt;');
}

function keysPart(): string {
  const sections = {
    sources: sourceTypes,
    destinations: destinationTypes,
    encryption: encryptionTypes,
    notifications: notificationTypes,
  };
  const rows = Object.entries(sections).flatMap(([section, types]) =>
    types.map(({ type, options }) => `| \`${section}\` | \`${type}\` | ${listed(keysOf(options))} |`),
  );
  return `| section | type | keys |
|---|---|---|
| the file | | ${listed(keysOf(fileSchema))} |
| \`jobs\` | | ${listed(keysOf(jobSchema()))} |
${rows.join('\n')}

Every destination also has \`limit\`. [\`config.example.yaml\`](config.example.yaml) explains each key.`;
}

function listed(keys: readonly string[]): string {
  return keys.map((key) => `\`${key}\``).join(', ');
}

/** Keys of an object, or of any of several that it may be. */
export function keysOf(schema: z.ZodType): readonly string[] {
  const keys = (node: unknown): readonly string[] => {
    if (typeof node !== 'object' || node === null) return [];
    const { properties = {}, anyOf = [], oneOf = [], allOf = [] } = node as Record<string, never[] | object>;
    return [...Object.keys(properties), ...[anyOf, oneOf, allOf].flatMap((each) => (each as unknown[]).flatMap(keys))];
  };
  return [...new Set(keys(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })))];
}
