import type { Catalog } from './catalog.ts';

/** JSON Schema (draft 2020-12) of the config file, for editors. */
export function configJsonSchema(_catalog: Catalog): Record<string, unknown> {
  throw new Error('not yet written');
}
