// Made the frozen vectors once: node test/vectors/make-vectors.mjs. Refuses to make them again over the old ones.
// The aes-256-gcm writer here is written from FORMAT.md alone and shares no code with src, on purpose.
import * as crypto from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';

const folder = new URL('./', import.meta.url);
const save = (name, content) => writeFileSync(new URL(name, folder), content, { flag: 'wx' });
const sha256 = (...parts) => crypto.createHash('sha256').update(Buffer.concat(parts)).digest();
const hmac = (key, data) => crypto.createHmac('sha256', key).update(data).digest();
const hkdf = (key, salt, info) => Buffer.from(crypto.hkdfSync('sha256', key, salt, info, 32));
const plaintext = (size) => Buffer.from(Uint8Array.from({ length: size }, (_, i) => (i * 31 + (i >> 6) * 7 + 1) & 255));

function sealChunk(algorithm, key, aad, index, last, plain) {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(index, 7);
  nonce[11] = last;
  const cipher = crypto.createCipheriv(algorithm, key, nonce, { authTagLength: 16 });
  if (aad) cipher.setAAD(aad);
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function chunksOf(plain, size) {
  const chunks = [];
  for (let at = 0; at < plain.length; at += size) chunks.push(plain.subarray(at, at + size));
  return chunks.length === 0 ? [Buffer.alloc(0)] : chunks;
}

const key = sha256(Buffer.from('frozen vector key'));
const otherKey = sha256(Buffer.from('another frozen vector key'));
const passphrase = 'correct horse battery stäple';

/** `secret`: a Buffer (raw key) or a string (passphrase). `mark(i, n)`: the last-mark of chunk i of n. */
function aesFile({ secret, plain, bits = 6, cost = [0, 0, 0], start = {}, mark = (i, n) => (i === n - 1 ? 1 : 0), spend = cost }) {
  const salt = sha256(Buffer.from(`salt ${plain.length} ${bits} ${JSON.stringify([cost, start])}`));
  const isKey = Buffer.isBuffer(secret);
  const first16 = Buffer.concat([Buffer.from('894442450d0a1a0a', 'hex'), Buffer.from([1, 1, isKey ? 0 : 1, bits, ...cost, 0])]);
  for (const [at, value] of Object.entries(start)) first16[at] = value;
  const [logN, r, p] = spend;
  const K = isKey ? secret : crypto.scryptSync(secret, Buffer.concat([Buffer.from('dbbackup-scrypt-v1'), salt]), 32, { N: 2 ** logN, r, p });
  const id = (isKey ? hmac(K, 'dbbackup-keyid-v1') : sha256(first16, salt)).subarray(0, 16);
  const body = Buffer.concat([first16, id, salt]);
  const mac = hmac(hkdf(K, salt, 'header'), body);
  const fileKey = hkdf(K, salt, 'payload');
  const chunks = chunksOf(plain, 2 ** bits);
  const sealed = chunks.map((chunk, i) => sealChunk('aes-256-gcm', fileKey, mac, i, mark(i, chunks.length), chunk));
  const extra = (index, last, chunk) => sealChunk('aes-256-gcm', fileKey, mac, index, last, chunk);
  return { header: Buffer.concat([body, mac]), sealed, extra, bytes: Buffer.concat([body, mac, ...sealed]) };
}

function aesVectors() {
  const vectors = [];
  const add = (name, bytes, secret, expect, more = {}) => {
    const given = Buffer.isBuffer(secret) ? { key: secret.toString('hex') } : { passphrase: secret };
    vectors.push({ name, expect, ...given, ...more, file: bytes.toString('base64') });
  };
  const flip = (bytes, at, mask = 1) => {
    const copy = Buffer.from(bytes);
    copy[at] ^= mask;
    return copy;
  };
  for (const size of [0, 1, 15, 16, 17, 63, 64, 65, 127, 128, 129, 320]) {
    add(`key, ${size} bytes`, aesFile({ secret: key, plain: plaintext(size) }).bytes, key, 'ok', { size });
  }
  add('key, chunks of 64 KiB', aesFile({ secret: key, plain: plaintext(100), bits: 16 }).bytes, key, 'ok', { size: 100 });
  add('key, chunks of 16 MiB', aesFile({ secret: key, plain: plaintext(100), bits: 24 }).bytes, key, 'ok', { size: 100 });
  const cheap = [10, 8, 1];
  for (const size of [0, 64, 65]) {
    add(`passphrase, ${size} bytes`, aesFile({ secret: passphrase, plain: plaintext(size), cost: cheap }).bytes, passphrase, 'ok', { size });
  }
  const p3 = aesFile({ secret: passphrase, plain: plaintext(100), cost: [11, 4, 3] });
  add('passphrase, other scrypt cost', p3.bytes, passphrase, 'ok', { size: 100 });

  const whole = aesFile({ secret: key, plain: plaintext(160) }); // chunks of 64, 64, 32
  const { header, sealed, extra } = whole;
  const fields = { magic: 0, version: 8, suite: 9, derivation: 10, 'chunk size': 11, logN: 12, r: 13, p: 14, reserved: 15, 'key id': 16, 'key id, end': 31, salt: 32, 'salt, end': 63, mac: 64, 'mac, end': 95 };
  for (const [field, at] of Object.entries(fields)) {
    add(`damaged header: ${field}`, flip(whole.bytes, at), key, 'INTEGRITY', { releases: 0 });
    const isMac = at >= 64;
    add(`damaged passphrase header: ${field}`, flip(p3.bytes, at), passphrase, isMac ? 'WRONG_KEY' : 'INTEGRITY', { releases: 0 });
  }
  add('wrong key', whole.bytes, otherKey, 'WRONG_KEY', { releases: 0 });
  add('wrong passphrase', p3.bytes, `${passphrase}!`, 'WRONG_KEY', { releases: 0 });
  add('passphrase for a file with a key', whole.bytes, passphrase, 'WRONG_KEY', { releases: 0 });
  add('key for a file with a passphrase', p3.bytes, key, 'WRONG_KEY', { releases: 0 });
  for (const [name, start] of [['version 2', { 8: 2 }], ['suite 2', { 9: 2 }], ['reserved byte 1', { 15: 1 }], ['chunks of 32 bytes', { 11: 5 }], ['chunks of 32 MiB', { 11: 25 }], ['scrypt cost beside a raw key', { 12: 10 }]]) {
    add(`authentic, but ${name}`, aesFile({ secret: key, plain: plaintext(10), start }).bytes, key, 'INTEGRITY', { releases: 0 });
  }
  for (const cost of [[30, 8, 1], [255, 255, 255], [20, 8, 1], [17, 8, 255], [0, 8, 1], [10, 0, 1], [10, 8, 0], [16, 1, 1]]) {
    const absurd = aesFile({ secret: passphrase, plain: plaintext(10), cost, spend: cheap });
    add(`absurd scrypt cost ${cost}`, absurd.bytes, passphrase, 'LIMIT_EXCEEDED', { releases: 0 });
  }
  const says = (text, releases) => ({ says: text, releases });
  const join = (...parts) => Buffer.concat(parts);
  add('first chunk removed', join(header, sealed[1], sealed[2]), key, 'INTEGRITY', says('chunk 0', 0));
  add('middle chunk removed', join(header, sealed[0], sealed[2]), key, 'INTEGRITY', says('chunk 1', 64));
  add('last chunk removed', join(header, sealed[0], sealed[1]), key, 'INTEGRITY', says('truncated', 128));
  add('all chunks removed', header, key, 'INTEGRITY', says('truncated', 0));
  add('chunks swapped', join(header, sealed[1], sealed[0], sealed[2]), key, 'INTEGRITY', says('chunk 0', 0));
  add('chunk repeated', join(header, sealed[0], sealed[0], sealed[1], sealed[2]), key, 'INTEGRITY', says('chunk 1', 64));
  add('last chunk repeated', join(header, ...sealed, sealed[2]), key, 'INTEGRITY', says('chunk 2', 128));
  const other = aesFile({ secret: key, plain: plaintext(161) });
  add('chunk of another file under the same key', join(header, sealed[0], other.sealed[1], sealed[2]), key, 'INTEGRITY', says('chunk 1', 64));
  for (const cut of [1, 15, 16, 17, 47, 49, 100, 127]) {
    const at = whole.bytes.length - cut;
    add(`truncated by ${cut}`, whole.bytes.subarray(0, at), key, 'INTEGRITY', says('truncated', at > 96 + 160 ? 128 : 64));
  }
  for (const length of [0, 1, 8, 12, 95]) add(`truncated header: ${length} bytes`, header.subarray(0, length), key, 'INTEGRITY', says('truncated', 0));
  for (const more of [1, 16, 64, 500]) add(`${more} trailing bytes`, join(whole.bytes, Buffer.alloc(more)), key, 'INTEGRITY', says('chunk 2', 128));
  const full = aesFile({ secret: key, plain: plaintext(128) });
  add('1 trailing byte after a full last chunk', join(full.bytes, Buffer.alloc(1)), key, 'INTEGRITY', says('trailing bytes', 128));
  add('200 trailing bytes after a full last chunk', join(full.bytes, Buffer.alloc(200)), key, 'INTEGRITY', says('trailing bytes', 128));
  add('another empty last chunk after a full last chunk', join(full.bytes, full.extra(2, 1, Buffer.alloc(0))), key, 'INTEGRITY', says('trailing bytes', 128));
  add('empty last chunk after full chunks', join(header, sealed[0], sealed[1], extra(2, 1, Buffer.alloc(0))), key, 'INTEGRITY', says('chunk 2', 128));
  add('no last-mark', aesFile({ secret: key, plain: plaintext(160), mark: () => 0 }).bytes, key, 'INTEGRITY', says('truncated', 128));
  add('last-mark on every chunk', aesFile({ secret: key, plain: plaintext(160), mark: () => 1 }).bytes, key, 'INTEGRITY', says('trailing bytes', 64));
  const spots = { 'chunk 0': [96, 159, 160, 175], 'chunk 1': [176, 255], 'chunk 2': [256, 288, 303] };
  for (const [chunk, offsets] of Object.entries(spots)) {
    for (const at of offsets) add(`flipped bit at ${at}`, flip(whole.bytes, at, 128), key, 'INTEGRITY', says(chunk, (Number(chunk.slice(6))) * 64));
  }
  return vectors;
}

async function ageVectors() {
  // Test keys: they protect nothing.
  const identity = await generateX25519Identity();
  const stranger = await generateX25519Identity();
  const files = [];
  const seal = async (name, size, setUp) => {
    const encrypter = new Encrypter();
    await setUp(encrypter);
    const bytes = Buffer.from(await encrypter.encrypt(plaintext(size)));
    save(`age/${name}.age`, bytes);
    files.push({ file: `${name}.age`, bytes, size });
  };
  const toIdentity = async (encrypter) => encrypter.addRecipient(await identityToRecipient(identity));
  for (const size of [0, 1, 65535, 65536, 65537]) await seal(`x25519-${size}`, size, toIdentity);
  await seal('two-recipients', 100, async (encrypter) => {
    encrypter.addRecipient(await identityToRecipient(stranger));
    await toIdentity(encrypter);
  });
  await seal('passphrase', 100, (encrypter) => {
    encrypter.setPassphrase(passphrase);
    encrypter.setScryptWorkFactor(10);
  });
  const vectors = files.map(({ file, size }) => ({ name: file, file, edits: [], expect: 'ok', size }));
  const bad = (name, file, edits, expect, more) => vectors.push({ name, file, edits, expect, ...more });
  const headerEnd = (file) => {
    const { bytes } = files.find((each) => each.file === file);
    return bytes.indexOf('\n', bytes.indexOf('\n---') + 1) + 1;
  };
  const big = 'x25519-65537.age';
  const start = headerEnd(big) + 16;
  const length = files.find(({ file }) => file === big).bytes.length;
  const text = { 'first line': 3, 'stanza type': 26, share: 40, 'wrapped file key': 90, 'mac line': headerEnd(big) - 47, mac: headerEnd(big) - 20, newline: headerEnd(big) - 1 };
  for (const [what, at] of Object.entries(text)) {
    const keyLike = ['stanza type', 'share', 'wrapped file key'].includes(what);
    bad(`damaged header: ${what}`, big, [['flip', at]], keyLike ? 'WRONG_KEY' : 'INTEGRITY', { releases: 0, pinnedExpect: 'INTEGRITY' });
  }
  bad('damaged payload nonce', big, [['flip', start - 1]], 'INTEGRITY', { releases: 0, says: 'chunk 0' });
  bad('flipped bit in chunk 0', big, [['flip', start]], 'INTEGRITY', { releases: 0, says: 'chunk 0' });
  bad('flipped bit in the tag of chunk 0', big, [['flip', start + 65536]], 'INTEGRITY', { releases: 0, says: 'chunk 0' });
  bad('flipped bit in chunk 1', big, [['flip', length - 1]], 'INTEGRITY', { releases: 65536, says: 'chunk 1' });
  bad('truncated at the chunk boundary', big, [['cut', start + 65552]], 'INTEGRITY', { releases: 65536, says: 'truncated' });
  bad('truncated off the boundary', big, [['cut', start + 40000]], 'INTEGRITY', { releases: 0, says: 'truncated' });
  bad('truncated by one byte', big, [['cut', length - 1]], 'INTEGRITY', { releases: 65536, says: 'truncated' });
  bad('truncated in the nonce', big, [['cut', start - 3]], 'INTEGRITY', { releases: 0, says: 'truncated' });
  bad('truncated after the nonce', big, [['cut', start]], 'INTEGRITY', { releases: 0, says: 'truncated' });
  bad('truncated in the header', big, [['cut', 60]], 'INTEGRITY', { releases: 0, says: 'truncated' });
  bad('chunk removed', big, [['remove', start, start + 65552]], 'INTEGRITY', { releases: 0, says: 'chunk 0' });
  bad('chunk repeated', big, [['repeat', start, start + 65552]], 'INTEGRITY', { releases: 65536, says: 'chunk 1' });
  bad('chunks swapped', big, [['swap', start, start + 65552]], 'INTEGRITY', { releases: 0, says: 'chunk 0' });
  bad('trailing byte', big, [['append', 1]], 'INTEGRITY', { releases: 65536, says: 'chunk 1' });
  bad('trailing byte after a full last chunk', 'x25519-65536.age', [['append', 1]], 'INTEGRITY', { releases: 65536, says: 'trailing bytes' });
  bad('wrong identity', big, [], 'WRONG_KEY', { releases: 0, with: 'stranger' });
  bad('wrong passphrase', 'passphrase.age', [], 'WRONG_KEY', { releases: 0, with: 'wrong passphrase' });
  const factor = files.find(({ file }) => file === 'passphrase.age').bytes.indexOf(' 10\n') + 1;
  bad('absurd scrypt work factor', 'passphrase.age', [['write', factor, '30']], 'LIMIT_EXCEEDED', { releases: 0, pinnedExpect: 'INTEGRITY' });
  return { identity, stranger, passphrase, vectors };
}

const note = 'Frozen: made once by make-vectors.mjs. plaintext byte i = (i * 31 + (i >> 6) * 7 + 1) & 255';
save('aes-256-gcm/vectors.json', `${JSON.stringify({ note, vectors: aesVectors() }, null, 1)}\n`);
save('age/vectors.json', `${JSON.stringify({ note, ...(await ageVectors()) }, null, 1)}\n`);
