const levels = '▁▂▃▄▅▆▇█';

/** One character a value, from zero to the largest of them; a space where there is none. */
export function sparkline(values: readonly (number | undefined)[]): string {
  const top = values.reduce<number>((most, value) => Math.max(most, value ?? 0), 0);
  return values.map((value) => (value === undefined ? ' ' : levelOf(value, top))).join('');
}

function levelOf(value: number, top: number): string {
  const level = top === 0 ? 0 : Math.ceil((value / top) * levels.length) - 1;
  return levels[Math.max(0, level)] ?? '';
}
