import { resolve } from 'node:path';
import { z } from 'zod';
import { DbBackupError } from '../../errors.ts';
import { registerSecret } from '../../redact.ts';
import { readKeyFile } from '../key-file.ts';
import { parseIdentities } from '../key-text.ts';
import type { EncryptionAdapter } from '../profile.ts';
import type { AgeSecret } from './header.ts';
import { assertRecipient, recipientProblem } from './recipient.ts';
import { encryptAge } from './writer.ts';

const text = z.string().min(1);

const options = z
  .strictObject({
    recipients: z
      .array(text)
      .min(1)
      .max(100)
      .optional()
      .describe('age1…; any one of them can decrypt. Keep one offline'),
    passphrase: text.optional().describe('instead of recipients; write a reference to a file or variable'),
    identities: z
      .union([text, z.array(text)])
      .optional()
      .describe('AGE-SECRET-KEY-1…, only needed to restore; write a reference to a file or variable'),
    identityFile: text.optional().describe('identity file, only needed to restore; only its owner may read it'),
    previousPassphrases: z.array(text).optional().describe('older passphrases that still restore older backups'),
  })
  .refine(({ recipients, passphrase }) => !(recipients && passphrase), {
    message: 'age encrypts to recipients or with a passphrase, not both',
  })
  .refine((all) => all.recipients ?? all.passphrase ?? all.identities ?? all.identityFile, {
    message: 'needs recipients or a passphrase',
  });

const written = options.superRefine(({ recipients = [] }, context) => {
  for (const [at, recipient] of recipients.entries()) {
    const problem = recipientProblem(recipient);
    if (problem)
      context.addIssue({ code: 'custom', path: ['recipients', at], message: `${problem.what}: ${problem.hint}` });
  }
});

export const ageAdapter: EncryptionAdapter = {
  type: 'age',
  options,
  written,
  async open(input, baseFolder) {
    const parsed = options.parse(input);
    for (const [at, one] of (parsed.recipients ?? []).entries())
      await assertRecipient(one, `encryption recipients.${at}`);
    const passphrases = [parsed.passphrase, ...(parsed.previousPassphrases ?? [])].filter((one) => one !== undefined);
    for (const passphrase of passphrases) registerSecret(passphrase);
    const identities = await allIdentities(parsed, baseFolder);
    return {
      async encryptor(name) {
        const secret = writingSecret(parsed);
        return { type: 'age', extension: '.age', encrypt: () => encryptAge(secret, name) };
      },
      keys: { identities, keys: [], passphrases },
    };
  },
};

async function allIdentities(parsed: z.infer<typeof options>, baseFolder: string): Promise<readonly string[]> {
  const given = [parsed.identities ?? []].flat();
  const identities = given.flatMap((one) => parseIdentities(one, 'encryption identities'));
  if (parsed.identityFile === undefined) return identities;
  return [...identities, ...(await readKeyFile(resolve(baseFolder, parsed.identityFile))).identities];
}

function writingSecret({ recipients, passphrase }: z.infer<typeof options>): AgeSecret {
  if (recipients !== undefined) return { recipients };
  if (passphrase !== undefined) return { passphrase };
  throw new DbBackupError(
    'CONFIG_INVALID',
    'the age profile names no recipients and no passphrase: it can only restore',
    {
      hint: 'Add recipients: [age1…]. dbbackup keygen prints the recipient of a new identity.',
    },
  );
}
