import { describe, expect, test } from 'vitest';
import { type ClusterJob, kubernetesManifests, secretFiles } from '../../../src/schedule/kubernetes.ts';
import type { Schedule } from '../../../src/schedule/schedule.ts';
import { cron, interval } from './sample.ts';

const choice = { image: 'backup/dbbackup:1', namePrefix: 'dbbackup', secret: 'backup', timezone: 'Europe/Zurich' };
const needs = {
  variables: [
    { name: 'DATABASE_URL', optional: false },
    { name: 'REGION', optional: true },
  ],
  files: ['./sign.key', '/run/secrets/slack'],
};

function cronJobOf(more: Partial<ClusterJob>) {
  const job: ClusterJob = { name: 'shop', schedule: cron('0 3 * * *'), needs, ...more };
  const [, manifest] = kubernetesManifests([job], 'jobs: {}\n', choice);
  return manifest as unknown as {
    metadata: { name: string };
    spec: {
      schedule: string;
      timeZone: string;
      jobTemplate: { spec: { activeDeadlineSeconds?: number; template: { spec: { hostname?: string } } } };
    };
  };
}

const scheduleOf = (schedule: Schedule) => cronJobOf({ schedule }).spec.schedule;

describe('the manifest', () => {
  test('refers to secrets by their keys', () => {
    const text = JSON.stringify(cronJobOf({}));
    expect(text).toContain(
      '{"name":"DATABASE_URL","valueFrom":{"secretKeyRef":{"name":"backup","key":"DATABASE_URL"}}}',
    );
    expect(text).toContain(
      '{"name":"REGION","valueFrom":{"secretKeyRef":{"name":"backup","key":"REGION","optional":true}}}',
    );
    expect(text).toContain(
      '{"name":"secret-files","mountPath":"/etc/dbbackup/sign.key","subPath":"sign.key","readOnly":true}',
    );
    expect(text).toContain('"mountPath":"/run/secrets/slack","subPath":"slack"');
    expect(secretFiles(['/a/key', '/b/key', '/a/key']).map(({ key }) => key)).toEqual([
      expect.stringMatching(/^key-[0-9a-f]{6}$/),
      expect.stringMatching(/^key-[0-9a-f]{6}$/),
    ]);
  });

  test('gives files of one name in two jobs two keys, the same in every pod', () => {
    const jobs = ['a', 'b'].map((name): ClusterJob => {
      return { name, schedule: cron('0 3 * * *'), needs: { variables: [], files: [`./${name}/password`] } };
    });
    const keys = secretFiles(['./a/password', './b/password']).map(({ key }) => key);
    expect(new Set(keys).size).toBe(2);
    const [, ...pods] = kubernetesManifests(jobs, 'jobs: {}\n', choice).map((each) => JSON.stringify(each));
    for (const [index, pod] of pods.entries()) {
      expect(pod).toContain(`"subPath":"${keys[index]}"`);
      expect(pod).toContain(`"items":[{"key":"${keys[index]}","path":"${keys[index]}"}]`);
    }
  });

  test('has the prefix in every name and label, so that two configs with a job of one name do not meet', () => {
    const jobs: ClusterJob[] = [{ name: 'nightly', schedule: cron('0 3 * * *'), needs }];
    const objects = kubernetesManifests(jobs, 'jobs: {}\n', { ...choice, namePrefix: 'billing' });
    expect(objects.map(({ metadata }) => metadata?.name)).toEqual([
      expect.stringMatching(/^billing-config-[0-9a-f]{6}$/),
      'billing-nightly',
    ]);
    for (const { metadata } of objects) {
      expect(metadata?.labels).toMatchObject({ 'app.kubernetes.io/instance': 'billing' });
    }
    for (const namePrefix of ['', 'Shop', '1a', 'a-', 'a.b', 'x'.repeat(31)]) {
      expect(() => kubernetesManifests(jobs, '', { ...choice, namePrefix })).toThrow(/--name-prefix/);
    }
  });

  test('never runs two at a time, and takes the machine’s timezone along', () => {
    expect(cronJobOf({}).spec).toMatchObject({
      concurrencyPolicy: 'Forbid',
      timeZone: 'Europe/Zurich',
      startingDeadlineSeconds: 3600,
    });
    expect(cronJobOf({ totalTimeoutMs: 60_000 }).spec.jobTemplate.spec.activeDeadlineSeconds).toBe(180);
  });

  test.each([
    ['shop', /^dbbackup-shop$/],
    ['Shop_Nightly.1', /^dbbackup-shop-nightly-1-[0-9a-f]{6}$/],
    ['x'.repeat(100), /^dbbackup-x{36}-[0-9a-f]{6}$/],
    ['trailing-', /^dbbackup-trailing-[0-9a-f]{6}$/],
  ])('names an object after job %s', (name, expected) => {
    const { metadata, spec } = cronJobOf({ name });
    const found = metadata.name;
    expect(found).toMatch(expected);
    // The same for every pod of the job: fingerprints of local paths depend on it.
    expect(spec.jobTemplate.spec.template.spec.hostname).toBe(found);
    expect(found.length).toBeLessThanOrEqual(52);
  });
});

describe('a schedule as the cluster reads it', () => {
  test.each<[Schedule, string]>([
    [cron('*/15 3-5 1,15 jan mon'), '*/15 3-5 1,15 1 1'],
    [cron('0 0 * * sun'), '0 0 * * 0'],
    [cron('0 0 * * 5-7'), '0 0 * * 0,5,6'],
    [cron('0 0 */2 * *'), '0 0 */2 * *'],
    [cron('0 0 */1 * 1'), '0 0 * * 1'],
    [cron('0 0 1-31 * 1'), '0 0 1-31 * 1'],
    [interval('6h', 6), '0 */6 * * *'],
  ])('%j', (schedule, expected) => {
    expect(scheduleOf(schedule)).toBe(expected);
  });

  test('is refused where it would mean something else', () => {
    expect(() => scheduleOf(cron('0 0 */2 * 1'))).toThrow(/either day matches/);
    expect(() => scheduleOf(interval('7h', 7))).toThrow(/cannot say this interval/);
  });
});
