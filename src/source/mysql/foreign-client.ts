/**
 * What MariaDB's dump tool cannot do at a server of MySQL, refused before a dump that fails, or that nobody can load
 * again. Tried with mariadb-dump 10.11 against MySQL 5.6 and 9.7.
 */
import { DbBackupError } from '../../errors.ts';
import type { BackupType } from '../source.ts';
import type { Client, Version } from './client.ts';
import type { Facts } from './facts.ts';

export const ownClient =
  "Install MySQL's own client (mysqldump and mysql, of the server's version or newer), and name its folder in clientFolder if it is not on PATH.";

const named = 5;

/** It asks every server for columns of its catalogue that came with MySQL 5.7. */
export function isTooOldFor(server: Version, client: Client): boolean {
  return server.flavour === 'mysql' && server.rank < 5007 && client.flavour === 'mariadb' && client.rank >= 10_011;
}

/** It writes values of generated columns, which MariaDB ignores and MySQL refuses, and vectors as text. */
export function brokenTables({ server, special }: Facts, client: Client): readonly string[] {
  return server.flavour === 'mysql' && client.flavour === 'mariadb' ? special : [];
}

/** `tables`: those that are dumped. Throws TOOL_MISSING. */
export function refuseForeignClient(
  facts: Facts,
  client: Client,
  backupType: BackupType,
  tables: readonly string[],
): void {
  if (isTooOldFor(facts.server, client)) {
    throw new DbBackupError(
      'TOOL_MISSING',
      `${client.name} ${client.text} of MariaDB cannot dump MySQL ${facts.server.text}`,
      { hint: ownClient },
    );
  }
  const broken = brokenTables(facts, client).filter((table) => tables.includes(table));
  if (broken.length === 0 || backupType === 'schema') return;
  const more = broken.length > named ? ` and ${broken.length - named} more` : '';
  throw new DbBackupError(
    'TOOL_MISSING',
    `${client.name} of MariaDB would dump tables with generated or VECTOR columns so that MySQL cannot load them: ${broken.slice(0, named).join(', ')}${more}`,
    { hint: ownClient },
  );
}
