/**
 * The option file by which the programs get the connection, the password too: readable by us alone, gone with the
 * execution. It takes in the usual files first, so that ours have the last word; a plain `--defaults-extra-file` is read
 * before `~/.my.cnf`, which would then go before the config.
 * Programs behind a prefix get the same through a pipe: no file there that a killed run would leave behind.
 * Source: MariaDB Knowledge Base, "Configuring MariaDB with Option Files"; MySQL manual, "Using Option Files".
 */
import { randomBytes } from 'node:crypto';
import { access, constants, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Flavour } from './client.ts';
import type { MysqlOptions, Parameters } from './options.ts';

export async function writeDefaultsFile(
  folder: string,
  parameters: Parameters,
  options: MysqlOptions,
  flavour: Flavour,
): Promise<string> {
  const path = join(folder, `client-${randomBytes(4).toString('hex')}.cnf`);
  const usual = [...systemFiles, join(homedir(), '.my.cnf')];
  const there = await Promise.all(usual.map(isReadable));
  const lines = usual.filter((_, index) => there[index]).map((each) => `!include ${each}`);
  await writeFile(path, `${[...lines, ownSection(parameters, options, flavour)].join('\n')}\n`, {
    mode: 0o600,
    flag: 'wx',
  });
  return path;
}

const systemFiles = ['/etc/my.cnf', '/etc/mysql/my.cnf'];

/** Holds `ownSection` on the way to `pipedDefaults`; the program itself does not see it. */
export const sectionVariable = 'DBBACKUP_OPTIONS';

/** For `sh -c`: `$1` and its arguments, with an option file in descriptor 3, which both makes read once and in order. */
export const pipedDefaults = `
p=$1; shift; o=
for f in ${systemFiles.join(' ')} "$HOME/.my.cnf"; do [ -r "$f" ] && o="$o!include $f
"; done
exec 3<<END
$o$${sectionVariable}
END
unset ${sectionVariable}; exec "$p" --defaults-file=/dev/fd/3 "$@"`;

export function ownSection(parameters: Parameters, options: MysqlOptions, flavour: Flavour): string {
  return ['[client]', ...settings(parameters, options, flavour)].join('\n');
}

function settings(
  { host, port, user, password, socket }: Parameters,
  options: MysqlOptions,
  flavour: Flavour,
): string[] {
  const { ssl, sslCa, sslCert, sslKey } = options;
  // For `localhost` the client would take its default socket, whatever the port.
  const tcp = socket === undefined && port !== undefined && (host === undefined || host === 'localhost');
  const values = {
    ...{ host, port: port?.toString(), user, password, socket },
    ...{ 'ssl-ca': sslCa, 'ssl-cert': sslCert, 'ssl-key': sslKey, protocol: tcp ? 'tcp' : undefined },
  };
  const given = Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return [
    ...given.map(([key, value]) => `${key}=${quoted(value)}`),
    ...(ssl === undefined ? [] : sslLines[flavour][ssl]),
  ];
}

const sslLines: Readonly<Record<Flavour, Readonly<Record<NonNullable<MysqlOptions['ssl']>, readonly string[]>>>> = {
  mariadb: {
    disable: ['skip-ssl'],
    require: ['ssl', 'disable-ssl-verify-server-cert'],
    verify: ['ssl', 'ssl-verify-server-cert'],
  },
  mysql: { disable: ['ssl-mode=DISABLED'], require: ['ssl-mode=REQUIRED'], verify: ['ssl-mode=VERIFY_IDENTITY'] },
};

const escapes: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '"': '\\"',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\b': '\\b',
};

/** In quotes `#` starts no comment and blanks stay. */
export function quoted(value: string): string {
  return `"${value.replace(/[\\"\n\r\t\b]/g, (letter) => escapes[letter] ?? letter)}"`;
}

async function isReadable(path: string): Promise<boolean> {
  return access(path, constants.R_OK).then(
    () => true,
    () => false,
  );
}
