import { describe, expect, test } from 'vitest';
import {
  adapterEntry,
  encryptionEntry,
  fileComment,
  jobEntry,
  sectionComments,
} from '../../../../src/cli/wizard/compose.ts';
import type { AdapterDraft, Section } from '../../../../src/cli/wizard/draft.ts';
import { checkConfig } from '../../../../src/config/check.ts';
import { parseConfigDocument } from '../../../../src/config/document.ts';
import { addEntries } from '../../../../src/config/edit/add-entries.ts';
import type { Entry } from '../../../../src/config/edit/entry.ts';
import { encryptionTypes } from '../../../../src/crypto/all.ts';
import { destinationTypes } from '../../../../src/destination/all.ts';
import { notificationTypes } from '../../../../src/notification/all.ts';
import { sourceTypes } from '../../../../src/source/all.ts';

const catalog = {
  sources: sourceTypes,
  destinations: destinationTypes,
  encryption: encryptionTypes,
  notifications: notificationTypes,
};
const recipient = 'age1qyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqs3290gq';

function draftOf(section: Section, type: string, options: Record<string, unknown>): AdapterDraft {
  const setup = catalog[section].find((each) => each.type === type)?.setup;
  if (setup === undefined) throw new Error(`no questions for ${type}`);
  return { section, type, setup, options, secrets: {} };
}

const sources: readonly (readonly [string, Record<string, unknown>])[] = [
  ['sqlite', { path: './shop.sqlite' }],
  ['postgres', { database: 'shop', host: '/run/postgresql', port: 5433 }],
  ['mysql', { url: 'mysql://u@h/d', password: '$' + '{PW}' }],
  ['redis', { url: 'redis://h:6379' }],
  ['files', { path: '.', exclude: ['*.tmp'] }],
  ['command', { dump: ['sh', '-c', 'a | b'], extension: '.dump' }],
];
const destinations: readonly (readonly [string, Record<string, unknown>])[] = [
  ['local', { path: './backups' }],
  ['s3', { bucket: 'b', accessKeyId: 'k', secretAccessKey: '$' + '{file:./secrets/s3}' }],
  ['sftp', { host: 'h', path: 'backups' }],
  ['rclone', { remote: 'drive:backups' }],
];
const job = {
  name: 'j',
  bundle: false,
  compression: { type: 'zstd', level: 3 },
  retention: { daily: 7, minimum: 3 },
  schedule: { cron: '0 3 * * *' },
};

const compose = (entries: readonly Entry[]) => addEntries(fileComment, entries, sectionComments);
const problems = (text: string) => checkConfig(parseConfigDocument(text).raw, '/x.yaml', '/', catalog).findings;

describe('what the answers become', () => {
  test('knows every adapter', () => {
    expect(sources.map(([type]) => type).sort()).toEqual(sourceTypes.map(({ type }) => type).sort());
    expect(destinations.map(([type]) => type).sort()).toEqual(destinationTypes.map(({ type }) => type).sort());
  });

  test.each(sources)('a sound config with the source %s', (type, options) => {
    const entries = [
      adapterEntry('s', draftOf('sources', type, options)),
      adapterEntry('d', draftOf('destinations', 'local', { path: './backups' })),
      encryptionEntry('main', [recipient]),
      jobEntry({ ...job, source: 's', destinations: ['d'], encryption: 'main' }),
    ];
    const text = compose(entries);
    expect(problems(text)).toEqual([]);
    expect(parseConfigDocument(text).raw).toMatchObject({
      sources: { s: { type, ...options } },
      jobs: { j: { source: 's', destinations: ['d'], encryption: 'main', schedule: { cron: '0 3 * * *' } } },
    });
  });

  test.each(destinations)('a sound config with the destination %s', (type, options) => {
    const entries = [
      adapterEntry('s', draftOf('sources', 'sqlite', { path: 'a' })),
      adapterEntry('d', draftOf('destinations', type, options)),
      jobEntry({ ...job, source: 's', destinations: ['d'], encryption: undefined, retention: undefined }),
    ];
    const text = compose(entries);
    expect(problems(text)).toEqual([]);
    expect(parseConfigDocument(text).raw).toMatchObject({ destinations: { d: { type, ...options } } });
  });

  test('options that are offered in comments are sound, too, when the # goes away', () => {
    const comment = /^( *)# (\w+: (?:\{.*\}|\[.*\]|[^ ]+) #.*)$/gm;
    for (const [section, list] of [
      ['sources', sources],
      ['destinations', destinations],
    ] as const) {
      for (const [type, options] of list) {
        const text = compose([adapterEntry('x', draftOf(section, type, options))]).replace(comment, '$1$2');
        expect([type, problems(text)]).toEqual([type, []]);
      }
    }
    const offered = jobEntry({
      ...job,
      source: 's',
      destinations: ['d'],
      encryption: 'main',
      retention: undefined,
      schedule: undefined,
    });
    const text = compose([
      adapterEntry('s', draftOf('sources', 'sqlite', { path: 'a' })),
      adapterEntry('d', draftOf('destinations', 'local', { path: 'b' })),
      encryptionEntry('main', [recipient]),
      offered,
    ]).replace(comment, '$1$2');
    expect(problems(text)).toEqual([]);
    expect(parseConfigDocument(text).raw).toMatchObject({ jobs: { j: { schedule: {}, retention: { daily: 7 } } } });
  });

  test('every section and every job says what it is', () => {
    const text = compose([jobEntry({ ...job, bundle: true, source: 's', destinations: ['d'], encryption: undefined })]);
    expect(text).toMatch(/^# dbbackup: .*\n(#.*\n)+\n# Jobs: .*\njobs:\n {2}j:\n/);
    expect(text).toMatch(/databases: all #/);
  });
});
