import { open } from 'node:fs/promises';
import { DbBackupError } from '../../errors.ts';
import { Crc64 } from './crc64.ts';
import { piecesOf } from './file-pieces.ts';
import { opcode } from './rdb-type.ts';
import type { RdbWalker } from './rdb-walker.ts';

/** They are handed over as text. */
const libraryLimit = 8 * 1024 * 1024;

/** The payload of FUNCTION RESTORE; undefined when the file holds no functions. */
export async function libraryPayload(path: string, { libraries, version }: RdbWalker): Promise<Buffer | undefined> {
  if (libraries.length === 0) return undefined;
  const bytes = libraries.reduce((sum, { start, end }) => sum + end - start, 0);
  if (bytes > libraryLimit) {
    throw new DbBackupError('LIMIT_EXCEEDED', `the functions take ${bytes} bytes, more than ${libraryLimit}`, {
      hint: 'Restore into a data folder.',
    });
  }
  const file = await open(path);
  try {
    const body: Buffer[] = [];
    for (const part of libraries) {
      body.push(Buffer.of(opcode.library));
      for await (const piece of piecesOf(file, part)) body.push(Buffer.from(piece));
    }
    const whole = Buffer.concat(body);
    const covered = Buffer.concat([whole, Buffer.of(version & 0xff, version >> 8)]);
    return Buffer.concat([covered, new Crc64().update(covered).digest()]);
  } finally {
    await file.close();
  }
}
