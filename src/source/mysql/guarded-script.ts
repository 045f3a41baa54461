/**
 * What stands between a verified dump and the client that loads it. Takes the script apart into statements, refuses those
 * that lead out of the target, leaves out those that are not wanted, and takes the name of the dumped database out of
 * those that the tools write with it, so that the script can be loaded under any name. Lines stay lines, for messages.
 */
import { Transform } from 'node:stream';
import { DbBackupError } from '../../errors.ts';
import { attempt } from '../attempt.ts';
import { highWaterMark } from './end-of-dump.ts';
import { nameLine } from './header-insertion.ts';
import { ScriptScanner } from './script-scanner.ts';
import type { Piece } from './statement-reader.ts';

export interface ScriptChoice {
  /** Rows alone, or all but rows. */
  readonly dataOnly: boolean;
  readonly schemaOnly: boolean;
  /** Empty = all. */
  readonly tables: readonly string[];
  /** Events would fire while the database is still being built. */
  readonly withholdEvents: boolean;
  /** Called with each statement that is not about tables and their rows: views, triggers, routines, events, settings. */
  readonly onObject?: (statement: Buffer) => void;
}

/** How many of the last statements are remembered, to show the one that failed. */
const remembered = 5000;
const shownLength = 120;
/** The header of a dump is shorter. */
const headerLines = 60;
const headLength = 700;
const lineFeed = 0x0a;
const blank = 0x20;

const sandboxLine = Buffer.from('/*M!999999\\-');
const leading = /^(?:\/\*!\d+ )?(?:USE\s|(?:CREATE|DROP) (?:DATABASE|SCHEMA)\b)/i;
const ofTable =
  /^(?:\/\*!\d+ )?(DROP TABLE IF EXISTS|CREATE TABLE(?: IF NOT EXISTS)?|LOCK TABLES|ALTER TABLE|INSERT\s+(?:IGNORE\s+)?INTO|REPLACE\s+INTO) (`(?:[^`]|``)*`)/i;
const aboutTables = /^(?:UNLOCK TABLES|COMMIT|(?:DROP|CREATE) SEQUENCE|DO SETVAL|SELECT SETVAL)\b/i;
const setting = /^(?:\/\*M?!\d+ )?SET\b/i;
const event = /^\/\*!50106 CREATE/;
const view = /^\/\*!50001 CREATE ALGORITHM/;
const trigger = /^\/\*!50003 CREATE\*\/ (?:\/\*!50017 [\s\S]*?\*\/ )?\/\*!50003 TRIGGER\s/i;
const ownCharset = /^ALTER DATABASE (`(?:[^`]|``)*`) CHARACTER SET/;

export class GuardedScript extends Transform {
  readonly #choice: ScriptChoice;
  readonly #scanner = new ScriptScanner({
    piece: (piece) => this.#piece(piece),
    rows: (bytes) => {
      if (this.#wanted) this.push(bytes);
    },
  });
  #wanted = true;
  /** The dumped database, quoted, as the header's comment has it. */
  #database: Buffer | undefined;
  readonly #statements: { readonly line: number; readonly shown: string }[] = [];
  readonly #found = new Set<string>();

  constructor(choice: ScriptChoice) {
    super({ readableHighWaterMark: highWaterMark, writableHighWaterMark: highWaterMark });
    this.#choice = choice;
  }

  /** The beginning of the statement on a line, or the last one before it. */
  statementAt(line: number): string | undefined {
    return this.#statements.findLast((each) => each.line <= line)?.shown;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    attempt(done, () => this.#scanner.push(chunk));
  }

  override _flush(done: (error?: Error | null) => void): void {
    attempt(done, () => {
      this.#scanner.finish();
      const missing = this.#choice.tables.find((table) => !this.#found.has(table));
      if (missing !== undefined) throw noTable(missing);
    });
  }

  #piece({ text, begin, line }: Piece): void {
    const head = text.toString('utf8', begin, begin + headLength);
    if (line <= headerLines) this.#database = databaseOf(text) ?? this.#database;
    if (leading.test(head)) refuse(head);
    if (head !== '') this.#remember(line, head);
    const statement = this.#renamed(withoutSandbox(text), begin, head);
    const table = ofTable.exec(head);
    this.#wanted = this.#isWanted(head, table?.[1], table?.[2]);
    if (table === null && !aboutTables.test(head)) this.#choice.onObject?.(statement);
    this.push(this.#wanted ? statement : linesOf(statement));
  }

  #isWanted(head: string, action: string | undefined, quoted: string | undefined): boolean {
    const { dataOnly, schemaOnly, tables, withholdEvents } = this.#choice;
    if (withholdEvents && event.test(head)) return false;
    const isRows = action !== undefined && /^(INSERT|REPLACE|LOCK|ALTER)/i.test(action);
    if (schemaOnly && isRows) return false;
    if (dataOnly && !isRows && !setting.test(head) && !/^UNLOCK/.test(head)) return false;
    if (tables.length === 0 || head === '' || setting.test(head) || /^UNLOCK/.test(head)) return true;
    const name = quoted?.slice(1, -1).replaceAll('``', '`');
    if (name === undefined || !tables.includes(name)) return false;
    this.#found.add(name);
    return true;
  }

  #remember(line: number, head: string): void {
    const shown = head.replace(/\s+/g, ' ').trim();
    this.#statements.push({ line, shown: shown.length > shownLength ? `${shown.slice(0, shownLength)}…` : shown });
    if (this.#statements.length > 2 * remembered) this.#statements.splice(0, remembered);
  }

  /**
   * The tools qualify columns in views whose definer may not read them, name the database where its character set changes
   * around a routine, and leave triggers as they were once typed: `CREATE TRIGGER shop.t … ON shop.orders` would be made
   * in the database that was dumped.
   */
  #renamed(text: Buffer, begin: number, head: string): Buffer {
    const changed = ownCharset.exec(head)?.[1];
    if (changed !== undefined) {
      const start = begin + 'ALTER DATABASE '.length;
      return blanked(text, [[start, start + Buffer.byteLength(changed)]]);
    }
    if (this.#database === undefined) return text;
    if (view.test(head)) return blanked(text, qualifiers(text, this.#database));
    if (trigger.test(head)) return blanked(text, triggerQualifiers(text, begin, this.#database));
    return text;
  }
}

function noTable(table: string): DbBackupError {
  return new DbBackupError('TARGET_FAILED', `the backup holds no table ${table}`, {
    hint: '"dbbackup show" lists the tables; letter case counts.',
  });
}

/** Older clients and MySQL's fail at that line; ours is told to obey no commands in any case. */
function withoutSandbox(text: Buffer): Buffer {
  if (!text.subarray(0, sandboxLine.length).equals(sandboxLine)) return text;
  return blanked(text, [[0, text.indexOf(lineFeed)]]);
}

/** From our own line, or the tools' `-- Host: localhost    Database: shop`. */
function databaseOf(text: Buffer): Buffer | undefined {
  const head = text.toString('utf8', 0, 4096);
  const own = new RegExp(`^${nameLine}(".*")$`, 'm').exec(head)?.[1];
  const name = own === undefined ? /^-- Host: .*? {4}Database: (.*)$/m.exec(head)?.[1] : String(JSON.parse(own));
  return name === undefined ? undefined : Buffer.from(`\`${name.replaceAll('`', '``')}\``);
}

/** Where `database`. stands, outside of strings. */
function qualifiers(text: Buffer, database: Buffer): [number, number][] {
  const found: [number, number][] = [];
  const tokens = /'(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"\\]|\\[\s\S]|"")*"|`(?:[^`]|``)*`\.?/g;
  // One byte a letter, so that indexes are those of the bytes.
  const wanted = `${database.toString('latin1')}.`;
  for (const match of text.toString('latin1').matchAll(tokens)) {
    if (match[0] === wanted) found.push([match.index, match.index + wanted.length]);
  }
  return found;
}

/** The same between `TRIGGER` and `FOR EACH ROW`, quoted or not; what a trigger does is its author's own text. */
function triggerQualifiers(text: Buffer, begin: number, database: Buffer): [number, number][] {
  const all = text.toString('latin1');
  const start = begin + (trigger.exec(all.slice(begin))?.[0].length ?? 0);
  const header = all.slice(start, start + Math.max(0, all.slice(start).search(/FOR\s+EACH\s+ROW/i)));
  const wanted = database.toString('latin1');
  return [...header.matchAll(/(`(?:[^`]|``)*`|[^\s.`]+)\s*\.\s*/g)]
    .filter(([, name = '']) => (name.startsWith('`') ? name : `\`${name}\``) === wanted)
    .map((match) => [start + match.index, start + match.index + match[0].length]);
}

function blanked(text: Buffer, places: readonly (readonly [number, number])[]): Buffer {
  const copy = Buffer.from(text);
  for (const [start, end] of places) copy.fill(blank, start, end);
  return copy;
}

/** What is left out keeps its lines. */
function linesOf(text: Buffer): Buffer {
  return Buffer.from(text.filter((byte) => byte === lineFeed));
}

function refuse(head: string): never {
  const shown = head.split('\n')[0]?.slice(0, 80);
  throw new DbBackupError('TARGET_FAILED', `the script holds the statement "${shown}", which leads out of the target`, {
    hint: 'It was dumped with --databases, or by another tool. Restore it to a file (--output) and load that with the client yourself.',
  });
}
