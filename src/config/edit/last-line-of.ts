import { isCollection, isMap, isNode, isSeq, type YAMLMap } from 'yaml';

/**
 * Offset after the last line of a block map: of its last value, and of the comments below that are indented at least
 * as far as its keys (`# schedule: …` belongs to the entry above it, `# --- next section` at the margin does not).
 */
export function lastLineOf(text: string, map: YAMLMap, indent: number): number {
  const end = endOf(map);
  // The value of a block scalar (`|`) takes its line end with it.
  let at = text[end - 1] === '\n' ? end : afterLine(text, end);
  for (let next = at; next < text.length; ) {
    const following = afterLine(text, next);
    const line = text.slice(next, following);
    const comment = /^([ \t]*)#/.exec(line);
    if (comment !== null && (comment[1]?.length ?? 0) >= indent && indent > 0) at = following;
    else if (line.trim() !== '') break;
    next = following;
  }
  return at;
}

/** Where the deepest last value ends. The range of a block collection reaches too far: over comments and empty lines. */
function endOf(node: unknown): number {
  if (isCollection(node) && !node.flow && node.items.length > 0) {
    if (isSeq(node)) return endOf(node.items.at(-1));
    const last = isMap(node) ? node.items.at(-1) : undefined;
    if (last !== undefined) return isNode(last.value) && last.value.range ? endOf(last.value) : endOf(last.key);
  }
  return isNode(node) ? (node.range?.[1] ?? 0) : 0;
}

/** Offset of the next line. */
function afterLine(text: string, offset: number): number {
  const end = text.indexOf('\n', offset);
  return end === -1 ? text.length : end + 1;
}
