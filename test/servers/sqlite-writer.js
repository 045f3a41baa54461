/**
 * Writes to a SQLite database until it is killed: `node sqlite-writer.js <file> <wal|delete>`. Each transaction adds one
 * line to `log` and moves money between two accounts, so that every snapshot satisfies `assertSnapshot`.
 * Writes one dot to stdout per ten transactions.
 */
import { Database } from '../../dist/sqlite-library.js';

const [path, mode] = process.argv.slice(2);
const database = new Database(path, { timeout: 60_000 });
database.pragma(`journal_mode = ${mode}`);
database.pragma('synchronous = OFF');
database.exec(`
  CREATE TABLE account(id INTEGER PRIMARY KEY, balance INTEGER NOT NULL);
  CREATE TABLE log(seq INTEGER PRIMARY KEY, what TEXT NOT NULL, padding BLOB NOT NULL);
  CREATE INDEX log_what ON log(what);
`);
const open = database.prepare('INSERT INTO account VALUES (?, 1000)');
const log = database.prepare('INSERT INTO log VALUES (?, ?, randomblob(2000))');
const move = database.prepare('UPDATE account SET balance = balance + ? WHERE id = ?');
database.transaction(() => {
  for (let id = 0; id < 100; id++) open.run(id);
  for (let seq = -2000; seq < 0; seq++) log.run(seq, `entry ${seq}`);
})();

const transact = database.transaction((seq) => {
  log.run(seq, `entry ${seq}`);
  move.run(-seq, seq % 100);
  move.run(seq, (seq * 7 + 1) % 100);
});

function work(seq) {
  transact(seq);
  if (seq % 10 === 0) process.stdout.write('.');
  // A writer without a pause would starve every reader's lock in rollback mode.
  setTimeout(work, 1, seq + 1);
}
work(0);
