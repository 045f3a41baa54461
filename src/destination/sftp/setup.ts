import type { DestinationSetup } from '../../setup.ts';

export const sftpSetup: DestinationSetup = {
  title: 'SFTP: a server with SSH',
  name: 'sftp',
  questions: [
    {
      option: 'host',
      kind: 'text',
      message: 'Host (its key must be in known_hosts: log in once by ssh)',
      required: true,
    },
    { option: 'port', kind: 'number', message: 'Port (empty: 22)' },
    { option: 'user', kind: 'text', message: 'User (empty: yours)' },
    {
      option: 'path',
      kind: 'text',
      message: "Folder there (made when missing; relative to the user's home)",
      required: true,
      offered: 'backups',
    },
    {
      option: 'privateKeyFile',
      kind: 'text',
      message: 'Private key, as ~/.ssh/id_ed25519 (empty: ssh-agent, or a password)',
    },
    {
      option: 'hostFingerprint',
      kind: 'text',
      message: 'Fingerprint of the host key, as SHA256:… (empty: known_hosts)',
    },
    {
      option: 'password',
      kind: 'secret',
      message: 'Password',
      without: ['privateKeyFile'],
      onRefusal: /no way to log in|authentication methods failed/,
    },
    {
      option: 'passphrase',
      kind: 'secret',
      message: 'Passphrase of the private key',
      with: 'privateKeyFile',
      onRefusal: /private key .*cannot be used/,
    },
  ],
  more: [
    'knownHosts: /etc/dbbackup/known_hosts # in place of those of ssh',
    'limit: 10MB/s # how fast backups are sent and fetched',
  ],
  fromPlace(place) {
    const [matched, user, host = '', port, path] =
      /^sftp:\/\/(?:([^@/:]+)@)?(\[[^\]]+\]|[^:/]+)(?::(\d+))?(?:\/(.*))?$/i.exec(place) ?? [];
    if (matched === undefined) return undefined;
    return {
      host: host.replace(/^\[|\]$/g, ''),
      ...(port && { port: Number(port) }),
      ...(user && { user }),
      ...(path && { path: pathOf(path) }),
    };
  },
};

/** As curl has it: `/~/backups` is in the user's home there, all else begins at the root. */
function pathOf(path: string): string {
  return path.startsWith('~/') ? path.slice(2) : `/${path}`;
}
