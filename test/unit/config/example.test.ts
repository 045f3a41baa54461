import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Catalog } from '../../../src/config/catalog.ts';
import { configJsonSchema } from '../../../src/config/json-schema.ts';
import { loadConfig, readConfig } from '../../../src/config/load.ts';
import { resolveDefinition } from '../../../src/config/secret.ts';
import { encryptionTypes } from '../../../src/crypto/all.ts';
import { destinationTypes } from '../../../src/destination/all.ts';
import { notificationTypes } from '../../../src/notification/all.ts';
import { sourceTypes } from '../../../src/source/all.ts';

const named = fileURLToPath(new URL('../../../config.example.yaml', import.meta.url));
const catalog: Catalog = {
  sources: sourceTypes,
  destinations: destinationTypes,
  encryption: encryptionTypes,
  notifications: notificationTypes,
};
const request = { named, cwd: '/', env: {}, catalog };

describe('config.example.yaml', () => {
  test('is a sound configuration', async () => {
    expect((await readConfig(request)).problems).toEqual([]);
  });

  test('is sound with the lines that stand behind `#:` too', async () => {
    const text = await readFile(named, 'utf8');
    expect(text).toMatch(/^#: signing:/m);
    const folder = await mkdtemp(join(tmpdir(), 'dbbackup-example-'));
    try {
      const whole = join(folder, 'whole.yaml');
      await writeFile(whole, text.replace(/^#: ?/gm, ''));
      const { problems, config } = await readConfig({ ...request, named: whole });
      expect(problems).toEqual([]);
      expect(config?.signing?.options).toMatchObject({ key: '$' + '{file:./sign.key}' });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('its job `example` needs nothing from outside', async () => {
    const config = await loadConfig(request);
    const job = config.jobs.get('example');
    expect(job).toMatchObject({
      enabled: true,
      source: { type: 'sqlite', options: { path: './sample/shop.sqlite' } },
      destinations: [{ type: 'local', options: { path: './backups' } }],
      compression: { type: 'zstd', level: 3 },
    });
    const known = [...sourceTypes, ...destinationTypes];
    for (const definition of job === undefined ? [] : [job.source, ...job.destinations]) {
      const options = known.find((each) => each.type === definition.type)?.options ?? z.never();
      const resolved = await resolveDefinition<unknown>(definition, { options }, { env: {}, folder: config.folder });
      expect(resolved).toEqual(definition.options);
    }
  });

  test('no other job runs unless it is named', async () => {
    const { jobs } = await loadConfig(request);
    expect([...jobs.values()].filter((job) => job.enabled).map((job) => job.name)).toEqual(['example']);
  });

  test('shows every option of every adapter', async () => {
    const { sources, destinations, encryption, notifications } = await loadConfig(request);
    const definitions = [
      ...sources.values(),
      ...destinations.values(),
      ...encryption.values(),
      ...notifications.values(),
    ];
    for (const { type, options } of [...sourceTypes, ...destinationTypes, ...encryptionTypes, ...notificationTypes]) {
      const known = Object.keys(z.toJSONSchema(options, { io: 'input', unrepresentable: 'any' }).properties ?? {});
      const live = definitions.filter((each) => each.type === type).flatMap((each) => Object.keys(each.options));
      expect([type, [...new Set(live)].sort()]).toEqual([type, known.sort()]);
    }
  });

  test('passes its own JSON Schema', async () => {
    const schema = z.fromJSONSchema(configJsonSchema(catalog) as Parameters<typeof z.fromJSONSchema>[0]);
    const { raw } = await readConfig(request);
    expect(schema.safeParse(raw).error?.issues ?? []).toEqual([]);
  });
});
