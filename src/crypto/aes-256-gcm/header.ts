/**
 * The 96-byte header of our own format (see ../FORMAT.md): written and taken apart, not yet believed.
 * Refuses what this version does not know; authenticity is the reader's business.
 */
import { damaged } from '../chunk/opening-stream.ts';
import { noScrypt, type ScryptCost } from './scrypt-key.ts';

export const magic = Buffer.from('894442450d0a1a0a', 'hex');
export const headerSize = 96;
/** The part that the header MAC covers. */
export const authenticatedSize = 64;
export const defaultChunkBits = 16;
/** 64 bytes to 16 MiB: bounds the memory that a header can ask for. */
const chunkBits = { min: 6, max: 24 };

export type KeyDerivation = 'raw' | 'scrypt';

export interface HeaderFields {
  readonly derivation: KeyDerivation;
  /** log₂ of the chunk size. */
  readonly chunkBits: number;
  readonly scrypt: ScryptCost;
  /** Raw key: its id. Passphrase: the header's own check sum. 16 bytes. */
  readonly id: Buffer;
  /** 32 random bytes, new for every file. */
  readonly salt: Buffer;
}

/** Bytes 0–15: everything before the id. */
export function headerStart(fields: Omit<HeaderFields, 'id' | 'salt'>): Buffer {
  const { logN, r, p } = fields.scrypt;
  const derivation = fields.derivation === 'scrypt' ? 1 : 0;
  return Buffer.concat([magic, Buffer.from([1, 1, derivation, fields.chunkBits, logN, r, p, 0])]);
}

/** Bytes 0–63: what the header MAC covers. */
export function headerBody(fields: HeaderFields): Buffer {
  return Buffer.concat([headerStart(fields), fields.id, fields.salt]);
}

/** Takes 96 bytes apart. Throws INTEGRITY for what is no header of version 1. */
export function parseHeader(header: Buffer): HeaderFields {
  const fields: HeaderFields = {
    derivation: header[10] === 1 ? 'scrypt' : 'raw',
    chunkBits: header.readUInt8(11),
    scrypt: { logN: header.readUInt8(12), r: header.readUInt8(13), p: header.readUInt8(14) },
    id: header.subarray(16, 32),
    salt: header.subarray(32, authenticatedSize),
  };
  assertMagic(header);
  if (header[8] !== 1 || header[9] !== 1) {
    throw damaged(
      `of format version ${header[8]}, suite ${header[9]} (this dbbackup reads 1, 1), or its header is damaged`,
    );
  }
  // Writing the fields back shows what no writer of this version would have written: unknown derivations, reserved bytes.
  const inRange = fields.chunkBits >= chunkBits.min && fields.chunkBits <= chunkBits.max;
  const cost = fields.derivation === 'raw' ? noScrypt : fields.scrypt;
  if (!inRange || !headerBody({ ...fields, scrypt: cost }).equals(header.subarray(0, authenticatedSize))) {
    throw damaged('damaged in its header: it holds values that no dbbackup writes');
  }
  return fields;
}

/** Throws as soon as the first bytes, however few, are not ours. */
export function assertMagic(head: Buffer): void {
  if (head.subarray(0, magic.length).equals(magic.subarray(0, head.length))) return;
  const isAge = head.toString('latin1', 0, 20).startsWith('age-encryption.org/');
  throw damaged(isAge ? 'an age file, though its name or sidecar says aes-256-gcm' : 'no dbbackup aes-256-gcm file');
}
