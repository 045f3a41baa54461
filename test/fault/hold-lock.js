// Child of lock.test.ts: `hold-lock.js <state folder> <name> <execution id> <hold|wait|rounds N marker>`.
// Prints "held" or the error as JSON, and releases at the end of stdin.

import { once } from 'node:events';
import { closeSync, openSync, unlinkSync } from 'node:fs';
import { acquireRunLock } from '../../dist/lock/run-lock.js';

const [stateFolder, name, executionId, mode, rounds, marker] = process.argv.slice(2);
const holder = { executionId, host: 'elsewhere', pid: process.pid, command: `dbbackup run ${name}` };
const acquire = (wait) => acquireRunLock({ stateFolder, name, holder, wait, signal: new AbortController().signal });

async function hold() {
  const lock = await acquire(mode === 'wait');
  process.stdout.write('held\n');
  process.stdin.resume();
  await once(process.stdin, 'end');
  await lock.release();
}

/** Inside the lock a file is made that must not exist; two holders at once make it fail with EEXIST. */
async function takeTurns() {
  for (let done = 0; done < Number(rounds); ) {
    const lock = await acquire(false).catch((error) => {
      if (error.code !== 'BUSY') throw error;
    });
    if (lock === undefined) continue;
    closeSync(openSync(marker, 'wx'));
    // Long enough that a waiter on an unlinked file would meet the holder of its successor.
    await new Promise((resolve) => setTimeout(resolve, 3));
    unlinkSync(marker);
    await lock.release();
    done += 1;
  }
  process.stdout.write('done\n');
}

await (mode === 'rounds' ? takeTurns() : hold()).catch((error) => {
  process.stdout.write(`${JSON.stringify({ code: error.code, exitCode: error.exitCode, message: error.message })}\n`);
  process.exitCode = 1;
});
