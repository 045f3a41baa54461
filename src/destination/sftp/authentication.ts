/** How we prove to the server who we are: key, agent, password, in this order. */
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import type { AnyAuthMethod } from 'ssh2';
import { DbBackupError } from '../../errors.ts';
import { readSecretFile } from '../../secret-file.ts';
import type { SftpOptions } from './options.ts';

/** Throws DESTINATION_FAILED when a key cannot be used, and what `readSecretFile` throws. */
export async function authenticationMethods(
  options: SftpOptions,
  username: string,
  baseFolder: string,
): Promise<AnyAuthMethod[]> {
  const { password } = options;
  const methods: AnyAuthMethod[] = [];
  const key = await keyOf(options, baseFolder);
  if (key !== undefined) methods.push({ type: 'publickey', username, ...key });
  const explicit = key !== undefined || password !== undefined;
  const agent = options.agent ?? (explicit ? undefined : process.env['SSH_AUTH_SOCK']);
  if (agent) methods.push({ type: 'agent', username, agent: resolve(baseFolder, agent.replace(/^~(?=\/)/, homedir)) });
  if (password !== undefined) {
    methods.push({ type: 'password', username, password });
    // Servers that leave passwords to PAM ask for them in this way.
    methods.push({
      type: 'keyboard-interactive',
      username,
      prompt: (_name, _instructions, _language, prompts, finish) => finish(prompts.length === 1 ? [password] : []),
    });
  }
  if (methods.length > 0) return methods;
  throw new DbBackupError('DESTINATION_FAILED', `no way to log in at ${options.host} is configured`, {
    hint: 'Give privateKeyFile, password or agent, or start an ssh-agent (SSH_AUTH_SOCK).',
  });
}

async function keyOf(
  { privateKey, privateKeyFile, passphrase }: SftpOptions,
  baseFolder: string,
): Promise<{ key: string; passphrase?: string } | undefined> {
  const file = privateKeyFile && resolve(baseFolder, privateKeyFile.replace(/^~(?=\/)/, homedir));
  const key = privateKey ?? (file && `${await readSecretFile(file)}\n`);
  if (key === undefined) return undefined;
  const { default: ssh2 } = await import('ssh2');
  const parsed = ssh2.utils.parseKey(key, passphrase);
  if (!(parsed instanceof Error)) return { key, ...(passphrase === undefined ? {} : { passphrase }) };
  throw new DbBackupError('DESTINATION_FAILED', `the private key ${file ?? ''} cannot be used: ${parsed.message}`, {
    hint: /encrypted|passphrase|decrypt|integrity/i.test(parsed.message)
      ? 'Give its `passphrase`, or hold the key in an ssh-agent.'
      : 'It must be a private key in the format of OpenSSH or PEM, as ssh-keygen makes it.',
  });
}
