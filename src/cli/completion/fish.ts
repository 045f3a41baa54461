/** Completion for fish 3. */
import type { CompletionNode, CompletionOption, ValueKind } from './tree.ts';

export function fishCompletion(tree: readonly CompletionNode[]): string {
  return `# Completion of dbbackup for fish: save it as ~/.config/fish/completions/dbbackup.fish.
# The command that was typed so far: "config show".
function __dbbackup_route
    set -l route ''
    set -l expected no
    for word in (commandline -opc)[2..-1]
        if test $expected = yes
            set expected no
            continue
        end
        switch "$route:$word"
${tree.flatMap(routeCases).join('\n')}
        end
    end
    echo $route
end

function __dbbackup_at
    test (__dbbackup_route) = "$argv[1]"
end

function __dbbackup_names
    set -l words (commandline -opc)
    set -l at (contains -i -- --config $words; or contains -i -- -c $words)
    if test -n "$at"; and test (count $words) -gt $at
        dbbackup __names $argv[1] --config $words[(math $at + 1)] 2>/dev/null
    else
        dbbackup __names $argv[1] 2>/dev/null
    end
end

complete -c dbbackup -e
complete -c dbbackup -f
${tree.flatMap(lines).join('\n')}
`;
}

function routeCases({ path, commands, options }: CompletionNode): string[] {
  const taking = options.filter(({ value }) => value !== undefined).flatMap(({ names }) => names);
  return [
    ...commands.map(({ name }) => {
      const route = `${path} ${name}`.trim();
      return `            case '${path}:${name}'\n                set route '${route}'`;
    }),
    ...(taking.length > 0
      ? [`            case ${taking.map((name) => `'${path}:${name}'`).join(' ')}\n                set expected yes`]
      : []),
  ];
}

function lines(node: CompletionNode): string[] {
  const at = `complete -c dbbackup -n ${quoted(`__dbbackup_at ${quoted(node.path)}`)}`;
  return [
    ...node.commands.map(({ name, description }) => `${at} -a ${name} -d ${quoted(description)}`),
    ...node.positions.map((kind) => `${at} ${argumentsFor(kind)}`.trim()).filter((line) => line !== at),
    ...node.options.map((option) => `${at} ${switches(option)} -d ${quoted(option.description)}`),
  ];
}

function switches({ names, value }: CompletionOption): string {
  const flags = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`)).join(' ');
  if (value === undefined) return flags;
  if (value === 'files') return `${flags} -r -F`;
  return value === 'targets' || value === 'backups'
    ? `${flags} -r ${argumentsFor(value)}`
    : `${flags} -x ${argumentsFor(value)}`.trim();
}

function argumentsFor(kind: ValueKind): string {
  if (typeof kind !== 'string') return `-a ${quoted(kind.join(' '))}`;
  if (kind === 'text') return '';
  if (kind === 'files') return '-F';
  if (kind === 'folders') return `-a ${quoted('(__fish_complete_directories)')}`;
  if (kind === 'backups') return `-F -a ${quoted('(__dbbackup_names jobs)@latest')}`;
  if (kind === 'targets') return `-F -a ${quoted('(__dbbackup_names sources)')}`;
  return `-a ${quoted(`(__dbbackup_names ${kind})`)}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
