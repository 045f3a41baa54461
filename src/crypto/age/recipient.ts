import { DbBackupError } from '../../errors.ts';

const bech32 = /^age1[02-9ac-hj-np-z]{58}$/;

/**
 * An X25519 recipient, check sum included; named by `where`, because a secret may stand there by mistake. Throws
 * CONFIG_INVALID; UNSUPPORTED for kinds of recipients that the age of Debian stable cannot read: a backup must open with
 * the tools of the day it is needed.
 */
export async function assertRecipient(recipient: string, where: string): Promise<void> {
  if (/^age1(pq|tag|tagpq)1/.test(recipient) || recipient.startsWith('ssh-')) {
    throw new DbBackupError('UNSUPPORTED', `${where} is of a kind that dbbackup does not write`, {
      hint: 'Use an age1… recipient (X25519): dbbackup keygen makes one. Every age command can read it.',
    });
  }
  if (recipient.startsWith('AGE-SECRET-KEY-')) {
    throw new DbBackupError('CONFIG_INVALID', `${where} is an identity (AGE-SECRET-KEY-…), which is the secret half`, {
      hint: 'Name its recipient (age1…; age-keygen -y prints it), and keep the identity off the backup host.',
    });
  }
  if (bech32.test(recipient) && (await hasGoodChecksum(recipient))) return;
  throw new DbBackupError('CONFIG_INVALID', `${where} is no age recipient`, {
    hint: 'A recipient is age1 and 58 letters and digits; copy it again, one of them may be wrong.',
  });
}

async function hasGoodChecksum(recipient: string): Promise<boolean> {
  const { Encrypter } = await import('age-encryption');
  try {
    new Encrypter().addRecipient(recipient);
    return true;
  } catch {
    return false;
  }
}
