import { DbBackupError } from '../../errors.ts';

const bech32 = /^age1[02-9ac-hj-np-z]{58}$/;
const alphabet = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
/** Of BIP 173: the check sum is right when the polynomial of prefix and data is 1. */
const generator = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
/** `age`, expanded as BIP 173 has it. */
const prefix = [3, 3, 3, 0, 1, 7, 5];

export interface RecipientProblem {
  readonly code: 'CONFIG_INVALID' | 'UNSUPPORTED';
  readonly what: string;
  readonly hint: string;
}

/**
 * An X25519 recipient, check sum included; named by `where`, because a secret may stand there by mistake. Throws
 * CONFIG_INVALID; UNSUPPORTED for kinds of recipients that the age of Debian stable cannot read: a backup must open with
 * the tools of the day it is needed.
 */
export async function assertRecipient(recipient: string, where: string): Promise<void> {
  const problem = recipientProblem(recipient) ?? ((await isRead(recipient)) ? undefined : mistyped);
  if (problem) throw new DbBackupError(problem.code, `${where} ${problem.what}`, { hint: problem.hint });
}

/** What can be said without the library; repeats nothing of the text. */
export function recipientProblem(recipient: string): RecipientProblem | undefined {
  if (/^age1(pq|tag|tagpq)1/.test(recipient) || recipient.startsWith('ssh-')) return otherKind;
  if (recipient.startsWith('AGE-SECRET-KEY-')) return secretHalf;
  return bech32.test(recipient) && hasGoodChecksum(recipient) ? undefined : mistyped;
}

const otherKind: RecipientProblem = {
  code: 'UNSUPPORTED',
  what: 'is of a kind that dbbackup does not write',
  hint: 'Use an age1… recipient (X25519): dbbackup keygen makes one. Every age command can read it.',
};

const secretHalf: RecipientProblem = {
  code: 'CONFIG_INVALID',
  what: 'is an identity (AGE-SECRET-KEY-…), which is the secret half',
  hint: 'Name its recipient (age1…; age-keygen -y prints it), and keep the identity off the backup host.',
};

const mistyped: RecipientProblem = {
  code: 'CONFIG_INVALID',
  what: 'is no age recipient',
  hint: 'A recipient is age1 and 58 letters and digits; copy it again, one of them may be wrong.',
};

function hasGoodChecksum(recipient: string): boolean {
  const data = [...recipient.slice('age1'.length)].map((letter) => alphabet.indexOf(letter));
  const sum = [...prefix, ...data].reduce((before, value) => {
    const top = before >>> 25;
    const next = ((before & 0x1ffffff) << 5) ^ value;
    return generator.reduce((all, term, bit) => ((top >>> bit) & 1 ? all ^ term : all), next);
  }, 1);
  return sum === 1;
}

/** By whoever encrypts with it. */
async function isRead(recipient: string): Promise<boolean> {
  const { Encrypter } = await import('age-encryption');
  try {
    new Encrypter().addRecipient(recipient);
    return true;
  } catch {
    return false;
  }
}
