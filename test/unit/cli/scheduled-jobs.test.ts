import { expect, test } from 'vitest';
import { environmentFiles } from '../../../src/cli/scheduled-jobs.ts';

test('only cron has the variables of /etc/environment', () => {
  expect(environmentFiles('crontab', './env', '/srv/shop')).toEqual(['/etc/environment', '/srv/shop/env']);
  expect(environmentFiles('crontab', undefined, '/srv/shop')).toEqual(['/etc/environment']);
  expect(environmentFiles('systemd', './env', '/srv/shop')).toEqual(['/srv/shop/env']);
  expect(environmentFiles('systemd', undefined, '/srv/shop')).toEqual([]);
});
