/** Every engine, by name. Adding one means one line here. */

import { commandType } from './command/command.ts';
import { filesType } from './files/files.ts';
import { mysqlType } from './mysql/mysql.ts';
import { postgresType } from './postgres/postgres.ts';
import { redisType } from './redis/redis.ts';
import type { SourceType } from './source.ts';
import { sqliteType } from './sqlite/sqlite.ts';

export const sourceTypes: readonly SourceType[] = [
  postgresType,
  mysqlType,
  sqliteType,
  redisType,
  filesType,
  commandType,
];
