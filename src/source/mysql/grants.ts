/** What `SHOW GRANTS` says: which rights a user has on a database. Roles that are not active are not in it. */
export interface Grants {
  /** True also when the grants could not be read at all: then the server itself will say no. */
  may(right: string, database: string): boolean;
}

interface Grant {
  readonly rights: ReadonlySet<string>;
  readonly on: string;
}

export function readGrants(lines: readonly string[]): Grants {
  const grants = lines.map(parse).filter((grant) => grant !== undefined);
  return {
    may: (right, database) =>
      grants.length === 0 ||
      grants.some(({ rights, on }) => {
        return matches(on, database) && (rights.has(right) || rights.has('ALL PRIVILEGES'));
      }),
  };
}

/** Grants on single tables or columns are left out: they never suffice for a whole database. */
function parse(line: string): Grant | undefined {
  const [, rights, on] = /^GRANT (.+?) ON (\*|`(?:[^`]|``)*`|"(?:[^"]|"")*"|[^\s.]+)\.\* TO /.exec(line) ?? [];
  if (rights === undefined || on === undefined) return undefined;
  const bare = /^[`"]/.test(on) ? on.slice(1, -1).replaceAll('``', '`') : on;
  return { rights: new Set(rights.split(',').map((right) => right.trim().toUpperCase())), on: bare };
}

/** A grant's database is a LIKE pattern: `shop\_%`. */
function matches(pattern: string, database: string): boolean {
  if (pattern === '*') return true;
  const source = pattern.replace(/\\?[\s\S]/gu, (letter) => {
    if (letter === '%') return '[\\s\\S]*';
    if (letter === '_') return '[\\s\\S]';
    return letter.replace(/^\\(?=[%_\\])/, '').replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
  });
  return new RegExp(`^${source}$`, 'u').test(database);
}
