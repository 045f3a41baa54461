/**
 * Makes sure that the servers and tools of the test suite are installed. Runs before the tests, on the plain Node.
 * As root on Debian or Ubuntu it installs what is missing, without letting Debian start a server on a standard port;
 * elsewhere it prints the one line to run and exits 1. Arguments: packages that are needed besides, as `chromium`.
 */
import { execFileSync } from 'node:child_process';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';
import { fetchMysql } from './fetch-mysql.js';

/** What is looked for → the Debian package that has it. A line here is all that a new server needs. */
const needed = [
  { package: 'postgresql', present: () => hasPostgres() },
  { package: 'mariadb-server', present: () => onPath('mariadbd') },
  { package: 'mariadb-client', present: () => onPath('mariadb-dump') },
  { package: 'redis-server', present: () => onPath('redis-server') },
  { package: 'redis-tools', present: () => onPath('redis-cli') },
  { package: 'sqlite3', present: () => onPath('sqlite3') },
  { package: 'age', present: () => onPath('age') },
  { package: 'zstd', present: () => onPath('zstd') },
  { package: 'pigz', present: () => onPath('pigz') },
  { package: 'lbzip2', present: () => onPath('lbzip2') },
  { package: 'bzip2', present: () => onPath('bzip2') },
  { package: 'brotli', present: () => onPath('brotli') },
  { package: 'strace', present: () => onPath('strace') },
  { package: 'swift-proxy', present: () => onPath('swift-proxy-server') },
  { package: 'swift-account', present: () => onPath('swift-account-server') },
  { package: 'swift-container', present: () => onPath('swift-container-server') },
  { package: 'swift-object', present: () => onPath('swift-object-server') },
  { package: 'openssh-server', present: () => onPath('sshd') },
  { package: 'openssh-client', present: () => onPath('ssh-keygen') && onPath('ssh-agent') },
  { package: 'rclone', present: () => onPath('rclone') },
  { package: 'cron', present: () => onPath('cron') && onPath('crontab') },
  { package: 'faketime', present: () => onPath('faketime') },
  { package: 'systemd', present: () => onPath('systemd-analyze') },
  { package: 'iproute2', present: () => onPath('ip') },
  { package: 'procps', present: () => onPath('ps') },
  { package: 'zsh', present: () => onPath('zsh') },
  { package: 'fish', present: () => onPath('fish') },
  { package: 'util-linux', present: () => onPath('setpriv') },
];

/** What only campaigns of `npm run soak` need, by the name that they give as an argument. */
const onDemand = [
  { package: 'chromium', present: () => onPath('chromium') },
  { package: 'tmux', present: () => onPath('tmux') },
];

/** Files that keep a package's scripts from starting servers: path → content and mode. */
const quiet = [
  { path: '/usr/sbin/policy-rc.d', content: '#!/bin/sh\nexit 101\n', mode: 0o755 },
  { path: '/etc/postgresql-common/createcluster.conf', content: 'create_main_cluster = false\n', mode: 0o644 },
];

const named = onDemand.filter((tool) => process.argv.includes(tool.package));
const missing = [...needed, ...named].filter((tool) => !tool.present()).map((tool) => tool.package);
if (missing.length > 0) install(missing);
if (process.env['DBBACKUP_TEST_SKIP_MAJORS'] !== '1') fetchPostgresMajors();
if (process.env['DBBACKUP_TEST_SKIP_MYSQL'] !== '1') {
  try {
    fetchMysql();
  } catch (error) {
    // Unstable is what it says: what it lacks today does not stop the suite, which counts those tests as skipped.
    process.stderr.write(`MySQL itself could not be had, and its tests are skipped: ${error}\n`);
  }
}

/** @param {readonly string[]} packages */
function install(packages) {
  const line = `apt-get install --yes --no-install-recommends ${packages.join(' ')}`;
  if (process.getuid?.() !== 0 || !onPath('apt-get')) {
    process.stderr.write(`The test suite needs ${packages.join(', ')}. On Debian or Ubuntu, as root:\n  ${line}\n`);
    process.exit(1);
  }
  process.stderr.write(`Installing for the test suite: ${packages.join(' ')} (no server is started)\n`);
  const before = quiet.map(({ path }) => (existsSync(path) ? readFileSync(path) : undefined));
  try {
    for (const { path, content, mode } of quiet) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content, { mode });
    }
    apt(['update']);
    apt(line.split(' ').slice(1));
  } finally {
    quiet.forEach(({ path }, index) => {
      const content = before[index];
      // The package brings its own createcluster.conf only where none stands in its way; nothing then means its defaults.
      if (content === undefined) rmSync(path, { force: true });
      else writeFileSync(path, content);
    });
  }
}

/** @param {readonly string[]} args */
function apt(args) {
  // Whoever configured createcluster.conf keeps it; apt must not ask.
  const options = ['-o', 'Dpkg::Options::=--force-confold', '-qq'];
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  execFileSync('apt-get', [...options, ...args], { stdio: ['ignore', 'inherit', 'inherit'], env });
}

/**
 * Servers of majors that Debian does not have beside its own, from npm, kept for the next run: no dependencies of ours.
 * Their scripts do not run; the only thing that they do, links for libraries, is done here.
 */
function fetchPostgresMajors() {
  const here = import.meta.dirname;
  const majors = JSON.parse(readFileSync(join(here, 'postgres-majors.json'), 'utf8'));
  const name = `${majors.package}/${process.platform}-${process.arch}`;
  for (const version of Object.values(majors.versions)) {
    const folder = join(here, '../../node_modules/.cache/postgres', version);
    const native = join(folder, 'node_modules', name, 'native');
    if (existsSync(join(folder, 'ready'))) continue;
    process.stderr.write(`Fetching for the test suite: PostgreSQL ${version} (npm ${name})\n`);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    try {
      const options = ['--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund', '--silent'];
      execFileSync('npm', ['install', '--prefix', folder, ...options, `${name}@${version}`], { stdio: 'inherit' });
      for (const { source, target } of JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8'))) {
        symlinkSync(basename(source), join(dirname(native), target));
      }
    } catch (error) {
      process.stderr.write(
        `The test suite needs PostgreSQL ${version}: ${error}\nDBBACKUP_TEST_SKIP_MAJORS=1 leaves its tests out.\n`,
      );
      process.exit(1);
    }
    writeFileSync(join(folder, 'ready'), '');
  }
}

function hasPostgres() {
  const folder = '/usr/lib/postgresql';
  return existsSync(folder) && readdirSync(folder).some((major) => isProgram(join(folder, major, 'bin', 'initdb')));
}

/** @param {string} name */
function onPath(name) {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.some((folder) => folder !== '' && isProgram(join(folder, name)));
}

/** @param {string} path */
function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
