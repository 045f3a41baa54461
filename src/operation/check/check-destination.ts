/** A destination: what its kind knows of itself, and then a small object's whole life there. */
import { randomBytes, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { AdapterDefinition } from '../../config/config.ts';
import type { Destination, StoredObject } from '../../destination/destination.ts';
import { DbBackupError } from '../../errors.ts';
import { type Finding, fail, failure, info, ok, warn } from '../../finding.ts';
import { formatDuration } from '../../value/figure.ts';
import { openDestination } from '../open-adapter.ts';
import type { Runtime } from '../runtime.ts';
import { readObject } from '../storage/read-object.ts';

const folder = 'dbbackup-check';
const probeBytes = 48 * 1024;
/** Beyond it retention by age, and the order of backups of several machines, go wrong. */
const allowedSkewMs = 60_000;
/** Of a probe that a killed check has left. */
const abandonedMs = 3_600_000;

export async function* checkDestination(definition: AdapterDefinition, runtime: Runtime): AsyncGenerator<Finding> {
  const { destination } = await openDestination(definition, runtime);
  let usable = true;
  for await (const finding of destination.check?.(folder, runtime.signal) ?? []) {
    usable &&= finding.severity !== 'fail';
    yield finding;
  }
  if (usable) yield* liveThrough(destination, runtime.signal);
}

/** Written, read back, refused a second time, listed, removed. */
async function* liveThrough(destination: Destination, signal: AbortSignal): AsyncGenerator<Finding> {
  // Named like a state file, which no kind of destination locks against deletion.
  const key = `${folder}/${randomUUID()}.state.json`;
  const content = Buffer.from(JSON.stringify({ probe: randomBytes(probeBytes).toString('base64') }));
  const started = Date.now();
  let stored: StoredObject | undefined;
  try {
    stored = await put(destination, key, content, signal);
    const ended = Date.now();
    yield* readBack(destination, key, content, signal);
    yield ok(
      `stores and gives back ${Math.round(content.length / 1024)} KiB (${formatDuration(Date.now() - started)})`,
    );
    yield clockOf(stored, started, ended);
    yield await refusal(destination, key, content, signal);
  } catch (error) {
    signal.throwIfAborted();
    yield failure(error);
  } finally {
    yield* removed(destination, key, stored !== undefined);
  }
  await removeAbandoned(destination, signal);
}

function put(destination: Destination, key: string, content: Buffer, signal: AbortSignal): Promise<StoredObject> {
  const stream = Readable.from([content], { objectMode: false });
  return destination.put(key, stream, { signal, estimatedBytes: content.length });
}

async function* readBack(
  destination: Destination,
  key: string,
  content: Buffer,
  signal: AbortSignal,
): AsyncGenerator<Finding> {
  const back = await readObject(destination, key, content.length + 1, signal);
  if (!back.equals(content)) {
    yield fail(
      'gives back other bytes than were stored',
      'Do not store backups there: the store, or something on the way to it, is broken.',
    );
  }
  for await (const object of destination.list(`${folder}/`, { signal })) if (object.key === key) return;
  yield fail(
    'does not list what was stored',
    'Check the right to list; without it `list`, `restore` and retention see nothing.',
  );
}

/** A store's time is that of its answer, so it lies between asking and having been answered. */
function clockOf({ modifiedAt }: StoredObject, started: number, ended: number): Finding {
  const time = modifiedAt.getTime();
  const skew = time < started ? time - started : Math.max(0, time - ended);
  if (Number.isNaN(time) || time === 0) return info('the store tells no time');
  if (Math.abs(skew) < allowedSkewMs) return ok('its clock and ours agree');
  return warn(
    `its clock is ${formatDuration(Math.abs(skew))} ${skew > 0 ? 'ahead of' : 'behind'} ours`,
    'Set the wrong one by NTP: retention and `latest` go by the time of the machine that makes the backup.',
  );
}

async function refusal(destination: Destination, key: string, content: Buffer, signal: AbortSignal): Promise<Finding> {
  try {
    await put(destination, key, content, signal);
  } catch (error) {
    if (error instanceof DbBackupError && error.code === 'OBJECT_EXISTS')
      return ok('nothing that exists is overwritten');
    throw error;
  }
  return fail(
    'an existing object was overwritten',
    'Do not store backups there, and report this: it must not be possible.',
  );
}

/** What was never stored is deleted all the same, but nothing follows from that. */
async function* removed(destination: Destination, key: string, wasStored: boolean): AsyncGenerator<Finding> {
  try {
    await destination.delete(key);
    if (!wasStored) return;
    if ((await destination.stat(key)) === undefined) return yield ok('deletes what it is told to delete');
    yield warn(
      `${key} is still there after it was deleted`,
      'Retention may not work there: look at locks and rights of the store.',
    );
  } catch (error) {
    if (!wasStored) return;
    const { wayOut } = failure(
      error,
      'Give the right to delete, or set no retention there and let the store remove old backups.',
    );
    yield warn(`${key} could not be deleted, and retention would fail in the same way`, wayOut ?? '');
  }
}

/** Silently: it is no finding of today. */
async function removeAbandoned(destination: Destination, signal: AbortSignal): Promise<void> {
  try {
    for await (const { key, modifiedAt } of destination.list(`${folder}/`, { signal })) {
      if (Date.now() - modifiedAt.getTime() > abandonedMs) await destination.delete(key);
    }
  } catch {
    signal.throwIfAborted();
  }
}
