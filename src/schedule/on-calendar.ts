import { type CronField, joinsDaysByOr, parseCron } from './cron-fields.ts';

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/**
 * A cron expression as systemd has it (systemd.time(7), "Calendar Events"): one expression, or two that a timer joins,
 * where cron takes either the day of the month or that of the week. systemd joins the two in one expression by "and".
 */
export function onCalendar(expression: string, timezone: string | undefined): readonly string[] {
  const fields = parseCron(expression);
  const zone = timezone === undefined ? '' : ` ${timezone}`;
  const time = `${list(fields.hour, 2)}:${list(fields.minute, 2)}:00`;
  const date = (day: CronField | undefined) => `*-${list(fields.month, 2)}-${day === undefined ? '*' : list(day, 2)}`;
  const weekday = fields.dayOfWeek.full ? '' : `${fields.dayOfWeek.values.map((day) => weekdays[day]).join(',')} `;
  const both = `${weekday}${date(fields.dayOfMonth)} ${time}${zone}`;
  if (!joinsDaysByOr(fields)) return [both];
  // Either of the two may be all there is.
  if (fields.dayOfMonth.full || fields.dayOfWeek.full) return [`${date(undefined)} ${time}${zone}`];
  return [`${date(fields.dayOfMonth)} ${time}${zone}`, `${weekday}${date(undefined)} ${time}${zone}`];
}

/** `*`, or every single value: `00,06,12`. */
function list({ full, values }: CronField, digits: number): string {
  return full ? '*' : values.map((value) => String(value).padStart(digits, '0')).join(',');
}
