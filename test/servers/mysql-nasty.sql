-- What MySQL has and dumps get wrong; for MySQL 9.0 or newer. MariaDB has a file of its own.
SET NAMES utf8mb4;
ALTER DATABASE CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
SET SESSION sql_mode = 'ALLOW_INVALID_DATES';
CREATE TABLE types (
  id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  tiny tinyint, yes boolean, medium mediumint unsigned, large bigint, exact decimal(65,30),
  wide double, bits bit(1), manybits bit(61),
  letters char(5), words varchar(40), prose longtext, old_letters varchar(40) CHARACTER SET latin1,
  bytes varbinary(300), blobs longblob, fixed binary(8),
  feeling enum('sad', 'it''s ok', 'glücklich', ''), several set('a', 'b', 'ç'),
  day date, clock time(6), moment datetime(6), instant timestamp(6) NULL DEFAULT NULL ON UPDATE current_timestamp(6), era year,
  place point, area polygon
) COMMENT 'a comment with '' and " and \\ in it, and );';
INSERT INTO types (tiny, yes, medium, large, exact, wide, bits, manybits, letters, words, prose, old_letters,
  bytes, blobs, fixed, feeling, several, day, clock, moment, instant, era, place, area)
VALUES (1, 0, 7, -9223372036854775808, 1/7, 1e300, b'1', b'1010101010101', 'abc ',
  'w', 'line\nbreak\r\n\\ tab\t quote\' double\" semi; paren),( nul\0 end\Z', 'größe',
  unhex('c4ca4238a0b923820dcc509a6f75849b'), unhex(concat('00', 'c4ca4238a0b923820dcc509a6f75849b', '0a5c2700')), 'x\0y', 'it''s ok', 'a,ç', '0000-00-00', '-838:59:59.000001',
  '2024-02-31 12:34:56.789', '2024-02-29 12:00:00.000001', 2024, point(1, -1),
  st_polygonfromtext('POLYGON((0 0,0 1,1 1,0 0))'));
INSERT INTO types (prose, bytes) VALUES ('', ''), (NULL, NULL), ('INSERT INTO x VALUES (1),(2);', '-- Dump completed'), ('🐘 один 二', 0x00);
ALTER TABLE types AUTO_INCREMENT = 4242;
SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO';
CREATE TABLE zero (id int AUTO_INCREMENT PRIMARY KEY, b text) AUTO_INCREMENT = 77;
INSERT INTO zero VALUES (0, 'zero'), (-5, 'minus');
SET SESSION sql_mode = DEFAULT;
CREATE TABLE `größe "x" ``表` (`co``l "umn` varchar(50) PRIMARY KEY, `it's` int) DEFAULT CHARSET utf8mb4 COLLATE utf8mb4_bin;
INSERT INTO `größe "x" ``表` VALUES ('один', 1), ('二', 2), ('🐘', 3);
CREATE TABLE old_engine (id int AUTO_INCREMENT, kind char(3), PRIMARY KEY (kind, id), FULLTEXT (kind)) ENGINE=MyISAM;
INSERT INTO old_engine (kind) VALUES ('a'), ('a'), ('b');
CREATE TABLE parent (id int PRIMARY KEY, boss int, FOREIGN KEY (boss) REFERENCES parent (id)) ROW_FORMAT=DYNAMIC;
INSERT INTO parent VALUES (1, NULL), (2, 1);
UPDATE parent SET boss = 2 WHERE id = 1;
CREATE TABLE child (id int PRIMARY KEY, parent int NOT NULL, title varchar(60), price decimal(10,2),
  UNIQUE KEY (title), KEY prefix (title(5)), CONSTRAINT keeps FOREIGN KEY (parent) REFERENCES parent (id) ON DELETE CASCADE);
INSERT INTO child VALUES (1, 1, 'book 1', 1), (2, 2, 'book 2', 2), (3, 2, 'book 3', 3);
CREATE TABLE measured (at datetime NOT NULL, kind int NOT NULL, v double, KEY (kind))
  PARTITION BY RANGE (year(at)) SUBPARTITION BY HASH (kind) SUBPARTITIONS 2
  (PARTITION p2023 VALUES LESS THAN (2024), PARTITION rest VALUES LESS THAN MAXVALUE);
INSERT INTO measured VALUES ('2023-01-01', 1, 1/3), ('2025-01-01', 2, 2);
CREATE TABLE log (at timestamp NULL, what text);
DELIMITER ;;
CREATE TRIGGER `child note` BEFORE UPDATE ON child FOR EACH ROW BEGIN
  SET NEW.title = concat(NEW.title, '!; -- Dump completed');
  INSERT INTO log VALUES (NULL, 'it''s; $$ ;');
END;;
CREATE DEFINER = 'nobody'@'nowhere' PROCEDURE tricky(IN a int, OUT `b c` text) READS SQL DATA COMMENT 'it''s'
BEGIN
  -- INSERT INTO types VALUES (1);
  # a comment with 'a quote
  DECLARE text_ text DEFAULT ';
-- Dump completed
';
  SET `b c` = "double ; 'quoted'";
END;;
CREATE FUNCTION plus_one(i int) RETURNS int DETERMINISTIC RETURN i + 1;;
CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' ON COMPLETION PRESERVE ENABLE COMMENT 'ü'
  DO BEGIN DELETE FROM log; END;;
DELIMITER ;
CREATE VIEW prices AS SELECT parent, sum(price) AS total, plus_one(max(id)) AS more FROM child GROUP BY parent;
CREATE SQL SECURITY INVOKER VIEW a_before AS SELECT total, 'it''s; "x" 🐘' AS `odd name` FROM prices;
CREATE ALGORITHM=MERGE DEFINER = 'nobody'@'nowhere' VIEW changeable AS SELECT * FROM child WHERE price < 20 WITH CASCADED CHECK OPTION;
CREATE TABLE modern (id int PRIMARY KEY AUTO_INCREMENT, doc json, whole int,
  doubled bigint GENERATED ALWAYS AS (whole * 2) VIRTUAL, kept varchar(80) GENERATED ALWAYS AS (concat('k-', whole)) STORED,
  secret int INVISIBLE DEFAULT 7, made datetime DEFAULT (now() + interval 1 day), ident binary(16) DEFAULT (uuid_to_bin(uuid())),
  place point NOT NULL SRID 4326, doubt int, CHECK (whole > 0), KEY ((whole + 1)), KEY down (whole DESC), KEY hidden (doubt) INVISIBLE, SPATIAL KEY (place)) COLLATE utf8mb4_0900_ai_ci;
INSERT INTO modern (doc, whole, place, secret) VALUES ('{"a": [1, 2], "ä": "\\"x\\"", "big": 12345678901234567890, "d": 1.0}', 3, ST_GeomFromText('POINT(1 2)', 4326), 9), (NULL, 4, ST_GeomFromText('POINT(3 4)', 4326), NULL);
CREATE TABLE vectors (id int PRIMARY KEY, v vector(3));
INSERT INTO vectors VALUES (1, string_to_vector('[1,2,3]'));
CREATE TABLE nopk (a int, b int); INSERT INTO nopk VALUES (1,2);
