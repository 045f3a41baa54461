/** Which names and links stay in the folder they are restored into. */

const slash = 0x2f;

/** The parts of a path below the folder; undefined for what is absolute, climbs with `..`, or cannot be a name. */
export function partsInside(path: Buffer): Buffer[] | undefined {
  if (path.length === 0 || path[0] === slash || path.includes(0)) return undefined;
  const parts = split(path).filter((part) => part.length > 0 && !isDot(part));
  return parts.some(isDotDot) ? undefined : parts;
}

/**
 * Whether a symbolic link at `path` may lead out of the folder, which will lie at `root`. `..` is followed only where it
 * comes first: behind another name, which may itself be a link, it cannot be judged.
 */
export function leadsOutside(path: Buffer, target: Buffer, root: string): boolean {
  if (target[0] === slash) {
    const inside = target.toString('latin1').startsWith(`${Buffer.from(root).toString('latin1')}/`);
    return !inside || split(target).some(isDotDot);
  }
  const parts = split(target).filter((part) => part.length > 0 && !isDot(part));
  const climbs = parts.findIndex((part) => !isDotDot(part));
  const steps = climbs === -1 ? parts.length : climbs;
  return parts.slice(steps).some(isDotDot) || steps > split(path).length - 1;
}

function split(path: Buffer): Buffer[] {
  return path
    .toString('latin1')
    .split('/')
    .map((part) => Buffer.from(part, 'latin1'));
}

function isDot(part: Buffer): boolean {
  return part.length === 1 && part[0] === 0x2e;
}

function isDotDot(part: Buffer): boolean {
  return part.length === 2 && part[0] === 0x2e && part[1] === 0x2e;
}
