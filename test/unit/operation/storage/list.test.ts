/** Filters, facets and order of `list`, over backups as the explorer reads them. */
import { describe, expect, test } from 'vitest';
import { localType } from '../../../../src/destination/local/local.ts';
import { type ListFilter, matches, needsIncomplete, states } from '../../../../src/operation/storage/facet.ts';
import { type SortField, sortBackups, sortFields } from '../../../../src/operation/storage/sort-backups.ts';
import type { StoredBackup } from '../../../../src/operation/storage/stored-backup.ts';
import { parseArtifactName } from '../../../../src/sidecar/artifact-name.ts';
import type { BackupState } from '../../../../src/sidecar/state.ts';
import { backupNumber } from '../../../servers/many-backups.ts';

const destination = localType.open({ path: '.' }, '/');
const at = '2026-11-20T03:00:00.000Z';
const encryption = { headerSha256: 'a'.repeat(64) };

function stored(index: number, more: Partial<StoredBackup> = {}, on = 'disk'): StoredBackup {
  const { key, sidecar, data } = backupNumber(index);
  const object = { key, size: data.length + index, modifiedAt: new Date(at) };
  const name = parseArtifactName(key.slice(key.lastIndexOf('/') + 1));
  return { on: { name: on, destination }, key, name, object, sidecar, condition: 'complete', ...more };
}

const state = (more: Partial<BackupState>): BackupState => ({ version: '1.0', verifications: [], ...more });
const sidecar = (index: number, more: object) => ({ ...backupNumber(index).sidecar, ...more });

const all: Readonly<Record<string, StoredBackup>> = {
  plain: stored(0),
  later: stored(20),
  sqlite: stored(1, { sidecar: sidecar(1, { note: 'Before the migration' }) }),
  age: stored(
    2,
    {
      sidecar: sidecar(2, {
        encryption: { ...encryption, type: 'age', profile: 'offline', recipients: ['0123456789abcdef'] },
      }),
    },
    'usb',
  ),
  aes: stored(3, {
    sidecar: sidecar(3, {
      encryption: { ...encryption, type: 'aes-256-gcm', profile: 'shared', keyId: 'fedcba9876543210' },
    }),
  }),
  locked: stored(4, { state: state({ locked: { at } }) }),
  verified: stored(5, { state: state({ verifications: [{ at, kind: 'verify', result: 'passed' }] }) }),
  failed: stored(6, {
    state: state({
      verifications: [
        { at, kind: 'verify', result: 'passed' },
        { at, kind: 'verify', result: 'failed' },
      ],
    }),
  }),
  suspect: stored(7, { state: state({ suspect: { reason: 'small' } }) }),
  accepted: stored(8, { state: state({ suspect: { reason: 'small' }, accepted: { at } }) }),
  orphan: stored(9, { sidecar: undefined, condition: 'orphan', problem: 'no sidecar' }),
};

const chosen = (filter: ListFilter) => Object.keys(all).filter((name) => matches(all[name] as StoredBackup, filter));
const others = (...names: string[]) => Object.keys(all).filter((name) => !names.includes(name));

describe('filters', () => {
  test.each<[string, ListFilter, string[]]>([
    ['none', {}, Object.keys(all)],
    ['job', { jobs: ['job-0'] }, ['plain', 'later']],
    ['two jobs', { jobs: ['job-0', 'job-9'] }, ['plain', 'later', 'orphan']],
    ['type', { types: ['sqlite'] }, ['sqlite', 'aes', 'verified', 'suspect']],
    ['no encryption', { encryption: ['none'] }, others('age', 'aes')],
    ['type of encryption', { encryption: ['age'] }, ['age']],
    ['profile', { encryption: ['shared'] }, ['aes']],
    ['beginning of a key', { encryption: ['012345', 'fedcba98'] }, ['age', 'aes']],
    ['too short for a key', { encryption: ['0'] }, []],
    ['good', { states: ['good'] }, others('suspect', 'orphan', 'failed')],
    ['suspect', { states: ['suspect'] }, ['suspect']],
    ['locked', { states: ['locked'] }, ['locked']],
    ['verified', { states: ['verified'] }, ['verified']],
    ['failed', { states: ['failed'] }, ['failed']],
    ['unverified', { states: ['unverified'] }, others('verified', 'failed', 'orphan')],
    ['orphan', { states: ['orphan'] }, ['orphan']],
    ['since', { since: new Date('2020-01-02T03:00:00Z') }, ['later']],
    ['until', { until: new Date('2020-01-02T03:00:00Z') }, others('later')],
    ['note', { note: 'MIGRATION' }, ['sqlite']],
    [
      'all at once',
      { types: ['sqlite'], states: ['good'], encryption: ['aes-256-gcm'], jobs: ['job-3', 'job-1'] },
      ['aes'],
    ],
  ])('%s', (_, filter, names) => {
    expect(chosen(filter)).toEqual(names);
  });

  test('a state that only incomplete backups have asks for them', () => {
    expect(states.filter((each) => needsIncomplete({ states: [each] }))).toEqual([
      'orphan',
      'missing',
      'damaged',
      'unreadable',
      'deleting',
    ]);
  });
});

describe('order', () => {
  const some = [stored(21), stored(0), stored(1), stored(20), stored(20, {}, 'usb')];
  const keysOf = (backups: readonly StoredBackup[]) => backups.map(({ key, on }) => `${on.name}:${key}`);

  test.each<[SortField, (backup: StoredBackup) => string | number]>([
    ['time', (backup) => -Date.parse(backup.sidecar?.startedAt ?? '')],
    ['job', (backup) => backup.sidecar?.job.name ?? ''],
    ['size', (backup) => -(backup.object?.size ?? 0)],
    ['raw', (backup) => -(backup.sidecar?.artifact.rawBytes ?? 0)],
    ['type', (backup) => backup.sidecar?.source.type ?? ''],
    ['destination', (backup) => backup.on.name],
  ])('by %s', (by, value) => {
    const values = sortBackups(some, { by, reverse: false }).map(value);
    expect(values).toEqual([...values].sort((a, b) => (a < b ? -1 : Number(a > b))));
    expect(new Set(values).size).toBeGreaterThan(1);
    const back = sortBackups(some, { by, reverse: true }).map(value);
    expect(back).toEqual([...values].reverse());
  });

  test('is the same whatever order they were found in', () => {
    for (const by of sortFields) {
      const order = { by, reverse: false };
      expect(keysOf(sortBackups([...some].reverse(), order))).toEqual(keysOf(sortBackups(some, order)));
    }
  });
});
