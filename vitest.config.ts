import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/longest-first.ts';
import { SummaryReporter } from './test/summary-reporter.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    reporters: ['default', new SummaryReporter()],
    // Servers, child processes and full disks need room; a test that hangs still ends.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // One more than the cores of a small machine: tests wait for servers and for children more than a third of the time.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
  },
});
