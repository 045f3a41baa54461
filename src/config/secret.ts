/**
 * Looks up the references of one adapter, when a command uses that adapter and not before: an unset variable of
 * another job must not stop a restore. Everything found is registered with `redact`; messages name the reference and
 * its place in the file, never a value.
 */
import { resolve } from 'node:path';
import type { ZodType } from 'zod';
import { DbBackupError, wrapError } from '../errors.ts';
import { capture } from '../process/process.ts';
import { redact, registerSecret } from '../redact.ts';
import { readSecretFile } from '../secret-file.ts';
import type { AdapterDefinition } from './config.ts';
import { check, findings } from './issue.ts';
import { formatPath } from './problem.ts';
import { isPublicName, passwordsIn } from './secret-name.ts';
import { registerLiteralSecrets } from './show.ts';
import { parseTemplate, type Reference } from './template.ts';
import { mapStrings, ownerOf, type Path, walkStrings } from './walk-strings.ts';

const commandTimeoutMs = 30_000;

export interface SecretContext {
  readonly env: NodeJS.ProcessEnv;
  /** The config file's folder: `${file:…}` is relative to it, `${exec:…}` runs in it. */
  readonly folder: string;
  readonly signal?: AbortSignal;
}

/**
 * The options of one adapter with every reference resolved, checked by the adapter's own schema (a SourceType, a
 * DestinationType or an EncryptionProfileType of the catalog), ready for `open`. Secrets found are registered.
 * @throws SECRET_UNAVAILABLE, CONFIG_INVALID
 */
export async function resolveDefinition<Options>(
  definition: AdapterDefinition,
  type: { readonly options: ZodType<Options> },
  context: SecretContext,
): Promise<Options> {
  const place = definition.place ?? definition.name;
  registerLiteralSecrets({ definitions: { [definition.name]: definition.options } });
  const wholes = new Set<string>();
  const resolved = await mapStrings(definition.options, async (text, path) => {
    const where = `${place}.${formatPath(path)}`;
    const parts = parseTemplate(text);
    if (parts.length === 1 && parts[0]?.kind !== 'text') wholes.add(JSON.stringify(path));
    let whole = '';
    for (const part of parts) whole += part.kind === 'text' ? part.text : await lookUp(part, where, path, context);
    return whole;
  });
  // A URL may have come whole from a variable: its password alone turns up in the messages of tools.
  walkStrings(resolved, (text) => passwordsIn(text).forEach(registerSecret));
  return await validated(type.options, resolved, wholes, place);
}

async function lookUp(reference: Reference, where: string, path: Path, context: SecretContext): Promise<string> {
  if (reference.kind === 'variable') {
    const value = context.env[reference.name] || reference.fallback;
    if (value === undefined) throw missingVariable(reference.name, where);
    if (!isPublicName(ownerOf(path))) registerSecret(value);
    return value;
  }
  try {
    const value =
      reference.kind === 'file'
        ? await readSecretFile(resolve(context.folder, reference.path))
        : await runCommand(reference.words, context);
    registerSecret(value);
    return value;
  } catch (cause) {
    if (context.signal?.aborted) throw cause;
    const hint = cause instanceof DbBackupError ? cause.hint : undefined;
    throw new DbBackupError('SECRET_UNAVAILABLE', `${where}: the secret cannot be had`, { cause, hint });
  }
}

function missingVariable(name: string, where: string): DbBackupError {
  return new DbBackupError('SECRET_UNAVAILABLE', `${where} needs the variable ${name}, which is not set or empty`, {
    hint: `Set ${name}, or give a default: \${${name}:-default} (\${${name}:-} where empty is meant).`,
  });
}

/** No shell; the output goes nowhere but into the option. */
async function runCommand(words: readonly string[], { env, folder, signal }: SecretContext): Promise<string> {
  const [command = '', ...args] = words;
  try {
    const { stdout } = await capture({ command, args, env, cwd: folder, signal, totalTimeoutMs: commandTimeoutMs });
    return stdout.replace(/\r?\n$/, '');
  } catch (cause) {
    throw wrapError(cause, 'SECRET_UNAVAILABLE', `the command ${command} of \${exec:…} failed`);
  }
}

/** What comes from outside is text. Where a whole value came from there and does not fit, a number or boolean may. */
async function validated<Options>(
  schema: ZodType<Options>,
  resolved: unknown,
  wholes: ReadonlySet<string>,
  place: string,
): Promise<Options> {
  const asText = check(schema, resolved);
  const unfit = new Map(asText.issues.map((issue) => [JSON.stringify(issue.path), issue]));
  const exact = await mapStrings(resolved, (text, path) => {
    const key = JSON.stringify(path);
    return wholes.has(key) && unfit.has(key) ? coerced(text) : text;
  });
  const { data, issues } = check(schema, exact);
  if (issues.length === 0) return data as Options;
  const first = issues.map((issue) => unfit.get(JSON.stringify(issue.path)) ?? issue);
  const lines = findings(schema, resolved, first, []).map(({ path, message }) => {
    return `${place}${path.length > 0 ? `.${formatPath(path)}` : ''}: ${message}`;
  });
  throw new DbBackupError('CONFIG_INVALID', redact(lines.join('\n')), {
    hint: 'The value came from outside the file: look at the variable, file or command it refers to.',
  });
}

function coerced(text: string): string | number | boolean {
  if (/^(true|false)$/i.test(text)) return text.toLowerCase() === 'true';
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}
