#!/usr/bin/env node
/**
 * A dump (or restore) program that behaves as its environment says; put on PATH under any name by `fakeProgram`.
 * Writes are synchronous, so that "after n bytes" is exact. Environment, all optional:
 *
 * What it writes, in this order
 *   DUMP_HEADER         text before the payload
 *   DUMP_BYTES          payload bytes (default 1 MiB)
 *   DUMP_PAYLOAD        `text` (SQL lines, default) or `random`; DUMP_SEED (default 1) decides the bytes
 *   DUMP_FILE           copy this file instead of a generated payload
 *   DUMP_TRAILER        text after the payload (default `-- dump complete\n`; `` = none)
 *   DUMP_STDERR_BYTES   bytes of lines on stderr before anything else;  DUMP_STDERR: one last line there
 * How it ends
 *   DUMP_EXIT           exit code (default 0)
 *   DUMP_EXIT_AT        exits so after n bytes, without the rest;   DUMP_KILL_AT: SIGKILLs itself there
 *   DUMP_STALL_AT       stays silent for ever after n bytes;        DUMP_IGNORE_TERM=1: a SIGTERM does not end it
 *   DUMP_SLOW_MS        pause after every 64 KiB
 * What it leaves
 *   DUMP_GRANDCHILD     starts `sleep 600` on the same stdio and writes its pid into this file
 *   DUMP_PID_FILE       its own pid;  DUMP_ARGV_FILE: its arguments as JSON, one line per call
 *   DUMP_VERSION        what `--version` or `-version` prints
 * As a program that reads: DUMP_MODE=read
 *   DUMP_EXIT_AT        exits with DUMP_EXIT after n bytes read; DUMP_KILL_AT, DUMP_STALL_AT likewise (stops reading)
 *   DUMP_INPUT_FILE     what it has read;  DUMP_EOF_FILE: is written at the end of input, and only then
 */
import { spawn } from 'node:child_process';
import { appendFileSync, createReadStream, readFileSync, writeFileSync, writeSync } from 'node:fs';

const env = process.env;
const chunkBytes = 64 * 1024;
const limits = { exit: limit('DUMP_EXIT_AT'), kill: limit('DUMP_KILL_AT'), stall: limit('DUMP_STALL_AT') };
const stopAt = Math.min(limits.exit, limits.kill, limits.stall);
const sleeper = new Int32Array(new SharedArrayBuffer(4));

function limit(name) {
  return env[name] === undefined ? Number.POSITIVE_INFINITY : Number(env[name]);
}

function writeAll(fd, buffer) {
  for (let at = 0; at < buffer.length; ) at += writeSync(fd, buffer, at);
}

function end() {
  if (stopAt === limits.kill && stopAt !== Number.POSITIVE_INFINITY) process.kill(process.pid, 'SIGKILL');
  else if (stopAt === limits.stall && stopAt !== Number.POSITIVE_INFINITY) setInterval(() => {}, 1 << 30);
  else process.exit(Number(env.DUMP_EXIT ?? 0));
}

/** xorshift32: small, seeded, the same everywhere. */
function* numbers(seed) {
  for (let state = seed | 0 || 1; ; ) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    yield state >>> 0;
  }
}

function* textChunks(random) {
  for (let row = 1; ; ) {
    let text = '';
    for (; text.length < chunkBytes; row += 1) {
      text += `INSERT INTO item VALUES (${row}, 'name ${random.next().value}', ${random.next().value % 1000});\n`;
    }
    yield Buffer.from(text);
  }
}

function* randomChunks(random) {
  for (;;) {
    const words = new Uint32Array(chunkBytes / 4);
    for (let i = 0; i < words.length; i += 1) words[i] = random.next().value;
    yield Buffer.from(words.buffer);
  }
}

function* payload() {
  if (env.DUMP_FILE !== undefined) return yield readFileSync(env.DUMP_FILE);
  const random = numbers(Number(env.DUMP_SEED ?? 1));
  let left = Number(env.DUMP_BYTES ?? 1024 * 1024);
  for (const chunk of env.DUMP_PAYLOAD === 'random' ? randomChunks(random) : textChunks(random)) {
    if (left <= 0) return;
    yield chunk.subarray(0, left);
    left -= chunk.length;
  }
}

function* output() {
  yield Buffer.from(env.DUMP_HEADER ?? '');
  yield* payload();
  yield Buffer.from(env.DUMP_TRAILER ?? '-- dump complete\n');
}

function write() {
  let written = 0;
  for (const chunk of output()) {
    writeAll(1, chunk.subarray(0, stopAt - written));
    written += chunk.length;
    if (written >= stopAt) return end();
    if (env.DUMP_SLOW_MS !== undefined) Atomics.wait(sleeper, 0, 0, Number(env.DUMP_SLOW_MS));
  }
  // A limit beyond the end is never reached.
  process.exit(Number(env.DUMP_EXIT ?? 0));
}

function read() {
  let seen = 0;
  // Not process.stdin: that would make the descriptor non-blocking for those who share it.
  const input = createReadStream('', { fd: 0, autoClose: false });
  input.on('data', (chunk) => {
    seen += chunk.length;
    if (env.DUMP_INPUT_FILE !== undefined) appendFileSync(env.DUMP_INPUT_FILE, chunk);
    if (seen < stopAt) return;
    input.pause();
    end();
  });
  input.on('end', () => {
    if (env.DUMP_EOF_FILE !== undefined) writeFileSync(env.DUMP_EOF_FILE, String(seen));
    process.exit(Number(env.DUMP_EXIT ?? 0));
  });
}

function floodStderr(bytes) {
  const block = Buffer.from('a notice that nobody wanted to read\n'.repeat(2000));
  for (let left = bytes; left > 0; left -= block.length) writeAll(2, block.subarray(0, left));
}

if (env.DUMP_ARGV_FILE !== undefined) {
  appendFileSync(env.DUMP_ARGV_FILE, `${JSON.stringify(process.argv.slice(2))}\n`);
}
if (env.DUMP_VERSION !== undefined && process.argv.some((argument) => /^--?version$/.test(argument))) {
  writeAll(1, Buffer.from(`${env.DUMP_VERSION}\n`));
  process.exit(0);
}
if (env.DUMP_IGNORE_TERM === '1') process.on('SIGTERM', () => {});
if (env.DUMP_PID_FILE !== undefined) writeFileSync(env.DUMP_PID_FILE, String(process.pid));
if (env.DUMP_GRANDCHILD !== undefined) {
  const grandchild = spawn('sleep', ['600'], { stdio: 'inherit' });
  grandchild.unref();
  writeFileSync(env.DUMP_GRANDCHILD, String(grandchild.pid));
}
floodStderr(Number(env.DUMP_STDERR_BYTES ?? 0));
if (env.DUMP_STDERR !== undefined) writeAll(2, Buffer.from(`${env.DUMP_STDERR}\n`));
if (env.DUMP_MODE === 'read') read();
else write();
