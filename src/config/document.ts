/**
 * The config file as text: YAML 1.2 core (JSON is part of it). Duplicate keys, tags, several documents, alias bombs are
 * refused. Knows the line of every path. Messages never quote the file: the wrong line may hold a password.
 */
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { messageOf } from '../errors.ts';
import type { Problem } from './problem.ts';
import type { Path } from './walk-strings.ts';

export interface ConfigDocument {
  readonly raw: unknown;
  readonly problems: readonly Problem[];
  /** Line (from 1) of the key or item at `path`, or of its nearest parent in the file. */
  lineOf(path: Path): number | undefined;
}

export function parseConfigDocument(text: string): ConfigDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    stringKeys: true,
    uniqueKeys: true,
    prettyErrors: false,
    logLevel: 'error',
    lineCounter: lines,
  });
  const problems = [...document.errors, ...document.warnings].map(({ code, pos }): Problem => {
    const { line, col } = lines.linePos(pos[0]);
    return { path: '', line, message: `${reasons[code] ?? 'not valid YAML'} (column ${col})` };
  });
  const lineOf = (path: Path) => lineAt(document, lines, path);
  if (problems.length > 0) return { raw: undefined, problems, lineOf };
  try {
    return { raw: document.toJS({ maxAliasCount: 100 }), problems: [], lineOf };
  } catch (error) {
    const message = /alias count/i.test(messageOf(error)) ? 'too many aliases' : 'an alias without its anchor';
    return { raw: undefined, problems: [{ path: '', message }], lineOf };
  }
}

/** What yaml's own messages say, without their quotes from the file. */
const reasons: Readonly<Partial<Record<string, string>>> = {
  BAD_ALIAS: 'an alias (*name) that names nothing; quote a value that begins with "*"',
  BAD_DQ_ESCAPE: 'an escape that YAML does not know; use single quotes for a value with backslashes',
  BAD_INDENT: 'wrong indentation',
  BAD_SCALAR_START: 'a value that begins with a reserved character; put it into quotes',
  BLOCK_AS_IMPLICIT_KEY: 'two ": " in one line, or wrong indentation; put the value into quotes',
  DUPLICATE_KEY: 'this key stands here twice',
  MISSING_CHAR: 'a character is missing: a closing quote or bracket, a colon or a comma',
  MULTILINE_IMPLICIT_KEY: 'a key without its ":", or a value with wrong indentation',
  MULTIPLE_DOCS: 'a second document ("---"); a configuration is one',
  NON_STRING_KEY: 'a key that is not text',
  TAB_AS_INDENT: 'a tab in the indentation; use spaces',
  TAG_RESOLVE_FAILED: 'a tag (!name); quote a value that begins with "!"',
  UNEXPECTED_TOKEN: 'not expected here; a quote, bracket or indentation is wrong',
};

function lineAt(document: Document, lines: LineCounter, path: Path): number | undefined {
  let node = resolved(document.contents, document);
  let offset = node?.range?.[0];
  for (const key of path) {
    const next = child(node, key);
    if (next === undefined) break;
    offset = next.offset ?? offset;
    node = resolved(next.node, document);
  }
  return offset === undefined ? undefined : lines.linePos(offset).line;
}

function child(node: Node | undefined, key: PropertyKey): { node: unknown; offset?: number } | undefined {
  if (isSeq(node)) {
    const item = node.items[Number(key)] as Node | undefined;
    return item === undefined ? undefined : { node: item, offset: item.range?.[0] };
  }
  const pair = isMap(node)
    ? node.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === key)
    : undefined;
  return pair === undefined ? undefined : { node: pair.value, offset: (pair.key as Node).range?.[0] };
}

function resolved(node: unknown, document: Document): Node | undefined {
  if (isAlias(node)) return node.resolve(document);
  return (node ?? undefined) as Node | undefined;
}
