/** The tables that the dump tools' own statements name. Each takes the statement's beginning. */

const name = '(`(?:[^`]|``)*`)';
const created = new RegExp(`^CREATE TABLE (?:IF NOT EXISTS )?${name}`);
const filled = new RegExp(`^LOCK TABLES ${name} WRITE`);
const inserted = new RegExp(
  `^(?:INSERT|REPLACE)\\s+(?:IGNORE\\s+)?INTO\\s+(?:\`(?:[^\`]|\`\`)*\`\\.)?(?:${name}|([^\\s\`(]+))`,
);

export function createdTable(head: string): string | undefined {
  return bare(created.exec(head)?.[1]);
}

/** Its rows come next, if it has any. */
export function filledTable(head: string): string | undefined {
  return bare(filled.exec(head)?.[1]);
}

export function insertedTable(head: string): string | undefined {
  const [, quoted, plain] = inserted.exec(head) ?? [];
  return bare(quoted) ?? plain;
}

function bare(identifier: string | undefined): string | undefined {
  return identifier?.slice(1, -1).replaceAll('``', '`');
}
