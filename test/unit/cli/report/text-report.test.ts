import { Chalk } from 'chalk';
import { describe, expect, it } from 'vitest';
import { textReport } from '../../../../src/cli/report/text-report.ts';
import { textWidth } from '../../../../src/cli/text-width.ts';
import type { JobReport, Report, Run } from '../../../../src/operation/report/report.ts';

const now = new Date(2026, 10, 26, 12);
const day = 86_400_000;
const plain = new Chalk({ level: 0 });

const runs: readonly Run[] = Array.from({ length: 60 }, (_, index) => {
  const startedAt = new Date(now.getTime() - (59 - index) * day - 9 * 3_600_000);
  const about = { executionId: `e-${index}`, trigger: 'schedule', startedAt };
  if (index === 30) return { ...about, status: 'failed', outcome: 'failed' };
  const figures = { storedBytes: 1e6 + index * 1e4, rawBytes: 4e6, durationMs: 2000 };
  return { ...about, status: 'completed', outcome: 'good', ...figures };
});

const job: JobReport = {
  ...{ name: 'wiki', description: 'ウィキのデータベース、毎晩三時に', disabled: false, state: 'failing' },
  source: { name: 'wiki', type: 'sqlite' },
  ...{ concerns: ['the last run failed'], runs, lastRun: runs.at(-1) },
  counts: { total: 60, good: 59, partial: 0, suspect: 0, cancelled: 0, failed: 1, running: 0, fromSidecars: 0 },
  copies: [{ destination: 'поднебесная-копия', type: 'sftp', problem: 'it could not be read: отказано в доступе' }],
  failures: [
    {
      ...{ executionId: '0123456789abcdef', kind: 'backup', startedAt: now, sinceAt: now, times: 1, status: 'failed' },
      message: `upload failed:\n${'データ'.repeat(40)}`,
    },
  ],
  failureCount: 1,
};

const report: Report = {
  ...{ tool: { name: 'dbbackup', version: '1' }, host: 'db1', generatedAt: now, since: new Date(2026, 7, 28) },
  ...{ timezone: 'UTC', destinationsRead: true, jobs: [job] },
};

describe('the report on a terminal', () => {
  it.each([200, 80, 60, 40, 30])('fits into %i columns, whatever the script of names and messages', (width) => {
    const lines = textReport(report, plain, width).split('\n');
    expect(Math.max(...lines.map(textWidth))).toBeLessThanOrEqual(Math.min(width, 110));
  });

  it('shows the failure at its column, under the line of sizes', () => {
    const lines = textReport(report, plain, 140).split('\n');
    const stored = lines.find((line) => line.trim().startsWith('stored')) ?? '';
    const trouble = lines.find((line) => line.trim().startsWith('trouble')) ?? '';
    expect(stored).toMatch(/▆+▇+ ▇+█+ {2}1\.00 MB to 1\.59 MB, latest 1\.59 MB$/);
    expect(trouble.indexOf('✗')).toBe(stored.indexOf('▇ ▇') + 1);
  });

  it('colours what it says, and says it without colours, too', () => {
    const colored = textReport(report, new Chalk({ level: 1 }), 80);
    expect(colored).toContain('\u001b[31m✗');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: our own colours
    expect(colored.replace(/\u001b\[\d+m/g, '')).toBe(textReport(report, plain, 80));
  });

  it('is a sentence where there is no job', () => {
    expect(textReport({ ...report, jobs: [] }, plain, 80)).toMatch(/\n\nNo jobs: /);
  });
});
