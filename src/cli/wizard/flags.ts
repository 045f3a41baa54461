/** The wizard's flags: one for every question, in the order of the help. A test compares them with the adapters' questions. */
import type { Command } from 'commander';
import { collect } from '../command.ts';

type FlagLine = readonly [flags: string, description: string];

const sourceFlags: readonly FlagLine[] = [
  ['--source <kind>', 'sqlite, postgres, mysql, redis, files, command; or the name of a source that the config has'],
  ['--path <path>', 'sqlite, files: the database file, the folder'],
  ['--url <url>', 'postgres, mysql, redis: connection URL; better without a password, others may see your arguments'],
  ['--host <host>', 'postgres, mysql: host, or folder of sockets'],
  ['--port <port>', 'postgres, mysql: port'],
  ['--user <user>', 'postgres, mysql: user'],
  ['--database <name>', 'postgres, mysql: database'],
  ['--password-env <name>', 'postgres, mysql, redis: the variable that holds the password'],
  ['--password-file <file>', 'postgres, mysql, redis: the file that holds the password (mode 0600)'],
  ['--exclude <patterns>', 'files: what is left out, with commas between'],
  ['--dump <command>', 'command: writes the dump to its standard output'],
  ['--restore <command>', 'command: reads it from its standard input'],
  ['--extension <.ext>', 'command: of the stored files'],
  ['--source-name <name>', 'what the source is called; otherwise as the job'],
];

const destinationFlags: readonly FlagLine[] = [
  ['--destination-path <folder>', 'local, sftp: the folder'],
  ['--destination-bucket <name>', 's3: the bucket'],
  ['--destination-prefix <prefix>', 's3: put before every name'],
  ['--destination-endpoint <url>', 's3: address of a compatible store'],
  ['--destination-region <region>', 's3: region'],
  ['--destination-access-key-id <id>', 's3: access key id'],
  ['--destination-secret-access-key-env <name>', 's3: the variable that holds the secret access key'],
  ['--destination-secret-access-key-file <file>', 's3: the file that holds it'],
  ['--destination-host <host>', 'sftp: host'],
  ['--destination-port <port>', 'sftp: port'],
  ['--destination-user <user>', 'sftp: user'],
  ['--destination-private-key-file <file>', 'sftp: private key'],
  ['--destination-host-fingerprint <SHA256:…>', 'sftp: fingerprint of the host key, in place of known_hosts'],
  ['--destination-password-env <name>', 'sftp: the variable that holds the password'],
  ['--destination-password-file <file>', 'sftp: the file that holds it'],
  ['--destination-passphrase-env <name>', 'sftp: the variable that holds the passphrase of the private key'],
  ['--destination-passphrase-file <file>', 'sftp: the file that holds it'],
  ['--destination-remote <remote:path>', 'rclone: remote and folder'],
  ['--destination-config <file>', "rclone: rclone's config file"],
  ['--destination-name <name>', 'what the destination is called'],
];

const jobFlags: readonly FlagLine[] = [
  ['--job <name>', 'name of the job'],
  ['--compression <codec[:level]>', 'zstd, gzip, brotli, bzip2 or none'],
  ['--recipient <age1…>', 'with --encryption recipients'],
  ['--key-file <file>', 'with --encryption new: where the secret key goes'],
  ['--retention <rules>', '"daily=7 weekly=4 monthly=12 minimum=3", or everything'],
  ['--schedule <when>', '"0 3 * * *" as cron has it, an interval such as 6h, or manual'],
  ['--secrets <place>', 'where a password goes that stood in a URL or was typed: file, variable or config'],
  ['--secret-variable <name>', 'with --secrets variable: its name'],
];

export function addWizardFlags(command: Command): Command {
  const add = (lines: readonly FlagLine[]) => {
    for (const [flags, description] of lines) command.option(flags, description);
  };
  command.optionsGroup('What to back up:');
  add(sourceFlags);
  command.optionsGroup('Where to:');
  command.option(
    '--destination <place>',
    './backups, s3://bucket/prefix, sftp://user@host/folder, rclone:remote:folder; a kind; or a name of the config (repeatable)',
    collect,
  );
  add(destinationFlags);
  command.optionsGroup('How:');
  command.option(
    '--encryption <how>',
    'none, new (a key made now), age1… (repeatable), or a profile of the config',
    collect,
  );
  add(jobFlags);
  return command
    .optionsGroup('Options:')
    .option('-y, --yes', 'ask nothing: take what is offered wherever no flag answers')
    .option('--run', 'run the job at the end without asking')
    .option('--no-run', 'do not run the job at the end')
    .option('--no-test', 'do not try out source and destination');
}
