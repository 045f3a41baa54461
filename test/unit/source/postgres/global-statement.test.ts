import { describe, expect, test } from 'vitest';
import { readGlobals } from '../../../../src/source/postgres/global-statement.ts';

const script = String.raw`--
-- PostgreSQL database cluster dump; it's "one"
--

\restrict abc
SET default_transaction_read_only = off;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;

CREATE ROLE "a ""b""; 'c'";
ALTER ROLE "a ""b""; 'c'" WITH NOSUPERUSER LOGIN PASSWORD 'it''s; DROP ROLE x;';
COMMENT ON ROLE plain IS E'line\\; \'
\\restrict; it''s';
-- User Config "x; y"
ALTER ROLE plain SET search_path TO 'a', 'b; c';
GRANT plain TO "a ""b""; 'c'" WITH ADMIN OPTION GRANTED BY postgres;
GRANT plain TO x WITH INHERIT FALSE GRANTED BY "post gres";
GRANT SET ON PARAMETER work_mem TO plain;
SECURITY LABEL FOR selinux ON ROLE plain IS 'system_u:object_r';
CREATE TABLESPACE "fast; disk" OWNER plain LOCATION E'/x\\y';
ALTER TABLESPACE "fast; disk" SET (random_page_cost='1');
REVOKE ALL ON TABLESPACE "fast; disk" FROM plain;
GRANT CREATE ON TABLESPACE "fast; disk" TO PUBLIC;
\unrestrict abc

--
-- PostgreSQL database cluster dump complete
--

`;

describe('the statements of pg_dumpall --globals-only', () => {
  test('are taken apart and known by what they are about', () => {
    const odd = `a "b"; 'c'`;
    expect(readGlobals(script).map(({ kind, names }) => [kind, ...names])).toEqual([
      ['role', odd],
      ['role', odd],
      ['role', 'plain'],
      ['role', 'plain'],
      ['role', 'plain', odd],
      ['role', 'plain', 'x'],
      ['role', 'plain'],
      ['role', 'plain'],
      ['tablespace', 'fast; disk'],
      ['tablespace', 'fast; disk'],
      ['tablespace', 'fast; disk'],
      ['tablespace', 'fast; disk'],
    ]);
    expect(readGlobals(script)[1]?.text).toBe(
      `ALTER ROLE "a ""b""; 'c'" WITH NOSUPERUSER LOGIN PASSWORD 'it''s; DROP ROLE x;';`,
    );
  });

  test.each([
    'DROP ROLE x;',
    'CREATE ROLE x',
    'ALTER ROLE x RENAME TO y;',
    '\\! rm -rf /',
    'SET role TO x;',
    "CREATE ROLE x; COPY t TO PROGRAM 'x';",
  ])('others are refused: %s', (text) => {
    expect(() => readGlobals(text)).toThrow(/this statement is not known/);
  });
});
