-- A database with everything that dumps and restores get wrong. Needs MariaDB 10.6 or newer, and @big: bytes of one large value.
SET NAMES utf8mb4;
ALTER DATABASE CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
SET SESSION sql_mode = 'ALLOW_INVALID_DATES';
-- Of a FLOAT the servers show six digits, to the dump tools, too.
CREATE TABLE types (
  id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  tiny tinyint, yes boolean, small smallint, medium mediumint unsigned, whole int, large bigint, exact decimal(65,30),
  single float, wide double, bits bit(1), manybits bit(61),
  letters char(5), words varchar(40), prose longtext, old_letters varchar(40) CHARACTER SET latin1,
  bytes varbinary(300), blobs longblob, fixed binary(8),
  feeling enum('sad', 'it''s ok', 'glücklich', ''), several set('a', 'b', 'ç'),
  day date, clock time(6), moment datetime(6), instant timestamp(6) NULL DEFAULT NULL ON UPDATE current_timestamp(6), era year,
  doc json, place point, area polygon, ident uuid, address inet6,
  doubled bigint GENERATED ALWAYS AS (whole * 2) VIRTUAL,
  kept varchar(80) GENERATED ALWAYS AS (concat(words, '-', whole)) STORED,
  secret int INVISIBLE DEFAULT 7,
  CHECK (tiny IS NULL OR tiny > -128)
) COMMENT 'a comment with '' and " and \\ in it, and );';
INSERT INTO types (tiny, yes, small, medium, whole, large, exact, single, wide, bits, manybits, letters, words, prose, old_letters,
  bytes, blobs, fixed, feeling, several, day, clock, moment, instant, era, doc, place, area, ident, address)
SELECT seq % 100, seq % 2, -seq, seq, seq, -9223372036854775808 + CAST(seq AS SIGNED), seq / 7, seq / 4, 1e300 / seq, b'1', b'1010101010101', 'abc ',
  concat('w', seq), 'line\nbreak\r\n\\ tab\t quote\' double\" semi; paren),( nul\0 end\Z', 'größe',
  unhex(md5(seq)), unhex(concat('00', md5(seq), '0a5c2700')), 'x\0y', 'it''s ok', 'a,ç', '0000-00-00', '-838:59:59.000001',
  '2024-02-31 12:34:56.789', '2024-02-29 12:00:00.000001', 2024, '{"ä": [1, null, "\\"x\\""]}', point(seq, -seq),
  polygonfromtext('POLYGON((0 0,0 1,1 1,0 0))'), uuid(), '::1'
FROM seq_1_to_300;
INSERT INTO types (prose, bytes) VALUES ('', ''), (NULL, NULL), ('INSERT INTO x VALUES (1),(2);', '-- Dump completed'), ('🐘 один 二', 0x00);
ALTER TABLE types AUTO_INCREMENT = 4242;
SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO';
CREATE TABLE zero (id int AUTO_INCREMENT PRIMARY KEY, b text) AUTO_INCREMENT = 77;
INSERT INTO zero VALUES (0, 'zero'), (-5, 'minus');
SET SESSION sql_mode = DEFAULT;

CREATE TABLE empty_one (id int);
CREATE TABLE `--help` (`; DROP` text, `semi;colon` text, `VALUES (` int);
INSERT INTO `--help` VALUES ('-- Dump completed\n', '\n-- Dump completed\n', 1), ('', '\\', 2), ('*/', '/*', NULL);
CREATE TABLE `größe "x" ``表` (`co``l "umn` varchar(50) PRIMARY KEY, `it's` int) DEFAULT CHARSET utf8mb4 COLLATE utf8mb4_bin;
INSERT INTO `größe "x" ``表` VALUES ('один', 1), ('二', 2), ('🐘', 3);
CREATE TABLE `a
b.c'd` (a int) COMMENT 'an odd
name';
INSERT INTO `a
b.c'd` VALUES (1), (2);
CREATE TABLE big (id int PRIMARY KEY, value longtext, raw longblob);
INSERT INTO big VALUES (1, repeat('0123456789\'abcde', @big DIV 16), repeat(unhex('00ff0a5c27'), @big DIV 10));
CREATE TABLE old_engine (id int AUTO_INCREMENT, kind char(3), PRIMARY KEY (kind, id), FULLTEXT (kind)) ENGINE=MyISAM;
INSERT INTO old_engine (kind) VALUES ('a'), ('a'), ('b');
CREATE TABLE crash_safe (id int) ENGINE=Aria TRANSACTIONAL=1;
INSERT INTO crash_safe VALUES (1);
CREATE TABLE measured (at datetime NOT NULL, kind int NOT NULL, v double, KEY (kind))
  PARTITION BY RANGE (year(at)) SUBPARTITION BY HASH (kind) SUBPARTITIONS 2
  (PARTITION p2023 VALUES LESS THAN (2024), PARTITION p2024 VALUES LESS THAN (2025), PARTITION rest VALUES LESS THAN MAXVALUE);
INSERT INTO measured SELECT '2023-01-01' + INTERVAL seq DAY, seq % 5, seq / 3 FROM seq_1_to_900;
CREATE TABLE parent (id int PRIMARY KEY, boss int, FOREIGN KEY (boss) REFERENCES parent (id)) ROW_FORMAT=DYNAMIC;
INSERT INTO parent VALUES (1, NULL), (2, 1);
UPDATE parent SET boss = 2 WHERE id = 1;
CREATE TABLE child (id int PRIMARY KEY, parent int NOT NULL, title varchar(60), price decimal(10,2) CHECK (price >= 0),
  UNIQUE KEY (title), KEY prefix (title(5)), CONSTRAINT keeps FOREIGN KEY (parent) REFERENCES parent (id) ON DELETE CASCADE);
INSERT INTO child SELECT seq, 1 + seq % 2, concat('book ', seq), seq FROM seq_1_to_50;
CREATE SEQUENCE countdown START WITH 100 INCREMENT BY -3 MINVALUE -100 MAXVALUE 100 CACHE 7 CYCLE;
DO nextval(countdown);
CREATE TABLE versioned (id int PRIMARY KEY, v int) WITH SYSTEM VERSIONING;
INSERT INTO versioned VALUES (1, 1), (2, 2);
CREATE TABLE log (at timestamp NULL, what text);

DELIMITER ;;
CREATE TRIGGER `child note` BEFORE UPDATE ON child FOR EACH ROW BEGIN
  SET NEW.title = concat(NEW.title, '!; -- Dump completed');
  INSERT INTO log VALUES (NULL, 'it''s; $$ ;');
END;;
CREATE TRIGGER second BEFORE UPDATE ON child FOR EACH ROW FOLLOWS `child note` SET NEW.price = NEW.price + 1;;
CREATE DEFINER = 'nobody'@'nowhere' PROCEDURE tricky(IN a int, OUT `b c` text) READS SQL DATA COMMENT 'it''s'
BEGIN
  -- INSERT INTO types VALUES (1);
  # a comment with 'a quote
  /* USE mysql; */
  DECLARE done int DEFAULT 0;
  DECLARE text_ text DEFAULT ';
-- Dump completed
';
  SET `b c` = "double ; 'quoted'";
END;;
CREATE FUNCTION plus_one(i int) RETURNS int DETERMINISTIC RETURN i + 1;;
CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' ON COMPLETION PRESERVE ENABLE COMMENT 'ü'
  DO BEGIN DELETE FROM log; END;;
CREATE EVENT off ON SCHEDULE AT '2035-01-01 00:00:00' ON COMPLETION PRESERVE DISABLE DO INSERT INTO log VALUES (NULL, '🐘');;
DELIMITER ;
CREATE VIEW prices AS SELECT parent, sum(price) AS total, plus_one(max(id)) AS more FROM child GROUP BY parent;
CREATE SQL SECURITY INVOKER VIEW a_before AS SELECT total, 'it''s; "x" 🐘' AS `odd name` FROM prices;
CREATE ALGORITHM=MERGE DEFINER = 'nobody'@'nowhere' VIEW changeable AS SELECT * FROM child WHERE price < 20 WITH CASCADED CHECK OPTION;
