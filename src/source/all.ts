/** Every engine, by name. Adding one means one line here. */
import type { SourceType } from './source.ts';
import { sqliteType } from './sqlite/sqlite.ts';

export const sourceTypes: readonly SourceType[] = [sqliteType];
