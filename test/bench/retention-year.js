// Prints a year of hourly backups, pruned after each: node test/bench/retention-year.js (after npm run build).

import { openCalendar } from '../../dist/retention/calendar.js';
import { plan } from '../../dist/retention/plan.js';

const rules = { last: 3, hourly: 24, daily: 14, weekly: 8, monthly: 12, yearly: 3, timezone: 'Europe/Zurich' };
const hourMs = 3_600_000;
const calendar = openCalendar(rules.timezone);
const began = performance.now();
let stored = [];
let deleted = 0;
let decisions = [];

process.stdout.write(`${JSON.stringify(rules)}\nafter     backups  kept  deleted\n`);
for (let hour = 0; hour < 365 * 24; hour += 1) {
  const startedAt = new Date(Date.UTC(2025, 10, 20) + hour * hourMs);
  stored.push({ key: String(hour), startedAt, protectedBy: [], verified: false });
  decisions = plan(stored, rules, startedAt, calendar);
  stored = decisions.filter(({ action }) => action === 'keep').map(({ backup }) => backup);
  deleted += decisions.length - stored.length;
  if ((hour + 1) % (24 * 30) === 0 || hour === 365 * 24 - 1) {
    const figures = [String(hour + 1).padStart(7), String(stored.length).padStart(4), String(deleted).padStart(7)];
    process.stdout.write(`day ${String((hour + 1) / 24).padEnd(5)} ${figures.join('  ')}\n`);
  }
}
for (const { backup, reasons } of decisions.filter(({ action }) => action === 'keep')) {
  process.stdout.write(`${backup.startedAt.toISOString()}  ${reasons.map(({ text }) => text).join('; ')}\n`);
}
process.stdout.write(`${Math.round(performance.now() - began)} ms for 8760 prunings\n`);
