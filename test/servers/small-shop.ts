import { Database } from '../../src/sqlite-library.ts';

/** A small SQLite database, for tests that are not about its content. */
export function makeShop(file: string): void {
  const database = new Database(file);
  database.exec("CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO item (name) VALUES ('a'), ('b')");
  database.close();
}
