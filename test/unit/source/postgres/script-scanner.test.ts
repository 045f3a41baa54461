import { describe, expect, test } from 'vitest';
import { ScriptScanner } from '../../../../src/source/postgres/script-scanner.ts';

const trailer = '--\n-- PostgreSQL database dump complete\n--\n\n';
const fenced = (body: string) => `\\restrict key\n\n${body}${trailer}\\unrestrict key\n\n`;

const hostile = fenced(`SET standard_conforming_strings = on;
COPY public.t (a, "b;c") FROM stdin;
-- PostgreSQL database dump complete
\\\\.
\\\\unrestrict key

COMMIT;
\\.

CREATE FUNCTION f() RETURNS text AS $_$
COPY public.fake FROM stdin;
COMMIT;
$x$ ' " -- /*
$_$;
COMMENT ON TABLE "odd ""$$"" /* name" IS 'it''s -- ; \\';
SELECT E'\\'; COMMIT; /* ' /* nested */ /* a /* b */ COMMIT; */, $1$a, a$b;
COPY "odd ""schema".empty FROM stdin;
\\.

BEGIN;

SELECT pg_catalog.lo_open('1', 131072);

COMMIT;

`);

function scan(text: string, size = text.length) {
  const bytes = Buffer.from(text);
  const commits: number[] = [];
  const commands: string[] = [];
  let at = 0;
  const scanner = new ScriptScanner({
    statement: (text, end) => {
      if (text === 'COMMIT') commits.push(at + end);
    },
    command: (line) => commands.push(line),
  });
  for (; at < bytes.length; at += size) scanner.push(bytes.subarray(at, at + size));
  return { scanner, commits, commands };
}

test.each([1, 2, 3, 5, 64, 10_000])('is not fooled by what only looks like SQL, in pieces of %i bytes', (size) => {
  const { scanner, commits, commands } = scan(hostile, size);
  scanner.finish();
  expect(scanner.tables()).toEqual({ 'public.t': 5, 'odd "schema.empty': 0 });
  expect(commits).toEqual([hostile.lastIndexOf('COMMIT;') + 'COMMIT'.length]);
  expect(commands).toEqual([]);
});

test('is incomplete wherever it is cut', () => {
  for (let length = 1; length < hostile.length; length++) {
    const { scanner } = scan(hostile.slice(0, length));
    expect(() => scanner.finish(), `cut at ${length}`).toThrow(expect.objectContaining({ code: 'DUMP_INCOMPLETE' }));
  }
});

describe('the end', () => {
  test('of older versions has no fence', () => {
    expect(() => scan(`SELECT 1;\n${trailer}`).scanner.finish()).not.toThrow();
  });

  test.each([
    ['SQL after the trailer', `${trailer}SELECT 1;\n\n`],
    ['half a statement after the trailer', `${trailer}SELECT 1\n\n`],
    ['the trailer inside a string', `SELECT '\n${trailer}\n\n`],
    ['the trailer inside a comment', `/*\n${trailer}\n\n`],
    ['the trailer behind other words', `-- Name:\n-- x PostgreSQL database dump complete\n--\n\n`],
    ['the trailer inside a COPY', `COPY t FROM stdin;\n${trailer}`],
  ])('is not %s', (_what, text) => {
    expect(() => scan(text).scanner.finish()).toThrow(expect.objectContaining({ code: 'DUMP_INCOMPLETE' }));
  });

  test('of nothing is an empty dump', () => {
    expect(() => scan('').scanner.finish()).toThrow(expect.objectContaining({ code: 'DUMP_EMPTY' }));
  });
});

test('follows servers whose strings take backslashes', () => {
  const text = `SET standard_conforming_strings = off;\nSELECT 'it\\'s; COMMIT;';\nCOMMIT;\n${trailer}`;
  expect(scan(text).commits).toEqual([text.lastIndexOf('COMMIT;') + 'COMMIT'.length]);
});

test('reports commands', () => {
  expect(scan('SELECT 1;\n\\connect "other db"\n').commands).toEqual(['\\connect "other db"']);
  expect(scan('SELECT 1 \\gexec\n').commands).toEqual(['\\gexec']);
});
