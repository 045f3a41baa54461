/**
 * Names of kept configurations: `dbbackup-config/<host>_<UTC timestamp>_<hash12>.yaml`, then `.age` or `.enc`. Twelve
 * digits, where a backup's name has six: neither is ever taken for the other.
 */
const pattern =
  /^dbbackup-config\/([A-Za-z0-9.-]{1,200})_(\d{4}-\d{2}-\d{2})T(\d{2})-(\d{2})-(\d{2})-(\d{3})Z_([0-9a-f]{12})\.yaml(\.age|\.enc)?$/;

export const configCopyFolder = 'dbbackup-config/';

export interface ConfigCopyName {
  readonly host: string;
  readonly keptAt: Date;
  /** First twelve hex digits of the sha256 of the plain text. */
  readonly hash12: string;
  /** Of the encryption; empty without. */
  readonly extension: '' | '.age' | '.enc';
}

/** Key of the object. The host's name is made fit for every store. */
export function formatConfigCopyName({ host, keptAt, hash12, extension }: ConfigCopyName): string {
  const timestamp = keptAt.toISOString().replace(/[:.]/g, '-');
  return `${configCopyPrefix(host)}${timestamp}_${hash12}.yaml${extension}`;
}

/** What the keys of this host begin with. */
export function configCopyPrefix(host: string): string {
  const plain = host.replace(/[^A-Za-z0-9.-]/g, '-').slice(0, 200);
  return `${configCopyFolder}${plain === '' ? 'unnamed' : plain}_`;
}

/** Undefined for a key that is none. */
export function parseConfigCopyName(key: string): ConfigCopyName | undefined {
  const [, host = '', date, hour, minute, second, ms, hash12 = '', extension = ''] = pattern.exec(key) ?? [];
  const keptAt = new Date(`${date}T${hour}:${minute}:${second}.${ms}Z`);
  if (Number.isNaN(keptAt.getTime())) return undefined;
  return { host, keptAt, hash12, extension: extension as ConfigCopyName['extension'] };
}
