/**
 * A real MySQL, server and programs, which neither Debian's stable releases nor npm have: from Debian's unstable, with the
 * libraries it was built for, into a folder of its own. Nothing is installed. Kept between checkouts, for it takes long.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const packages = ['mysql-server-core', 'mysql-client-core'];
/** Of the packages they depend on: what MySQL does not need to run. */
const useless = /^(perl|libperl|libgdbm|libdb5|debianutils|gcc-)/;

/** `bin/` has the programs, `data/` a new database folder. It is whole once `ready` is there. */
export const mysqlFolder = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'dbbackup-test', 'mysql');

/** Throws when it cannot be had: no apt-get of Debian, no network, no such package. */
export function fetchMysql() {
  if (existsSync(join(mysqlFolder, 'ready'))) return;
  process.stderr.write(`Fetching for the test suite: MySQL (${packages.join(', ')} of Debian unstable)\n`);
  rmSync(mysqlFolder, { recursive: true, force: true });
  const root = join(mysqlFolder, 'root');
  try {
    for (const each of ['lists/partial', 'cache/archives/partial', 'root', 'bin']) {
      mkdirSync(join(mysqlFolder, each), { recursive: true });
    }
    download();
    const archives = join(mysqlFolder, 'cache/archives');
    for (const name of readdirSync(archives).filter((each) => each.endsWith('.deb') && !useless.test(each))) {
      execFileSync('dpkg-deb', ['-x', join(archives, name), root]);
    }
    for (const each of ['lists', 'cache']) rmSync(join(mysqlFolder, each), { recursive: true });
    for (const [name, path] of Object.entries({
      mysqld: 'sbin/mysqld',
      mysql: 'bin/mysql',
      mysqldump: 'bin/mysqldump',
    })) {
      writeFileSync(join(mysqlFolder, 'bin', name), wrapper(root, name, path), { mode: 0o755 });
    }
    initialize();
    writeFileSync(join(mysqlFolder, 'ready'), '');
  } catch (error) {
    rmSync(mysqlFolder, { recursive: true, force: true });
    throw error;
  }
}

/** By apt-get, which checks the signatures, with lists and folders of its own. */
function download() {
  const config = join(mysqlFolder, 'apt.conf');
  const sources = join(mysqlFolder, 'sources.list');
  writeFileSync(sources, `deb ${mirror()} unstable main\n`);
  const settings = {
    'Dir::Etc::sourcelist': sources,
    'Dir::Etc::sourceparts': '-',
    'Dir::State::lists': join(mysqlFolder, 'lists'),
    'Dir::State::status': '/dev/null',
    'Dir::Cache': join(mysqlFolder, 'cache'),
    'Acquire::Languages': 'none',
  };
  writeFileSync(
    config,
    Object.entries(settings)
      .map(([key, value]) => `${key} "${value}";\n`)
      .join(''),
  );
  const env = { ...process.env, APT_CONFIG: config };
  /** @param {readonly string[]} args */
  const apt = (args) =>
    execFileSync('apt-get', ['-qq', ...args], { stdio: ['ignore', 'ignore', 'pipe'], env, timeout: 300_000 });
  apt(['update']);
  apt(['install', '--download-only', '--yes', '--no-install-recommends', ...packages]);
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
 * Its own loader and libraries: those of this machine are older.
 * @param {string} root
 * @param {string} name
 * @param {string} path
 */
function wrapper(root, name, path) {
  const libraries = readdirSync(join(root, 'usr/lib')).find((each) => each.endsWith('-linux-gnu')) ?? '';
  const folder = join(root, 'usr/lib', libraries);
  const loader = readdirSync(folder).find((each) => /^ld-linux.*\.so/.test(each)) ?? '';
  const library = `${folder}:${join(root, 'usr/lib/mysql/private')}`;
  return `#!/bin/sh\nexec '${join(folder, loader)}' --library-path '${library}' --argv0 ${name} '${join(root, 'usr', path)}' "$@"\n`;
}

function initialize() {
  const data = join(mysqlFolder, 'data');
  execFileSync(join(mysqlFolder, 'bin/mysqld'), ['--no-defaults', ...mysqldArguments(data), '--initialize-insecure'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 300_000,
  });
}

/**
 * What every start needs. It is thrown away: nothing has to be durable.
 * @param {string} data
 */
export function mysqldArguments(data) {
  const share = join(mysqlFolder, 'root/usr');
  return [
    ...(process.getuid?.() === 0 ? ['--user=root'] : []),
    ...[`--basedir=${share}`, `--datadir=${data}`, `--lc-messages-dir=${share}/share/mysql`],
    ...[`--character-sets-dir=${share}/share/mysql/charsets`, `--plugin-dir=${share}/lib/mysql/plugin`],
    ...['--secure-file-priv=NULL', '--mysqlx=OFF', '--disable-log-bin', '--performance-schema=OFF'],
    ...['--innodb-redo-log-capacity=8M', '--innodb-doublewrite=OFF', '--innodb-flush-log-at-trx-commit=0'],
  ];
}
