/**
 * better-sqlite3, in the major version that suits this Node; nobody else imports it. Version 12 is the last that runs on
 * Node 20 (13 dies there with a segmentation fault), and from Node 24.19 on it aborts the whole process when the garbage
 * collector meets one of its statements outside of JavaScript (`RemoveEnvironmentCleanupHook`, seen with 24.21). So 13
 * is an optional dependency, which npm leaves out where Node is older than its `engines`.
 */
import { createRequire } from 'node:module';
import type BetterSqlite3 from 'better-sqlite3';

export type Connection = BetterSqlite3.Database;

const require = createRequire(import.meta.url);

export const Database: typeof BetterSqlite3 = load();

function load(): typeof BetterSqlite3 {
  if (Number.parseInt(process.versions.node, 10) < 22) return require('better-sqlite3');
  try {
    return require('better-sqlite3-node22');
  } catch {
    // Installed without optional dependencies.
    return require('better-sqlite3');
  }
}
