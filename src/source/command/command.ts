/**
 * Any program that writes a dump to its standard output, and one that reads it from its standard input: the way in for
 * every engine that has no source of its own.
 * Guarantees: no shell; a dump's end means exit 0, at least one byte, and the markers where they were given; a restore
 * starts its program only with a whole, verified file at hand. Refuses: to judge the target, so a restore needs --clean.
 */
import { createReadStream } from 'node:fs';
import { hostname } from 'node:os';
import { basename, resolve } from 'node:path';
import { pipeline, Writable } from 'node:stream';
import { pipeline as wholePipeline } from 'node:stream/promises';
import { DbBackupError } from '../../errors.ts';
import { type Finding, failure, info, ok } from '../../finding.ts';
import {
  capture,
  consume,
  findProgram,
  findRemoteProgram,
  openPrefix,
  type ProgramSpec,
  produce,
} from '../../process/process.ts';
import { shellWord } from '../shell-word.ts';
import type {
  Dump,
  DumpFormat,
  Inspection,
  RecoveryStep,
  RestoreOutcome,
  RestoreRequest,
  Source,
  SourceCapabilities,
  SourceContext,
  SourceType,
} from '../source.ts';
import { MarkerCheck } from './marker-check.ts';
import { type CommandOptions, commandOptions, markerBytes } from './options.ts';
import { commandSetup } from './setup.ts';

function capabilities({ extension = '.dump' }: Partial<CommandOptions> = {}): SourceCapabilities {
  const format: DumpFormat = {
    name: 'dump',
    extension,
    restoreFrom: 'file',
    restoreTables: false,
    parallelRestore: false,
  };
  return {
    formats: [format],
    backupTypes: ['full'],
    tableFilter: false,
    schemaFilter: false,
    restoreOptions: ['clean'],
  };
}

export const commandType: SourceType<CommandOptions> = {
  type: 'command',
  options: commandOptions,
  capabilities,
  open: (options, baseFolder) => new CommandSource(options, baseFolder),
  // A command is nothing that an address could stand for.
  fromTarget: () => undefined,
  // The markers are the source's; what has no source any more has its hash.
  endOfDumpCheck: () => new MarkerCheck(),
  recovery: () => ({ packages: [], command: (file) => `echo the dump is in ${file}` }),
  setup: commandSetup,
};

class CommandSource implements Source {
  readonly identity: Source['identity'];
  readonly #options: CommandOptions;
  readonly #folder: string;

  constructor(options: CommandOptions, folder: string) {
    this.#options = options;
    this.#folder = folder;
    const { prefix = [], dump, label = [...prefix, ...dump].join(' ') } = options;
    // Behind a prefix it lies elsewhere; which machine that is, the prefix says.
    const place = prefix.length > 0 ? prefix : [hostname(), folder];
    const what = options.label === undefined ? dump : [options.label];
    this.identity = { fingerprintParts: ['command', ...place, ...what], label };
  }

  async inspect(context: SourceContext): Promise<Inspection> {
    const { dump, version } = this.#options;
    const name = basename(dump[0] ?? '');
    await this.#found(dump, context);
    const said = version && (await capture(await this.#spec(version, context))).stdout.trim();
    const toolVersion = /\d+(\.\d+)+\S*/.exec(said ?? '')?.[0] ?? 'unknown';
    return { tool: `${name} ${toolVersion}`, toolVersion, databases: [this.identity.label], warnings: [] };
  }

  /** That the programs are there, and what nobody but the config can know: how a whole dump ends. */
  async *check(context: SourceContext): AsyncGenerator<Finding> {
    const { restore, endsWith } = this.#options;
    const { tool } = await this.inspect(context);
    yield ok(`${tool.replace(/ unknown$/, '')} is there`);
    if (restore === undefined) {
      yield info('it has no restore command: its backups come back as files (restore --output)');
    } else {
      yield await this.#found(restore, context).then(
        () => ok(`${restore[0]}, which restores, is there`),
        (error: unknown) => failure(error),
      );
    }
    if (endsWith !== undefined) return;
    yield info('without "endsWith" a dump is whole when its program exits with 0 and has written something');
  }

  async dump(_request: unknown, context: SourceContext): Promise<Dump> {
    const program = produce(await this.#spec(this.#options.dump, context));
    const check = this.#check();
    pipeline(program.stdout, check, () => {});
    return { stream: check, contents: async () => [{ name: this.identity.label, tables: {} }] };
  }

  async examineTarget(_request: unknown, context: SourceContext) {
    await this.#found(this.#restoreCommand(), context);
    return { label: this.identity.label, hasData: true, isUnknown: true };
  }

  async restore({ input, clean }: RestoreRequest, context: SourceContext): Promise<RestoreOutcome> {
    const { label } = this.identity;
    if (!clean) {
      throw new DbBackupError('TARGET_NOT_EMPTY', `nobody can tell whether ${label} holds data`, {
        hint: 'Say --clean when what the restore command replaces may be replaced.',
      });
    }
    if (input.kind !== 'file') throw new DbBackupError('UNEXPECTED', 'a command reads only what is whole in a file');
    const bytes = () => createReadStream(input.path, { highWaterMark: 256 * 1024 });
    const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
    await wholePipeline(bytes(), this.#check(), nowhere, { signal: context.signal }).catch((error: unknown) => {
      context.signal.throwIfAborted();
      throw error;
    });
    const program = consume(await this.#spec(this.#restoreCommand(), context));
    try {
      await wholePipeline(bytes(), program.stdin);
    } finally {
      await program.stop();
    }
    return { label, warnings: [] };
  }

  /** The command of the config, with the variables that it needs named, never with their values. */
  recovery(): RecoveryStep {
    const { restore, prefix = [], env = {} } = this.#options;
    const names = Object.keys(env);
    const needs = names.length > 0 ? ` # first set ${names.join(', ')}` : '';
    if (restore === undefined) return commandType.recovery(this.#format, []);
    const words = [...prefix, ...restore].map(shellWord).join(' ');
    return { packages: [], command: (file) => `${words} < ${file}${needs}` };
  }

  get #format(): DumpFormat {
    const [format] = capabilities(this.#options).formats;
    if (format === undefined) throw new DbBackupError('UNEXPECTED', 'a command has one format');
    return format;
  }

  #check(): MarkerCheck {
    return new MarkerCheck(markerBytes(this.#options.startsWith), markerBytes(this.#options.endsWith));
  }

  #restoreCommand(): readonly string[] {
    if (this.#options.restore !== undefined) return this.#options.restore;
    throw new DbBackupError('UNSUPPORTED', `${this.identity.label} has no restore command`, {
      hint: 'Add "restore: [program, arguments…]" to the source, or write the dump to a file with --output.',
    });
  }

  async #found([name = '']: readonly string[], { signal }: SourceContext): Promise<void> {
    const { prefix: words } = this.#options;
    const prefix = words && (await openPrefix(words, signal));
    const found = prefix ? await findRemoteProgram(name, prefix, signal) : await findProgram(this.#here(name));
    if (found !== undefined) return;
    throw new DbBackupError(
      'TOOL_MISSING',
      `the program ${name} was not found${words ? ` by "${words.join(' ')}"` : ''}`,
      {
        hint: 'Install it, or give its whole path. What a shell knows (aliases, pipes) needs [sh, -c, "…"].',
      },
    );
  }

  /** A path is relative to the folder of the config, where the program is started. */
  #here(name: string): string {
    return name.includes('/') ? resolve(this.#folder, name) : name;
  }

  async #spec([command = '', ...args]: readonly string[], context: SourceContext): Promise<ProgramSpec> {
    const { prefix: words, env } = this.#options;
    const prefix = words && (await openPrefix(words, context.signal));
    const { signal, idleTimeoutMs } = context;
    return {
      command: prefix ? command : this.#here(command),
      args,
      env,
      prefix,
      cwd: this.#folder,
      signal,
      idleTimeoutMs,
    };
  }
}
