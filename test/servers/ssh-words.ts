import type { SftpServer } from './sftp.ts';

/** A prefix that leads by ssh to the test's own sshd; nothing of the user's own set-up is used. */
export function sshWords({ options }: SftpServer): readonly string[] {
  const { host, port, user, privateKeyFile, knownHosts } = options;
  const settings = ['BatchMode=yes', `UserKnownHostsFile=${knownHosts}`, 'IdentitiesOnly=yes', 'LogLevel=ERROR'];
  const flags = settings.flatMap((setting) => ['-o', setting]);
  return ['ssh', '-F', '/dev/null', '-i', privateKeyFile, ...flags, '-p', String(port), `${user}@${host}`];
}
