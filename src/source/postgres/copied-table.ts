const copyStatement = /^COPY (?:((?:"(?:[^"]|"")*"|[^".\s(])+)\.)?((?:"(?:[^"]|"")*"|[^".\s(])+)[\s\S]* FROM stdin$/;

/** `public.book`, names as the catalogue has them; undefined when the statement (in latin1) is no COPY of rows that follow. */
export function copiedTable(statement: string): string | undefined {
  const copy = statement.startsWith('COPY ') ? copyStatement.exec(statement) : null;
  if (copy === null) return undefined;
  return [copy[1], copy[2]]
    .filter((part) => part !== undefined)
    .map(unquote)
    .join('.');
}

function unquote(identifier: string): string {
  const name = identifier.startsWith('"') ? identifier.slice(1, -1).replaceAll('""', '"') : identifier;
  return Buffer.from(name, 'latin1').toString('utf8');
}
