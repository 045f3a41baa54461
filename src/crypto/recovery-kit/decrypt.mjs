// Decrypts backups of dbbackup's format aes-256-gcm (*.enc) without dbbackup. Needs Node 18 or newer, nothing else.
//
//   node decrypt.mjs backup.sql.gz.enc backup.sql.gz --key backup.key
//   node decrypt.mjs backup.sql.gz.enc backup.sql.gz --passphrase passphrase.txt
//
// The key file holds keys, one a line, as 64 hex digits or base64 of 32 bytes (# comments allowed): the right one is
// found by its id. The passphrase file holds the passphrase.
// The output gets its name only after every byte was authenticated; an existing file is never overwritten.
// Exit code: 0 done, 1 damaged file or wrong key, 2 usage.
import { createDecipheriv, createHash, createHmac, hkdfSync, scryptSync } from 'node:crypto';
import * as fs from 'node:fs';

const damaged = (what) => new Error(`${what}. The file was changed or cut: try another copy.`);
const tagSize = 16;

function main([input, output, option, secretFile, ...rest]) {
  const usage = 'usage: node decrypt.mjs FILE.enc OUTPUT --key FILE | --passphrase FILE';
  if (!secretFile || rest.length > 0 || !['--key', '--passphrase'].includes(option)) return say(usage, 2);
  const temporary = `${output}.${process.pid}.part`;
  try {
    const source = fs.openSync(input, 'r');
    const secret = fs.readFileSync(secretFile, 'utf8');
    const rawKeys = option === '--key' ? readKeys(secret) : undefined;
    const cipher = openHeader(readAt(source, 0, 96), rawKeys, secret.replace(/\r?\n$/, ''));
    refuseExisting(output);
    const bytes = decryptToFile(source, temporary, cipher);
    refuseExisting(output);
    fs.renameSync(temporary, output);
    say(`${output}: ${bytes} bytes, every one authenticated`, 0);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    say(`${input}: not decrypted. ${error.message}`, 1);
  }
}

function refuseExisting(output) {
  if (fs.existsSync(output)) throw new Error(`${output} exists already, and is left as it is.`);
}

function say(text, exitCode) {
  process.stderr.write(`${text}\n`);
  process.exitCode = exitCode;
}

function readKeys(text) {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const written = lines.filter((line) => line !== '' && !line.startsWith('#'));
  const keys = written.map((line) => Buffer.from(line, /^[0-9a-f]{64}$/i.test(line) ? 'hex' : 'base64'));
  if (keys.length > 0 && keys.every((key) => key.length === 32)) return keys;
  throw new Error('Each line of the key file must be 64 hex digits or base64 of 32 bytes.');
}

/** Checks the 96-byte header and gives what the chunks need. */
function openHeader(header, rawKeys, passphrase) {
  const { derivation, chunkBits, cost, id, salt, mac } = parseHeader(header);
  if (derivation === 1 && rawKeys) throw new Error('It was encrypted with a passphrase: use --passphrase.');
  if (derivation === 0 && !rawKeys) throw new Error('It was encrypted with a key: use --key.');
  const key = rawKeys ? keyOfId(rawKeys, id) : passphraseKey(passphrase, salt, cost);
  if (hmac(derive(key, salt, 'header'), header.subarray(0, 64)).equals(mac)) {
    return { key: derive(key, salt, 'payload'), mac, chunkSize: 2 ** chunkBits };
  }
  if (rawKeys) throw damaged('Damaged header: the key is the right one');
  throw new Error('Wrong passphrase (or the last 32 bytes of the header are damaged).');
}

function keyOfId(keys, id) {
  const ids = keys.map((key) => hmac(key, 'dbbackup-keyid-v1').toString('hex', 0, 16));
  const at = ids.indexOf(id.toString('hex'));
  if (at >= 0) return keys[at];
  throw new Error(`Wrong key: it needs the key ${id.toString('hex')}; at hand: ${ids.join(', ')}.`);
}

function parseHeader(header) {
  if (!header.subarray(0, 8).equals(Buffer.from('894442450d0a1a0a', 'hex'))) throw damaged('No dbbackup .enc file');
  if (header.length < 96) throw damaged('Truncated inside the header');
  const [version, suite, derivation, chunkBits, logN, r, p, reserved] = header.subarray(8, 16);
  const [id, salt, mac] = [header.subarray(16, 32), header.subarray(32, 64), header.subarray(64, 96)];
  const check = sha256(Buffer.concat([header.subarray(0, 16), salt])).subarray(0, 16);
  const consistent = derivation === 1 ? id.equals(check) : derivation === 0 && logN + r + p === 0;
  const known = version === 1 && suite === 1 && reserved === 0 && chunkBits >= 6 && chunkBits <= 24;
  if (!known || !consistent) throw damaged(`Damaged header (or a newer format: version ${version}, suite ${suite})`);
  return { derivation, chunkBits, cost: { logN, r, p }, id, salt, mac };
}

function passphraseKey(passphrase, salt, { logN, r, p }) {
  const cost = 128 * 2 ** logN * r * p;
  if (!(cost > 0 && cost <= 2 ** 29 && logN >= 1 && logN < 16 * r))
    throw new Error('It asks for an absurd scrypt cost.');
  const prefixed = Buffer.concat([Buffer.from('dbbackup-scrypt-v1'), salt]);
  return scryptSync(Buffer.from(passphrase, 'utf8'), prefixed, 32, { N: 2 ** logN, r, p, maxmem: 2 ** 30 });
}

function decryptToFile(source, path, cipher) {
  const target = fs.openSync(path, 'wx', 0o600);
  const bytes = decryptChunks(source, target, cipher);
  fs.fsyncSync(target);
  fs.closeSync(target);
  return bytes;
}

function decryptChunks(source, target, cipher) {
  const size = fs.fstatSync(source).size;
  const stored = cipher.chunkSize + tagSize;
  let bytes = 0;
  for (let index = 0, at = 96; index === 0 || at < size; index += 1, at += stored) {
    const chunk = readAt(source, at, stored);
    const last = at + chunk.length >= size;
    const plain = openChunk(chunk, index, last, cipher);
    if (plain === undefined || (plain.length === 0 && index > 0))
      throw damaged(whatIsWrong(chunk, index, last, cipher));
    for (let written = 0; written < plain.length; ) written += fs.writeSync(target, plain, written);
    bytes += plain.length;
  }
  return bytes;
}

function openChunk(chunk, index, last, { key, mac }) {
  if (chunk.length < tagSize) return undefined;
  const nonce = Buffer.alloc(12);
  nonce.writeUIntBE(index, 5, 6);
  nonce[11] = last ? 1 : 0;
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagSize });
  decipher.setAAD(mac);
  decipher.setAuthTag(chunk.subarray(-tagSize));
  const plain = decipher.update(chunk.subarray(0, -tagSize));
  try {
    decipher.final();
    return plain;
  } catch {
    return undefined;
  }
}

/** A chunk that opens with the other last-mark is whole; what surrounds it is not. */
function whatIsWrong(chunk, index, last, cipher) {
  const whole = openChunk(chunk, index, !last, cipher) !== undefined;
  if (whole && last) return `Truncated: chunks after chunk ${index} are missing`;
  if (whole) return `Trailing bytes after chunk ${index}, the last`;
  return `Chunk ${index} is damaged${last ? ' or truncated' : ''}`;
}

function readAt(file, position, length) {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  for (let read = -1; read !== 0 && filled < length; filled += read) {
    read = fs.readSync(file, buffer, filled, length - filled, position + filled);
  }
  return buffer.subarray(0, filled);
}

const sha256 = (data) => createHash('sha256').update(data).digest();
const hmac = (key, data) => createHmac('sha256', key).update(data).digest();
const derive = (key, salt, info) => Buffer.from(hkdfSync('sha256', key, salt, info, 32));

main(process.argv.slice(2));
