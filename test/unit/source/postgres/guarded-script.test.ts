import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { expect, test } from 'vitest';
import { GuardedScript, knowsFence } from '../../../../src/source/postgres/restore-stream.ts';

const script = `--
\\restrict Key1

SET statement_timeout = 0;
SET transaction_timeout = 0;
COPY public.t (a) FROM stdin;
SET transaction_timeout = 0;
\\\\restrict Key1
COMMIT;
\\.

BEGIN;
SELECT 'SET transaction_timeout = 0; COMMIT;';
COMMIT;

--
-- PostgreSQL database dump complete
--

\\unrestrict Key1

`;
const without = (word: string, ...at: number[]) => {
  let count = 0;
  return (line: string) => (line === word && at.includes(count++) ? line.replace(/[^;]/g, ' ') : line);
};
const blanked = (...changes: ((line: string) => string)[]) =>
  `${script
    .split('\n')
    .map((line) => changes.reduce((changed, change) => change(changed), line))
    .join('\n')}COMMIT;\n`;

const fence = (line: string) => line.replace(/^\\(un)?restrict Key1$/, (all) => ' '.repeat(all.length));

async function guarded(reader: { server: number; psql: string }, size: number): Promise<string> {
  const bytes = Buffer.from(script);
  const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
    bytes.subarray(at * size, (at + 1) * size),
  );
  const guard = new GuardedScript(reader);
  const [out] = await Promise.all([text(guard), pipeline(Readable.from(pieces), guard)]);
  return out;
}

test.each([
  1, 2, 3, 7, 64, 300, 10_000,
])('takes out what an older reader does not know, in pieces of %i', async (size) => {
  const newest = blanked(without('COMMIT;', 1));
  expect(await guarded({ server: 17, psql: '17.6' }, size)).toBe(newest);
  expect(await guarded({ server: 16, psql: '17.6' }, size)).toBe(
    blanked(without('COMMIT;', 1), without('SET transaction_timeout = 0;', 0)),
  );
  expect(await guarded({ server: 17, psql: '17.5' }, size)).toBe(blanked(without('COMMIT;', 1), fence));
  expect(await guarded({ server: 13, psql: '14.10' }, size)).toBe(
    blanked(without('COMMIT;', 1), without('SET transaction_timeout = 0;', 0), fence),
  );
});

test.each([
  ['12.22', false],
  ['13.21', false],
  ['13.22', true],
  ['14.10', false],
  ['15.14', true],
  ['17.6', true],
  ['18', true],
  ['18.0', true],
])('psql %s knows \\restrict: %s', (version, known) => {
  expect(knowsFence(version)).toBe(known);
});
