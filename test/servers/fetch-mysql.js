/**
 * A real MySQL, server and programs, which neither Debian's stable releases nor npm have: from Debian's unstable, with the
 * libraries it was built for, into a folder of its own. Nothing is installed. Kept between checkouts, for it takes long.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const packages = ['mysql-server-core', 'mysql-client-core'];
/** Of the packages they depend on: what MySQL does not need to run. */
const useless = /^(perl|libperl|libgdbm|libdb5|debianutils|gcc-)/;

/** `bin/` has the programs, `data/` a new database folder. Whole when it is there at all. */
export const mysqlFolder = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'dbbackup-test', 'mysql');

/** Throws when it cannot be had: no apt-get of Debian, no network, no such package. */
export function fetchMysql() {
  if (existsSync(mysqlFolder)) return;
  process.stderr.write(`Fetching for the test suite: MySQL (${packages.join(', ')} of Debian unstable)\n`);
  // Beside it, for others may fetch at the same time.
  const folder = `${mysqlFolder}-${process.pid}`;
  try {
    for (const each of ['lists/partial', 'cache/archives/partial', 'root', 'bin']) {
      mkdirSync(join(folder, each), { recursive: true });
    }
    download(folder);
    unpack(folder);
    initialize(folder);
    renameSync(folder, mysqlFolder);
  } catch (error) {
    if (!existsSync(mysqlFolder)) throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * By apt-get, which checks the signatures, with lists and folders of its own.
 * @param {string} folder
 */
function download(folder) {
  const config = join(folder, 'apt.conf');
  const sources = join(folder, 'sources.list');
  writeFileSync(sources, `deb ${mirror()} unstable main\n`);
  const settings = {
    'Dir::Etc::sourcelist': sources,
    'Dir::Etc::sourceparts': '-',
    'Dir::State::lists': join(folder, 'lists'),
    'Dir::State::status': '/dev/null',
    'Dir::Cache': join(folder, 'cache'),
    'Acquire::Languages': 'none',
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key} "${value}";\n`);
  writeFileSync(config, lines.join(''));
  const env = { ...process.env, APT_CONFIG: config };
  /** @param {readonly string[]} args */
  const apt = (args) =>
    execFileSync('apt-get', ['-qq', ...args], { stdio: ['ignore', 'ignore', 'pipe'], env, timeout: 120_000 });
  apt(['update']);
  apt(['install', '--download-only', '--yes', '--no-install-recommends', ...packages]);
}

/** @param {string} folder */
function unpack(folder) {
  const archives = join(folder, 'cache/archives');
  for (const name of readdirSync(archives).filter((each) => each.endsWith('.deb') && !useless.test(each))) {
    execFileSync('dpkg-deb', ['-x', join(archives, name), join(folder, 'root')]);
  }
  for (const each of ['lists', 'cache']) rmSync(join(folder, each), { recursive: true });
  for (const [name, path] of Object.entries({
    mysqld: 'sbin/mysqld',
    mysql: 'bin/mysql',
    mysqldump: 'bin/mysqldump',
  })) {
    writeFileSync(join(folder, 'bin', name), wrapper(folder, name, path), { mode: 0o755 });
  }
}

/** Where this machine has its packages of Debian from. */
function mirror() {
  const said = execFileSync('apt-get', ['indextargets', '--format', '$(ORIGIN) $(REPO_URI)', 'Created-By: Packages'], {
    encoding: 'utf8',
  });
  const found = /^Debian (\S+\/debian\/?)$/m.exec(said)?.[1];
  if (found === undefined) throw new Error('no packages of Debian are known here (apt-get update)');
  return found;
}

/**
 * With its own loader and libraries: those of this machine are older.
 * @param {string} folder
 * @param {string} name
 * @param {string} path
 */
function wrapper(folder, name, path) {
  const libraries = readdirSync(join(folder, 'root/usr/lib')).find((each) => each.endsWith('-linux-gnu')) ?? '';
  const loader =
    readdirSync(join(folder, 'root/usr/lib', libraries)).find((each) => /^ld-linux.*\.so/.test(each)) ?? '';
  return [
    '#!/bin/sh',
    'usr="$(dirname "$0")/../root/usr"',
    `library="$usr/lib/${libraries}:$usr/lib/mysql/private"`,
    `exec "$usr/lib/${libraries}/${loader}" --library-path "$library" --argv0 ${name} "$usr/${path}" "$@"`,
    '',
  ].join('\n');
}

/** @param {string} folder */
function initialize(folder) {
  const args = ['--no-defaults', ...mysqldArguments(join(folder, 'data'), folder), '--initialize-insecure'];
  execFileSync(join(folder, 'bin/mysqld'), args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: 120_000 });
}

/**
 * What every start needs. It is thrown away: nothing has to be durable.
 * @param {string} data
 */
export function mysqldArguments(data, folder = mysqlFolder) {
  const share = join(folder, 'root/usr');
  return [
    ...(process.getuid?.() === 0 ? ['--user=root'] : []),
    ...[`--basedir=${share}`, `--datadir=${data}`, `--lc-messages-dir=${share}/share/mysql`],
    ...[`--character-sets-dir=${share}/share/mysql/charsets`, `--plugin-dir=${share}/lib/mysql/plugin`],
    ...['--secure-file-priv=NULL', '--mysqlx=OFF', '--disable-log-bin', '--performance-schema=OFF'],
    ...['--innodb-redo-log-capacity=8M', '--innodb-doublewrite=OFF', '--innodb-flush-log-at-trx-commit=0'],
  ];
}
