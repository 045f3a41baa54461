import { nameOf, ProgramFailure } from './failure.ts';
import { graceMs } from './group.ts';
import type { Run } from './run.ts';

type Done = (error?: Error | null) => void;

/** The `write` and `final` of a stream over the program's stdin; `final` is done at exit 0. */
export function inputMethods(run: Run) {
  const { stdin } = run.child;
  run.idle.hold('input');
  stdin.on('error', () => brokenInput(run));
  if (run.spec.stdinPrefix !== undefined) stdin.write(run.spec.stdinPrefix);
  return {
    write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
      run.idle.release('input');
      stdin.write(chunk, (error) => {
        // EPIPE says nothing; the program's own end says why.
        if (error) return settle(run, done);
        run.idle.touch();
        run.idle.hold('input');
        done();
      });
    },
    final(done: Done): void {
      run.idle.release('input');
      run.inputOpen = false;
      stdin.end();
      settle(run, done);
    },
  };
}

/** A program that reads no more is about to exit and tell why; one that stays silently is ended. */
function brokenInput(run: Run): void {
  if (!run.inputOpen) return;
  const message = `${nameOf(run.spec)} closed its input before the end`;
  const timer = setTimeout(() => void run.stop(new ProgramFailure('TOOL_FAILED', message)), graceMs);
  void run.ended.catch(() => {}).then(() => clearTimeout(timer));
}

function settle(run: Run, done: Done): void {
  run.ended.then(() => done(), done);
}
