/** Names of timezones, as the IANA database has them. */

/** True for what this Node.js knows. An offset such as `+02:00` is no name: systemd and Kubernetes know none. */
export function isTimezone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }) !== undefined;
  } catch {
    return false;
  }
}

export function machineTimezone(): string {
  return new Intl.DateTimeFormat('en').resolvedOptions().timeZone;
}

/** Two names of one timezone: `Europe/Zurich` and `europe/zurich`, `UTC` and `Etc/UTC`. */
export function isSameTimezone(one: string, other: string): boolean {
  return canonical(one) === canonical(other);
}

function canonical(name: string): string {
  const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions();
  return /^(Etc\/)?(UTC|UCT|GMT|Zulu|Universal|Greenwich)$/i.test(timeZone) ? 'UTC' : timeZone;
}
