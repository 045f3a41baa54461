/**
 * What the `sqlite3` program is told on its stdin. Before `.dump` come comment lines for `SqlHeaderReader`, and the
 * settings that `.dump` forgets; they work only before the first table is made, so they stand first.
 */

export const headerPrefix = '-- dbbackup ';

const settings = ['page_size', 'encoding', 'auto_vacuum', 'application_id', 'user_version'] as const;

/** SQL for "a double-quoted identifier", as text in SQL. */
const quoted = (column: string) => `'"' || replace(${column}, '"', '""') || '"'`;

/**
 * Says nothing, but loses: text behind its first NUL, and (seen in 3.40) some numbers below 1e-280, whose 20 digits are
 * read back as another number. `%!.20g` is what `.dump` writes.
 */
const isLost = (column: string) =>
  `'(typeof(' || ${column} || ')=''text'' AND instr(' || ${column} || ',char(0)) OR typeof(' || ${column} || ')=''real'''
   || ' AND ' || ${column} || '<9e999 AND ' || ${column} || '>-9e999 AND CAST(format(''%!.20g'',' || ${column} || ') AS REAL)<>' || ${column} || ')'`;

const lostRows = `(SELECT 'ifnull(sum(' || group_concat(${isLost(quoted('c.name'))}, ' OR ') || '),0)' FROM pragma_table_info(t.name) AS c)`;

/** The shell of 3.50 and later does not print such names as they are, so they cannot be asked about. */
const printable = `t.name NOT GLOB '*[' || char(1) || '-' || char(8) || char(11) || '-' || char(31) || char(127) || ']*'`;

/** One line of SQL per table, which when it is run prints that table's header line. */
const linesOfTables = (
  lost: string,
) => `SELECT 'SELECT ''${headerPrefix}{"table":'' || json_quote(' || quote(t.name) || ') || '''
  || CASE t.type WHEN 'table' THEN ',"rows":'' || count(*) || ''' WHEN 'virtual' THEN ',"rows":null' ELSE '' END
  || ${lost}
  || '}''' || CASE t.type WHEN 'virtual' THEN '' ELSE ' FROM main.' || ${quoted('t.name')} END || ';'
  FROM pragma_table_list AS t
  WHERE t.schema = 'main' AND t.type IN ('table', 'shadow', 'virtual') AND substr(t.name, 1, 7) <> 'sqlite_' AND ${printable};`;

const tableLines = linesOfTables(
  `CASE t.type WHEN 'virtual' THEN '' ELSE ',"lost":'' || ' || ${lostRows} || ' || ''' END`,
);

const propertyLine = `SELECT '${headerPrefix}{"properties":' || json_object(${settings.map((name) => `'${name}', ${name}`).join(', ')}) || '}'
  FROM ${settings.map((name) => `pragma_${name}`).join(', ')};`;

const settingLines = settings.map((name) => `SELECT 'PRAGMA ${name} = ' || quote(${name}) || ';' FROM pragma_${name};`);

/** `.dump` fills these tables and lets ANALYZE make them, which only a `sqlite3` built with STAT4 does. */
const statisticsLines = `SELECT 'PRAGMA writable_schema = ON; CREATE TABLE IF NOT EXISTS ' || substr(sql, 14) || '; PRAGMA writable_schema = OFF;'
  FROM sqlite_schema WHERE type = 'table' AND name GLOB 'sqlite_stat[2-4]';`;

/** Errors in SQL and unknown dot-commands end the program with code 1; those inside `.dump` change its trailer. */
const begin = (busyTimeoutMs: number) => ['.bail on', `.timeout ${busyTimeoutMs}`, 'BEGIN;'];

// Without their rowids, rows would no longer match an FTS index that refers to them.
const dump = [...settingLines, statisticsLines, '.dump --preserve-rowids', ''];

/** The list of tables goes through a file in the program's working folder. */
const listed = (list: string) => ['.once tables.sql', list, '.read tables.sql'];

export function sqlDumpScript(busyTimeoutMs: number): string {
  return [...begin(busyTimeoutMs), propertyLine, ...listed(tableLines), ...dump].join('\n');
}

/** The last line of a list that is whole; a comment, as it becomes part of a script. */
export const listingEnd = '-- end\n';

/** Where there is no such folder: prints the schema's version, the lines for `remoteDumpScript`, and `listingEnd`. */
export function listingScript(busyTimeoutMs: number): string {
  const end = `SELECT '${listingEnd.trim()}';`;
  return [...begin(busyTimeoutMs), 'PRAGMA schema_version;', tableLines, end, ''].join('\n');
}

export function remoteDumpScript(busyTimeoutMs: number, lines: string): string {
  const schema = `SELECT '${headerPrefix}{"schema":' || schema_version || '}' FROM pragma_schema_version;`;
  return [...begin(busyTimeoutMs), schema, propertyLine, lines, ...dump].join('\n');
}

/** Makes `copy.sqlite`: within a read transaction, so that foreign writers do not make it start anew. */
export function copyingScript(busyTimeoutMs: number): string {
  return [...begin(busyTimeoutMs), 'SELECT count(*) FROM sqlite_schema;', '.backup main copy.sqlite', ''].join('\n');
}

/** Run in a copy: what is wrong with it, and what is in it. */
export const aboutCopyScript = [
  '.bail on',
  `SELECT '${headerPrefix}' || json_object('problem', integrity_check) FROM pragma_integrity_check(3) WHERE integrity_check <> 'ok';`,
  propertyLine,
  ...listed(linesOfTables("''")),
  `SELECT '${headerPrefix}{"end":true}';`,
  '',
].join('\n');
