import { Writable } from 'node:stream';
import type { App, GlobalOptions, Terminal } from './app.ts';
import { type Output, openOutput } from './output.ts';

/** For what runs for months: every line begins with its time (UTC), every event of `--json` has one. */
export function openStampedOutput(app: App, options: GlobalOptions, now: () => Date): Output {
  const lines = stamped(app.stderr, now);
  const output = openOutput({ ...app, stdout: options.json ? app.stdout : lines, stderr: lines }, options);
  const withTime = (value: unknown) => ({ time: now(), ...(value as Record<string, unknown>) });
  return {
    ...output,
    result: (value, text) => output.result(withTime(value), text),
    event: (value) => output.event(withTime(value)),
    warn(text) {
      output.event({ time: now(), type: 'warning', text });
      output.warn(text);
    },
    failure: (error, about) => output.failure(error, withTime(about ?? {})),
  };
}

function stamped(to: Terminal, now: () => Date): Terminal {
  const stream = new Writable({
    decodeStrings: false,
    write(chunk: string | Buffer, _encoding, done) {
      const lines = String(chunk).replace(/\n$/, '').split('\n');
      const time = now().toISOString();
      to.write(`${lines.map((line) => `${time} ${line}`).join('\n')}\n`);
      // Not when the line is out: what the program says last would be lost at its exit.
      done();
    },
  });
  return Object.assign(stream, { isTTY: to.isTTY, columns: to.columns });
}
