export type Path = readonly PropertyKey[];

/** Calls `visit` for every string inside a plain value, with its path. */
export function walkStrings(value: unknown, visit: (text: string, path: Path) => void, path: Path = []): void {
  if (typeof value === 'string') visit(value, path);
  else if (Array.isArray(value))
    for (const [index, item] of value.entries()) walkStrings(item, visit, [...path, index]);
  else if (isRecord(value)) for (const [key, item] of Object.entries(value)) walkStrings(item, visit, [...path, key]);
}

/** A copy of a plain value with every string replaced. */
export async function mapStrings(
  value: unknown,
  replace: (text: string, path: Path) => unknown,
  path: Path = [],
): Promise<unknown> {
  if (typeof value === 'string') return await replace(value, path);
  if (Array.isArray(value)) {
    const items: unknown[] = [];
    for (const [index, item] of value.entries()) items.push(await mapStrings(item, replace, [...path, index]));
    return items;
  }
  if (!isRecord(value)) return value;
  const copy: [string, unknown][] = [];
  for (const [key, item] of Object.entries(value)) copy.push([key, await mapStrings(item, replace, [...path, key])]);
  return Object.fromEntries(copy);
}

/** What is at `path`; undefined where the path leads nowhere. */
export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((at, key) => {
    if (Array.isArray(at)) return at[Number(key)];
    return isRecord(at) && Object.hasOwn(at, key) ? at[String(key)] : undefined;
  }, value);
}

/** The name that rules a value: the last key on its path that is not an index. */
export function ownerOf(path: Path): string {
  return String(path.findLast((key) => typeof key === 'string') ?? '');
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
