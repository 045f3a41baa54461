/**
 * The commands of rclone that a destination needs.
 * Guarantees: remote, config password and credentials reach rclone by its environment, never as arguments; names are
 * arguments behind a remote, so that none is taken for an option; rclone never asks anything.
 */
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { DbBackupError } from '../../errors.ts';
import { type Consumer, capture, consume, type Producer, type ProgramSpec, produce } from '../../process/process.ts';
import type { StoredObject } from '../destination.ts';
import type { RcloneOptions } from './options.ts';
import { isMissing } from './rclone-error.ts';

const defaultIdleTimeoutMs = 5 * 60_000;
/** A remote that exists in rclone's environment only and stands for the user's. */
const alias = 'dbbackupdestination';

/** What `lsjson` tells about a file. */
interface Entry {
  readonly Path: string;
  readonly Size: number;
  readonly ModTime: string;
  readonly IsDir: boolean;
}

export class RcloneProgram {
  readonly #options: RcloneOptions;
  readonly #baseFolder: string;

  constructor(options: RcloneOptions, baseFolder: string) {
    this.#options = options;
    this.#baseFolder = baseFolder;
  }

  /** Undefined for what does not exist, and for folders. */
  async stat(key: string, signal?: AbortSignal): Promise<StoredObject | undefined> {
    try {
      const { stdout } = await capture(this.#spec(['lsjson', '--stat', '--no-mimetype', at(key)], signal));
      const entry = JSON.parse(stdout) as Entry | null;
      return entry === null || entry.IsDir ? undefined : toObject(key, entry);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** The files below a folder (`''` or a key with a slash behind), as they come; a missing folder is empty. */
  async *list(folder: string, filters: readonly string[], signal?: AbortSignal): AsyncGenerator<StoredObject> {
    const args = ['lsjson', '--recursive', '--files-only', '--no-mimetype', ...filters, at(folder)];
    const program = produce(this.#spec(args, signal));
    try {
      for await (const line of linesOf(program.stdout)) {
        const json = line.replace(/,$/, '');
        if (!json.startsWith('{')) continue;
        const entry = JSON.parse(json) as Entry;
        yield toObject(folder + entry.Path, entry);
      }
    } catch (error) {
      signal?.throwIfAborted();
      if (!isMissing(error)) throw error;
    } finally {
      await program.stop();
    }
  }

  /** Takes a stream of unknown length; rclone compares size and, where the remote has one, checksum at the end. */
  receive(key: string, signal: AbortSignal): Consumer {
    return consume({ ...this.#spec(['rcat', at(key)], signal), idleTimeoutMs: undefined });
  }

  /** Of a key that is a file: `rclone cat` of a folder would give all files in it, one after the other. */
  send(key: string, start: number, signal: AbortSignal): Producer {
    return produce(this.#spec(['cat', '--offset', String(start), at(key)], signal));
  }

  /** Leaves both where they are when there is something under the new name already. May take long: some remotes copy. */
  async move(from: string, to: string): Promise<void> {
    const spec = this.#spec(['moveto', '--ignore-existing', at(from), at(to)]);
    await capture({ ...spec, idleTimeoutMs: undefined });
  }

  /** Removing what is not there is no error. */
  async remove(key: string, signal?: AbortSignal): Promise<void> {
    try {
      await capture(this.#spec(['deletefile', at(key)], signal));
    } catch (error) {
      signal?.throwIfAborted();
      // rclone says the same of a missing file as of any other failure.
      if ((await this.stat(key, signal)) !== undefined) throw error;
    }
  }

  /** Undefined where the remote does not say. */
  async freeBytes(): Promise<number | undefined> {
    try {
      const { stdout } = await capture(this.#spec(['about', '--json', at('')]));
      return (JSON.parse(stdout) as { free?: number }).free;
    } catch (error) {
      if (isMissing(error) || /doesn't support about|not supported/i.test(String(error))) return undefined;
      throw error;
    }
  }

  #spec(args: readonly string[], signal?: AbortSignal): ProgramSpec {
    const { program = 'rclone', config, configPassword, environment = {}, remote } = this.#options;
    const { idleTimeout = defaultIdleTimeoutMs, arguments: more = [] } = this.#options;
    return {
      command: program,
      args: [...more, ...args],
      cwd: this.#baseFolder,
      env: {
        RCLONE_LOG_LEVEL: 'ERROR',
        RCLONE_DRY_RUN: 'false',
        ...environment,
        ...(config !== undefined && { RCLONE_CONFIG: resolve(this.#baseFolder, config) }),
        ...(configPassword !== undefined && { RCLONE_CONFIG_PASS: configPassword }),
        RCLONE_ASK_PASSWORD: 'false',
        [`RCLONE_CONFIG_${alias.toUpperCase()}_TYPE`]: 'alias',
        [`RCLONE_CONFIG_${alias.toUpperCase()}_REMOTE`]: remote,
      },
      idleTimeoutMs: idleTimeout,
      missingHint: 'Install it (apt-get install rclone, or https://rclone.org/install), or set `program` to its path.',
      ...(signal && { signal }),
    };
  }
}

function at(key: string): string {
  return `${alias}:${key}`;
}

function toObject(key: string, { Size, ModTime }: Entry): StoredObject {
  if (Size >= 0) return { key, size: Size, modifiedAt: new Date(ModTime) };
  throw new DbBackupError('DESTINATION_FAILED', `the remote does not tell the size of ${key}`, {
    hint: 'dbbackup compares sizes after storing; choose a remote that knows them.',
  });
}

async function* linesOf(stream: Readable): AsyncGenerator<string> {
  let rest = Buffer.alloc(0);
  for await (const chunk of stream) {
    rest = Buffer.concat([rest, chunk as Buffer]);
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      yield rest.toString('utf8', 0, end);
      rest = rest.subarray(end + 1);
    }
  }
  yield rest.toString();
}
