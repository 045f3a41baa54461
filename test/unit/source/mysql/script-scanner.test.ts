import { describe, expect, test } from 'vitest';
import { ScriptScanner } from '../../../../src/source/mysql/script-scanner.ts';
import type { Piece } from '../../../../src/source/mysql/statement-reader.ts';

/** mysqldump 8 writes all rows into one line. */
const oneLine = `-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)
/*!40101 SET NAMES utf8mb4 */;

DROP TABLE IF EXISTS \`a;b\`;
CREATE TABLE \`a;b\` (
  \`VALUES (\` int COMMENT 'it''s; -- Dump completed'
) ENGINE=InnoDB;
LOCK TABLES \`a;b\` WRITE;
INSERT INTO \`a;b\` (\`VALUES (\`) VALUES (1),(2),('a\\'),(\\\\'),(_binary '\\0\\'\\"\\n;'),(0x0A3B29);
INSERT  IGNORE INTO \`a;b\` VALUES (-1.5e300,NULL,'),(');
UNLOCK TABLES;
CREATE TABLE \`empty\` (id int);
LOCK TABLES \`empty\` WRITE;
UNLOCK TABLES;
CREATE TABLE \`undumped\` (id int);
DELIMITER ;;
CREATE PROCEDURE p()
BEGIN
  -- INSERT INTO x VALUES (1);
  # it's
  /* 'a; */
  INSERT INTO y VALUES (1); SELECT "
-- Dump completed
";
END ;;
DELIMITER ;
/*!50001 CREATE ALGORITHM=UNDEFINED */
/*!50001 VIEW \`v\` AS select 1-- 1
*/;
-- Dump completed
`;

/** mariadb-dump writes one row a line. */
const lines = `/*M!999999\\- enable the sandbox mode */ 
-- MariaDB dump 10.19
LOCK TABLES \`t\` WRITE;
INSERT INTO \`t\` VALUES
(1,'x;'),
(2,';\\n');
INSERT INTO \`t\` (\`id\`) VALUES (3),
(4),
(5);
UNLOCK TABLES;
-- Dump completed on 2026-11-20 12:00:00
`;

function scanned(script: string, size: number) {
  const bytes = Buffer.from(script);
  const passed: Buffer[] = [];
  const statements: string[] = [];
  const scanner = new ScriptScanner({
    piece({ text, begin, line }: Piece) {
      passed.push(Buffer.from(text));
      if (begin < text.length) statements.push(`${line} ${text.toString('utf8', begin, begin + 12).split('\n')[0]}`);
    },
    rows: (rows) => passed.push(Buffer.from(rows)),
  });
  for (let at = 0; at < bytes.length; at += size) scanner.push(bytes.subarray(at, at + size));
  scanner.finish();
  return { tables: scanner.tables(), text: Buffer.concat(passed).toString(), statements };
}

describe.each([1, 2, 3, 7, 64, 100_000])('in chunks of %i bytes', (size) => {
  test('counts the rows of a script with all rows in one line', () => {
    const { tables, text } = scanned(oneLine, size);
    expect(tables).toEqual({ 'a;b': 6, empty: 0, undumped: null });
    expect(text).toBe(oneLine);
  });

  test('counts the rows of a script with a row on each line', () => {
    const { tables, text, statements } = scanned(lines, size);
    expect(tables).toEqual({ t: 5 });
    expect(text).toBe(lines);
    expect(statements).toEqual(['3 LOCK TABLES ', '4 INSERT INTO ', '7 INSERT INTO ', '10 UNLOCK TABLE']);
  });

  test('knows statements and their lines', () => {
    const { statements } = scanned(oneLine, size);
    expect(statements).toEqual([
      '2 /*!40101 SET',
      '4 DROP TABLE I',
      '5 CREATE TABLE',
      '8 LOCK TABLES ',
      '9 INSERT INTO ',
      '10 INSERT  IGNO',
      '11 UNLOCK TABLE',
      '12 CREATE TABLE',
      '13 LOCK TABLES ',
      '14 UNLOCK TABLE',
      '15 CREATE TABLE',
      '16 DELIMITER ;;',
      '17 CREATE PROCE',
      '26 DELIMITER ;',
      '27 /*!50001 CRE',
    ]);
  });
});

test.each([
  ['oneLine', oneLine],
  ['lines', lines],
])('is incomplete wherever it is cut (%s)', (_, script) => {
  for (let length = 1; length < script.length; length++) {
    const cut = () => scanned(script.slice(0, length), 1000);
    expect(cut, `${length}: …${script.slice(Math.max(0, length - 40), length)}`).toThrow('not a whole script');
  }
});

test('nothing may follow the trailer', () => {
  expect(() => scanned(`${lines}SELECT 1;\n`, 1000)).toThrow('not a whole script');
  expect(() => scanned(`${lines}SELECT`, 1000)).toThrow('not a whole script');
  expect(() => scanned('', 1)).toThrow('empty');
});

test('memory stays flat however long a row is', () => {
  const scanner = new ScriptScanner();
  const megabyte = Buffer.alloc(1024 * 1024, 'ab');
  scanner.push(Buffer.from("LOCK TABLES `t` WRITE;\nINSERT INTO `t` VALUES\n(1,'"));
  const before = process.memoryUsage().arrayBuffers;
  for (let count = 0; count < 300; count++) scanner.push(megabyte);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024);
  scanner.push(Buffer.from("');\nUNLOCK TABLES;\n-- Dump completed\n"));
  scanner.finish();
  expect(scanner.tables()).toEqual({ t: 1 });
});
