import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { configJsonSchema } from '../../../src/config/json-schema.ts';
import { fakeCatalog } from './fake-catalog.ts';

const json = configJsonSchema(fakeCatalog);
const schema = z.fromJSONSchema(json as Parameters<typeof z.fromJSONSchema>[0]);
const accepts = (value: unknown) => schema.safeParse(value).success;
const job = { source: 'db', destinations: 'disk' };

describe('configJsonSchema', () => {
  test('is draft 2020-12 and plain JSON', () => {
    expect(json['$schema']).toBe('https://json-schema.org/draft/2020-12/schema');
    expect(JSON.parse(JSON.stringify(json))).toEqual(json);
    expect(JSON.stringify(json).match(/"\$schema"/g)).toHaveLength(1);
  });

  test.each<[string, unknown]>([
    ['nothing', {}],
    ['an adapter', { sources: { db: { type: 'shop', port: 5432, tls: true, pool: { size: 1 } } } }],
    ['references for anything', { sources: { db: { type: 'shop', port: `\${P}`, tls: `\${T}`, mode: `\${M}` } } }],
    ['references inside', { sources: { db: { type: 'shop', pool: { size: `\${S}` } } } }],
    ['a job', { jobs: { shop: job } }],
    ['lists and levels', { jobs: { shop: { ...job, destinations: ['a'], compression: { type: 'gzip', level: 9 } } } }],
    ['retention', { jobs: { shop: { ...job, destinations: ['d', { name: 'e', retention: { last: 3 } }] } } }],
    ['durations', { jobs: { shop: { ...job, timeouts: { idle: '10m' } } } }],
  ])('accepts %s', (_, value) => expect(accepts(value)).toBe(true));

  test.each<[string, unknown]>([
    ['an unknown section', { daemons: {} }],
    ['an unknown type', { sources: { db: { type: 'pear' } } }],
    ['a missing type', { sources: { db: { port: 1 } } }],
    ['an unknown option', { sources: { db: { type: 'shop', prot: 5432 } } }],
    ['text for a number', { sources: { db: { type: 'shop', port: 'x' } } }],
    ['a missing option', { destinations: { d: { type: 'shelf' } } }],
    ['an unknown job field', { jobs: { shop: { ...job, retension: {} } } }],
    ['an unknown tier', { jobs: { shop: { ...job, retention: { dayly: 7 } } } }],
    ['an unknown codec', { jobs: { shop: { ...job, compression: 'lz4' } } }],
    ['a duration without a unit', { jobs: { shop: { ...job, timeouts: { idle: '10' } } } }],
    ['a bad name', { jobs: { '-shop': job } }],
  ])('refuses %s', (_, value) => expect(accepts(value)).toBe(false));
});
