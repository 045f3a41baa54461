/** What the config may say about an SFTP destination. Loads no SSH library. */
import { z } from 'zod';
import { duration } from '../../value/duration.ts';

const text = z.string().min(1);

/** As `ssh-keygen -lf` prints it. */
const fingerprint = z
  .string()
  .regex(
    /^SHA256:[A-Za-z0-9+/]{43}=?$/,
    'must be a fingerprint as ssh-keygen -lf prints it: SHA256: and 43 characters',
  );

export const sftpOptions = z
  .strictObject({
    host: text,
    /** Without it 22. */
    port: z.number().int().min(1).max(65_535).optional(),
    /** Without it the name of the user that runs dbbackup. */
    user: text.optional(),
    /** Folder on the server, made when missing; relative ones begin in the user's home there. */
    path: text,
    /** Private key; `~` is the home of the user that runs dbbackup. */
    privateKeyFile: text.optional(),
    /** The same as a value. */
    privateKey: text.optional(),
    /** Of the private key. */
    passphrase: text.optional(),
    /** Socket of an ssh-agent. Without key and password: SSH_AUTH_SOCK. */
    agent: text.optional(),
    password: text.optional(),
    /** In place of ~/.ssh/known_hosts and /etc/ssh/ssh_known_hosts. */
    knownHosts: text.optional(),
    /** Trusts the host key with this fingerprint (or one of these) and no other; known_hosts is not asked then. */
    hostFingerprint: z.union([fingerprint, z.array(fingerprint).min(1)]).optional(),
    /** How often what failed for a passing reason is repeated, with growing pauses; without it 5. */
    retries: z.number().int().min(0).max(50).optional(),
    /** A server that is silent for so long is given up; without it 1m. */
    idleTimeout: duration().optional(),
  })
  .superRefine((given, context) => {
    const complain = (field: string, message: string) => context.addIssue({ code: 'custom', path: [field], message });
    const hasKey = given.privateKey !== undefined || given.privateKeyFile !== undefined;
    if (given.privateKey !== undefined && given.privateKeyFile !== undefined) {
      complain('privateKey', 'either privateKey or privateKeyFile, not both');
    }
    if (given.passphrase !== undefined && !hasKey) complain('passphrase', 'needs privateKeyFile or privateKey');
    if (given.knownHosts !== undefined && given.hostFingerprint !== undefined) {
      complain('hostFingerprint', 'either hostFingerprint or knownHosts, not both');
    }
  });

export type SftpOptions = z.infer<typeof sftpOptions>;
