/**
 * README and config.example.yaml against the program: nothing in one that is not in the other. `npm run docs` writes the
 * part of the README that is made from the program.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { fileSchema, jobSchema } from '../../../src/config/schema.ts';
import { encryptionTypes } from '../../../src/crypto/all.ts';
import { destinationTypes } from '../../../src/destination/all.ts';
import { exitCodes } from '../../../src/errors.ts';
import { notificationTypes } from '../../../src/notification/all.ts';
import { sourceTypes } from '../../../src/source/all.ts';
import { allCommands, helpOf, isGroup, pathOf, realProgram } from '../../docs/real-program.ts';
import { begin, end, keysOf, reference } from '../../docs/reference.ts';

const root = resolve(import.meta.dirname, '../../..');
const file = join(root, 'README.md');
const example = readFileSync(join(root, 'config.example.yaml'), 'utf8').replace(/^#: ?/gm, '');
const made = reference(realProgram());

if (process.env['DBBACKUP_WRITE_DOCS'] === '1') {
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.slice(0, text.indexOf(begin)) + made + text.slice(text.indexOf(end) + end.length));
}
const readme = readFileSync(file, 'utf8');

/** The text from a heading to the next one. */
function section(heading: string): string {
  const [, text = ''] = new RegExp(`^## ${heading}\\n(.*?)^## `, 'ms').exec(readme) ?? [];
  if (text === '') throw new Error(`the README has no section "${heading}"`);
  return text;
}

describe('the README', () => {
  test('has the reference as the program gives it', () => {
    expect(
      readme.includes(made),
      'commands, options or keys have changed: run `npm run docs` and commit README.md',
    ).toBe(true);
  });

  test('has every command in its table of commands, and none that is not', () => {
    const cells = [...section('Commands').matchAll(/^\| (`[^|]*`) \|/gm)].map(([, first = '']) => first);
    const named = cells.flatMap((each) => [...each.matchAll(/`([a-z][a-z -]*[a-z])/g)].map(([, name]) => name));
    const real = allCommands(realProgram()).filter((each) => pathOf(each) !== '' && !isGroup(each));
    const paths = real.map(pathOf);
    for (const name of named)
      expect(paths, `the table of "Commands" names \`${name}\`, which does not exist`).toContain(name);
    // What stands below another command may be told in its line.
    const missing = paths.filter((path) => !named.includes(path) && !section('Commands').includes(`\`${path}`));
    expect(missing, 'give them a line in the README, section "Commands"').toEqual([]);
  });

  test('has every type of adapter, with a section or a word of its own', () => {
    const types = [...sourceTypes, ...destinationTypes, ...encryptionTypes].map(({ type }) => type);
    const missing = types.filter((type) => !new RegExp(`^### ${type}$|type: ${type}\\b`, 'm').test(readme));
    expect(missing, 'give each a section "### <type>" in the README').toEqual([]);
  });

  test('explains the keys of a job and of the file', () => {
    const text = section('Configuration');
    const keys = [...keysOf(fileSchema), ...keysOf(jobSchema())];
    const missing = keys.filter((key) => !text.includes(`\`${key}\``));
    expect(missing, 'name them in the README, section "Configuration"').toEqual([]);
  });

  test('tells every exit code, and none that does not exist', () => {
    const told = [...section('Exit codes').matchAll(/^\| (\d+)(?: \/ (\d+))? \|/gm)].flatMap(([, a, b]) => [a, b]);
    const known = new Set([0, ...Object.values(exitCodes)].map(String));
    expect(new Set(told.filter((code) => code !== undefined))).toEqual(known);
    const help = helpOf(realProgram()).split('Exit codes:')[1] ?? '';
    expect(new Set(help.match(/\d+/g))).toEqual(known);
  });
});

describe('config.example.yaml', () => {
  const raw = parse(example) as Record<string, Record<string, Record<string, unknown>>>;

  test('has every key of the file and of a job', () => {
    const unused = (keys: readonly string[], used: readonly string[]) => keys.filter((key) => !used.includes(key));
    expect(unused(keysOf(fileSchema), Object.keys(raw)), 'explain them in config.example.yaml').toEqual([]);
    const jobs = Object.values(raw['jobs'] ?? {});
    const used = jobs.flatMap((job) => Object.keys(job));
    expect(unused(keysOf(jobSchema()), used), 'explain them at a job of config.example.yaml').toEqual([]);
  });

  test('has every key inside those of a job', () => {
    const jobs = Object.values(raw['jobs'] ?? {});
    const properties = z.toJSONSchema(jobSchema(), { io: 'input', unrepresentable: 'any' }).properties ?? {};
    for (const [key, schema] of Object.entries(properties)) {
      const inner = keysOf(z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]));
      const used = jobs.flatMap((job) => [job[key]].flat().flatMap((each) => keysIn(each)));
      const missing = inner.filter((each) => !used.includes(each) && !example.includes(`${each}:`));
      expect(missing, `explain them under \`${key}\` of a job in config.example.yaml`).toEqual([]);
    }
  });

  test('has every type of adapter', () => {
    const sections = {
      sources: sourceTypes,
      destinations: destinationTypes,
      encryption: encryptionTypes,
      notifications: notificationTypes,
    };
    for (const [name, types] of Object.entries(sections)) {
      const used = Object.values(raw[name] ?? {}).map(({ type }) => type);
      expect(
        types.map(({ type }) => type).filter((type) => !used.includes(type)),
        `show them in \`${name}\``,
      ).toEqual([]);
    }
  });
});

function keysIn(value: unknown): readonly string[] {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
}
