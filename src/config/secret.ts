import type { ZodType } from 'zod';
import type { AdapterDefinition } from './config.ts';

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
  _definition: AdapterDefinition,
  _type: { readonly options: ZodType<Options> },
  _context: SecretContext,
): Promise<Options> {
  throw new Error('not yet written');
}
