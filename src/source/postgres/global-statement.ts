import { DbBackupError } from '../../errors.ts';

/** One statement of `pg_dumpall --globals-only`. */
export interface GlobalStatement {
  readonly kind: 'role' | 'tablespace';
  /** The roles or the tablespace that it is about. */
  readonly names: readonly string[];
  /** With its semicolon. */
  readonly text: string;
}

/** Comments, strings with and without escapes, identifiers, the semicolon, and what lies between (psqlscan.l). */
const token = /--[^\n]*|E'(?:[^'\\]|''|\\.)*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|;|[^;'"E-]+|./gs;
/** From 15.14, 16.10 and 17.6 on a script is fenced; a string has no bare backslash at the beginning of a line. */
const fence = /^\\(un)?restrict .*$/gm;

const name = String.raw`("(?:[^"]|"")*"|[^\s";,]+)`;
/** What is run, and whom it is about. */
const known: readonly (readonly [kind: GlobalStatement['kind'], pattern: RegExp])[] = [
  ['role', new RegExp(`^CREATE ROLE ${name};`)],
  ['role', new RegExp(`^ALTER ROLE ${name} (?:WITH|SET) `)],
  ['role', new RegExp(`^COMMENT ON ROLE ${name} IS `)],
  ['role', new RegExp(`^SECURITY LABEL FOR ${name} ON ROLE ${name} IS `)],
  ['role', new RegExp(`^GRANT (?:SET|ALTER SYSTEM|ALL|SET, ?ALTER SYSTEM) ON PARAMETER ${name} TO ${name}`)],
  ['role', new RegExp(`^GRANT ${name} TO ${name}(?: WITH | GRANTED |;)`)],
  ['tablespace', new RegExp(`^CREATE TABLESPACE ${name} OWNER `)],
  ['tablespace', new RegExp(`^ALTER TABLESPACE ${name} SET `)],
  ['tablespace', new RegExp(`^COMMENT ON TABLESPACE ${name} IS `)],
  ['tablespace', new RegExp(`^(?:GRANT|REVOKE) [A-Z, ]+ ON TABLESPACE ${name} (?:TO|FROM) `)],
  ['tablespace', new RegExp(`^SECURITY LABEL FOR ${name} ON TABLESPACE ${name} IS `)],
];
/** The first name of these is no role and no tablespace. */
const aboutTheSecond = /^(SECURITY LABEL|GRANT [A-Z, ]+ ON PARAMETER) /;
/** The script's own surroundings. */
const settings = /^SET (default_transaction_read_only|client_encoding|standard_conforming_strings) /;

/** Throws TARGET_FAILED for a statement that is none of those. */
export function readGlobals(script: string): readonly GlobalStatement[] {
  return statementsOf(script.replace(fence, '')).flatMap((text) => {
    if (settings.test(text)) return [];
    for (const [kind, pattern] of known) {
      const names = pattern.exec(text)?.slice(1).map(plain);
      if (names !== undefined) return [{ kind, text, names: aboutTheSecond.test(text) ? names.slice(1) : names }];
    }
    throw new DbBackupError(
      'TARGET_FAILED',
      `roles and tablespaces: this statement is not known: ${text.slice(0, 80)}`,
      {
        hint: 'Nothing was changed. Restore without roles and tablespaces (--no-globals), or to a file (--output), and run what you want of it yourself.',
      },
    );
  });
}

function statementsOf(script: string): readonly string[] {
  const found: string[] = [];
  let text = '';
  for (const [piece] of script.matchAll(token)) {
    if (piece.startsWith('--')) continue;
    text += piece;
    if (piece !== ';') continue;
    found.push(text.trim());
    text = '';
  }
  if (text.trim() !== '') found.push(text.trim());
  return found;
}

function plain(identifier: string): string {
  return identifier.startsWith('"') ? identifier.slice(1, -1).replaceAll('""', '"') : identifier;
}
