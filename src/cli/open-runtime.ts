/** Builds what the operations need from the command line, the config and the environment. */
import { rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { resolve as join } from 'node:path';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { type SigningOptions, signingSchema } from '../config/schema.ts';
import { resolveDefinition } from '../config/secret.ts';
import { DbBackupError, messageOf } from '../errors.ts';
import { type History, openHistory } from '../history/history.ts';
import { type TolerantHistory, tolerantHistory } from '../history/tolerant.ts';
import type { OperationEvent } from '../operation/event.ts';
import type { Runtime } from '../operation/runtime.ts';
import { openStateFolder, standInFolder, stateFolder } from '../state-folder.ts';
import type { App, GlobalOptions } from './app.ts';
import { decryptorFrom } from './decryptor.ts';
import type { Output } from './output.ts';

export interface RuntimeNeeds {
  /** `required`, or taken where it is found; or one that lies in no file yet. */
  readonly config: 'required' | 'optional' | Config;
  /**
   * Does the command write (locks, temporaries, history)? Then the state folder is made. What only brings backups back
   * prefers it, and goes on with a temporary one, which is removed when the runtime's history is closed.
   */
  readonly state: boolean | 'preferred';
  readonly emit?: (event: OperationEvent) => void;
  readonly consent?: (question: string) => Promise<void>;
  /** Takes the bars off the screen before a question is asked. */
  readonly quieten?: () => void;
  /** Paths of key files for reading. */
  readonly identity?: readonly string[];
  /** Paths of public signing keys, or the keys themselves. */
  readonly trust?: readonly string[];
}

export async function openRuntime(
  app: App,
  options: GlobalOptions,
  output: Output,
  needs: RuntimeNeeds,
): Promise<Runtime> {
  const loading = app.loadCatalog();
  const config = await findConfiguration(app, options, needs, loading);
  const catalog = await loading;
  const choice = { env: app.env, configured: config?.stateFolder };
  const standIn = needs.state === 'preferred' ? await standInFolder(choice) : undefined;
  const folder = standIn ?? stateFolder(choice);
  if (needs.state) await openStateFolder(folder);
  if (standIn)
    output.say(`${stateFolder(choice)} cannot be used: this goes on with a temporary folder, and no history`);
  const troubles = new Set<string>();
  const onTrouble = (error: unknown) => {
    const text = `history: ${messageOf(error)}; the command goes on without it`;
    if (!troubles.has(text)) output.warn(text);
    troubles.add(text);
  };
  const history = tolerantHistory(() => openHistory(folder), onTrouble);
  const query = async <Value>(ask: (history: History) => Value | Promise<Value>): Promise<Value | undefined> => {
    try {
      const history = await openHistory(folder);
      try {
        for (const warning of history.warnings) onTrouble(warning);
        return await ask(history);
      } finally {
        history.close();
      }
    } catch (error) {
      onTrouble(error);
      return undefined;
    }
  };
  const resolve: Runtime['resolve'] = (definition, type) =>
    resolveDefinition(definition, type, {
      env: app.env,
      folder: config?.folder ?? app.workingFolder,
      signal: app.signal,
    });
  // Each part alone: who restores need not have the key that signs.
  const signing = (part: keyof SigningOptions) => {
    const { [part]: value } = config?.signing?.options ?? {};
    const definition = { name: 'signing', type: 'signing', ...config?.signing };
    return resolve(
      { ...definition, options: value === undefined ? {} : { [part]: value } },
      { options: signingSchema },
    );
  };
  let asking = false;
  const undisturbed = async <Answer>(ask: () => Promise<Answer>): Promise<Answer> => {
    asking = true;
    needs.quieten?.();
    try {
      return await ask();
    } finally {
      asking = false;
    }
  };
  const runtime: Runtime = {
    ...catalog,
    tool: { name: 'dbbackup', version: app.version },
    host: hostname(),
    trigger: app.env['DBBACKUP_TRIGGER'] || (app.stdin.isTTY ? 'manual' : 'unattended'),
    config,
    workingFolder: app.workingFolder,
    stateFolder: folder,
    history: standIn ? removing(standIn, history) : history,
    signal: app.signal,
    resolve,
    signingKey: once(async () => (await signing('key')).key),
    trustedKeys: once(async () => {
      const flags = (needs.trust ?? []).map((each) => readPublicKey(each, app.workingFolder));
      return [...(await Promise.all(flags)), ...(await signing('trust')).trust];
    }),
    decryptor: once(() => decryptorFrom({ identity: needs.identity, undisturbed }, runtime, app)),
    jobStatistics: (job) => query((history) => history.jobStatistics(job, { config: config?.file })),
    recentRuns: async (job, limit) => {
      const status = ['running', 'completed', 'partial', 'failed', 'cancelled', 'interrupted', 'suspect'] as const;
      const page = await query((history) => history.list({ job, config: config?.file, kind: 'backup', status, limit }));
      return page?.executions ?? [];
    },
    interrupted: async (isAlive) => (await query((history) => unsettled(history, isAlive, config?.file))) ?? [],
    settle: async ({ id }, result) => {
      await query((history) => {
        history.destinationResult(id, result);
        history.log(id, 'info', `interrupted; at ${result.name}, ${result.key} is ${result.status}`);
      });
    },
    emit: (event) => {
      if (!asking || (event.type !== 'progress' && event.type !== 'step')) needs.emit?.(event);
    },
    consent: (question) => undisturbed(() => (needs.consent ?? refuseConsent)(question)),
  };
  return runtime;
}

/** Closing the history is the last that a command does with its state. */
function removing(folder: string, history: TolerantHistory): TolerantHistory {
  return {
    ...history,
    close() {
      history.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function findConfiguration(
  app: App,
  options: GlobalOptions,
  needs: RuntimeNeeds,
  catalog: ReturnType<App['loadCatalog']>,
) {
  if (typeof needs.config === 'object') return needs.config;
  try {
    return await loadConfig({ named: options.config, cwd: app.workingFolder, env: app.env, catalog });
  } catch (error) {
    const named = options.config !== undefined || app.env['DBBACKUP_CONFIG'];
    const absent = error instanceof DbBackupError && error.code === 'CONFIG_NOT_FOUND' && !named;
    if (needs.config === 'optional' && absent) return undefined;
    throw error;
  }
}

/** A key as text, or the path of a file that holds one: public keys are no secrets. */
async function readPublicKey(given: string, folder: string): Promise<string> {
  if (given.startsWith('ed25519-public:')) return given;
  return readFile(join(folder, given), 'utf8').catch((cause) => {
    throw new DbBackupError('USAGE', `--trust ${given}: neither a public key nor a file that can be read`, { cause });
  });
}

/** What another config's job left lies at its own destinations, whatever ours are called. */
async function unsettled(history: History, isAlive: Parameters<Runtime['interrupted']>[0], config?: string) {
  await history.markInterrupted(isAlive);
  const { executions } = history.list({ config, status: 'interrupted', limit: Number.MAX_SAFE_INTEGER });
  return executions.filter(({ destinations }) => destinations.some(({ status }) => status === 'running'));
}

function refuseConsent(question: string): Promise<void> {
  return Promise.reject(new DbBackupError('CONSENT_REQUIRED', question, { hint: 'Say --yes.' }));
}

/** The same promise for every caller; a failure is not kept, so that a mistyped passphrase may be tried again. */
function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => {
    made ??= make().catch((error) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}
