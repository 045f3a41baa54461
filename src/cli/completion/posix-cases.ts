/** The lines of `case` in which bash and zsh agree: kinds of values, a list of choices as `=a b c`. */
import type { CompletionNode, ValueKind } from './tree.ts';

/** For `case "<path> <option>"`. */
export function valueCases(tree: readonly CompletionNode[]): string {
  const lines = tree.flatMap(({ path, options }) =>
    options.flatMap(({ names, value }) => {
      const patterns = names.map((name) => `'${path} ${name}'`).join(' | ');
      return value === undefined ? [] : [`    ${patterns}) echo '${coded(value)}' ;;`];
    }),
  );
  return lines.join('\n');
}

/** For `case "<path> <place>"`, places counted from 0. */
export function placeCases(tree: readonly CompletionNode[]): string {
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
