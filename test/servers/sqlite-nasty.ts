/** A SQLite database with everything that copies and dumps get wrong, and a way to compare two of them. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { type Connection, Database } from '../../src/sqlite-library.ts';

/** Names are part of the test: quotes, a newline, an option, other scripts. */
const nastySql = String.raw`
PRAGMA page_size = 8192;
PRAGMA application_id = 1145192018;
PRAGMA user_version = 42;
CREATE TABLE "values"(id INTEGER PRIMARY KEY, words TEXT, bytes BLOB, wide REAL, whole INTEGER);
INSERT INTO "values" VALUES
  (1, CAST(x'61ff62fe' AS TEXT), x'00ff0a0d27', 0.1, 9223372036854775807),
  (2, '', x'', 1e-270, -9223372036854775808),
  (3, NULL, NULL, 9e999, 9007199254740993),
  (4, 'a' || char(10) || 'b' || char(13) || char(10) || 'c\n''"', zeroblob(20000), -9e999, 0),
  (5, '🐘 слон 象 ' || char(1) || char(27) || char(127), x'53514c', 123456789.123456789, 1),
  (6, 'COMMIT;' || char(10), CAST('COMMIT;' || char(10) AS BLOB), 2.2250738585072014e-250, -1),
  (7, '.quit' || char(10) || '.shell exit', 7, 'not a number', 'not whole');
CREATE TABLE "it's ""so""
--help"("co""l
umn" TEXT, long INTEGER GENERATED ALWAYS AS (length("co""l
umn")) STORED, one INTEGER AS (1) VIRTUAL);
INSERT INTO "it's ""so""
--help" VALUES ('один'), ('二');
CREATE TABLE gaps(word TEXT);
INSERT INTO gaps(rowid, word) VALUES (5, 'five'), (-7, 'minus seven'), (9223372036854775807, 'last');
CREATE TABLE keyed(k TEXT PRIMARY KEY, v) WITHOUT ROWID;
INSERT INTO keyed VALUES ('a', 1), ('b', x'ff');
CREATE TABLE counted(id INTEGER PRIMARY KEY AUTOINCREMENT, parent INTEGER REFERENCES counted(id));
INSERT INTO counted(parent) VALUES (NULL), (1), (2);
DELETE FROM counted WHERE id = 3;
CREATE TABLE typed(a INT NOT NULL, b ANY) STRICT;
INSERT INTO typed VALUES (1, '2');
CREATE TABLE empty(x);
CREATE VIRTUAL TABLE search USING fts5(body, tokenize = 'porter');
INSERT INTO search VALUES ('running foxes'), ('a slow turtle');
CREATE VIRTUAL TABLE outside USING fts5(word, content = 'gaps');
INSERT INTO outside(outside) VALUES ('rebuild');
CREATE VIRTUAL TABLE boxes USING rtree(id, left, right);
INSERT INTO boxes VALUES (1, 0, 1), (2, 5, 6);
CREATE INDEX partial ON "values"(words) WHERE whole > 0;
CREATE UNIQUE INDEX expressed ON keyed(upper(k));
CREATE VIEW seen AS SELECT id, words FROM "values";
CREATE TRIGGER counting AFTER INSERT ON counted BEGIN UPDATE keyed SET v = v + 1 WHERE k = 'a'; END;
ANALYZE;
`;

export const nastyRows: Readonly<Record<string, number | null>> = {
  values: 7,
  'it\'s "so"\n--help': 2,
  gaps: 3,
  keyed: 2,
  counted: 2,
  typed: 1,
  empty: 0,
  search: null,
  outside: null,
  boxes: null,
};

export function fillNasty(path: string, mode: 'wal' | 'delete' = 'delete'): void {
  const database = new Database(path);
  database.exec(nastySql);
  database.pragma(`journal_mode = ${mode}`);
  database.close();
}

/** `megabytes` of noise; in WAL mode, so that both modes are dumped and replaced. */
export function fillNoise(path: string, megabytes: number, mode: 'wal' | 'delete' = 'wal'): void {
  const database = new Database(path);
  database.pragma('page_size = 4096');
  database.pragma(`journal_mode = ${mode}`);
  database.exec('CREATE TABLE noise(id INTEGER PRIMARY KEY, bytes BLOB)');
  const insert = database.prepare('INSERT INTO noise(bytes) VALUES (?)');
  database.transaction(() => {
    for (let count = 0; count < megabytes; count++) insert.run(randomBytes(1024 * 1024));
  })();
  database.close();
}

const settings = ['page_size', 'encoding', 'auto_vacuum', 'application_id', 'user_version', 'integrity_check'];

/** Schema, settings and every row as SQLite's own literals, so that no value goes through a JavaScript one. */
export function fingerprintOf(path: string): unknown {
  if (!existsSync(path)) return undefined;
  const database = new Database(path, { readonly: true });
  try {
    const schema = database.prepare('SELECT type, name, sql FROM sqlite_schema ORDER BY type, name').all();
    const names = database
      .prepare(
        "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_stat%' ORDER BY name",
      )
      .pluck()
      .all() as string[];
    return {
      schema,
      settings: settings.map((name) => [name, database.pragma(name)]),
      rows: names.map((name) => [name, rowsOf(database, name)]),
    };
  } finally {
    database.close();
  }
}

function rowsOf(database: Connection, table: string): unknown[] {
  const columns = database
    .prepare('SELECT name FROM pragma_table_xinfo(?) WHERE hidden <> 1')
    .pluck()
    .all(table) as string[];
  const values = columns.map(
    (name) => `quote("${name.replaceAll('"', '""')}") || hex("${name.replaceAll('"', '""')}")`,
  );
  const rowid = database.prepare('SELECT type, wr FROM pragma_table_list(?)').get(table) as {
    type: string;
    wr: number;
  };
  const hasRowid = rowid.type === 'table' && rowid.wr === 0;
  const listed = [...(hasRowid ? ['_rowid_'] : []), ...values].join(" || ',' || ");
  return database
    .prepare(`SELECT ${listed || "''"} AS line FROM "${table.replaceAll('"', '""')}" ORDER BY line`)
    .pluck()
    .all();
}
