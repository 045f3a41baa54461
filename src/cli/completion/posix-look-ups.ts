/** The functions in which bash and zsh agree: they echo kinds of values, a list of choices as `=a b c`. */
import type { CompletionNode, ValueKind } from './tree.ts';

export function lookUps(tree: readonly CompletionNode[]): string {
  return `# What stands behind an option; nothing for a mere switch.
_dbbackup_value() {
  case "$1 $2" in
${valueCases(tree)}
  esac
}

# What stands at a place, counted from 0.
_dbbackup_place() {
  case "$1 $2" in
${placeCases(tree)}
  esac
}`;
}

/** For `case "<path> <option>"`. */
function valueCases(tree: readonly CompletionNode[]): string {
  const lines = tree.flatMap(({ path, options }) =>
    options.flatMap(({ names, value }) => {
      const patterns = names.map((name) => `'${path} ${name}'`).join(' | ');
      return value === undefined ? [] : [`    ${patterns}) echo '${coded(value)}' ;;`];
    }),
  );
  return lines.join('\n');
}

/** For `case "<path> <place>"`, places counted from 0. */
function placeCases(tree: readonly CompletionNode[]): string {
  const lines = tree.flatMap(({ path, positions, variadic }) =>
    positions.map((kind, index) => {
      const isLast = index === positions.length - 1;
      return `    '${path} '${isLast && variadic ? '*' : index}) echo '${coded(kind)}' ;;`;
    }),
  );
  return lines.join('\n');
}

function coded(kind: ValueKind): string {
  return typeof kind === 'string' ? kind : `=${kind.join(' ')}`;
}
