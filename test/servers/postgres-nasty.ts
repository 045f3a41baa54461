/**
 * A database with everything that dumps and restores get wrong. Needs PostgreSQL 14 or newer and the contrib modules.
 * `bigBytes`: size of one large value; the soak runs take 200 MB.
 */
export function nastySql(bigBytes = 200_000): string {
  return String.raw`
CREATE EXTENSION pg_trgm;
CREATE EXTENSION hstore;
CREATE SCHEMA "Größe ""x"" 表";
COMMENT ON SCHEMA "Größe ""x"" 表" IS 'a name with '' and " and \ in it';

CREATE TYPE mood AS ENUM ('sad', 'it''s ok', 'glücklich');
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE TYPE pair AS (a integer, b text);
CREATE TYPE span AS RANGE (subtype = float8, subtype_diff = float8mi);

CREATE TABLE types (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  small smallint, whole integer, exact numeric(30, 10), free numeric, single real, wide double precision, cash money,
  letters char(5), words varchar(40), prose text, bytes bytea, yes boolean,
  day date, clock time, zoned timetz, moment timestamp, instant timestamptz, lasting interval,
  address inet, net cidr, mac macaddr, mac8 macaddr8, bits bit(4), varbits varbit,
  place point, way path, area polygon, round circle, boxed box, stretch lseg,
  doc json, docb jsonb, markup xml, ident uuid, search tsvector, wanted tsquery, location pg_lsn,
  feeling mood, above positive, couple pair, reach span, days daterange, many int4multirange,
  numbers integer[], grid text[][], tags hstore,
  doubled integer GENERATED ALWAYS AS (whole * 2) STORED
);
INSERT INTO types (small, whole, exact, free, single, wide, cash, letters, words, prose, bytes, yes, day, clock, zoned,
  moment, instant, lasting, address, net, mac, mac8, bits, varbits, place, way, area, round, boxed, stretch, doc, docb,
  markup, ident, search, wanted, location, feeling, above, couple, reach, days, many, numbers, grid, tags)
SELECT i % 100, i, i / 7.0, 'NaN', 'Infinity', i / 3.0, i, 'abc', E'tab\there', E'line\nbreak\r\\.\n\\N back\\slash', 
  decode(md5(i::text), 'hex'), i % 2 = 0, 'infinity', '12:34:56.789', '12:00+02', '0044-03-15 BC', '2024-02-29 12:00+00',
  '1 year 2 mons -3 days', '::1', '10.0.0.0/8', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', B'1010', B'101',
  '(1,2)', '((0,0),(1,1))', '((0,0),(1,1),(1,0))', '<(0,0),1>', '((0,0),(1,1))', '[(0,0),(1,1)]',
  '{"a": 1, "a": 2}', '{"ä": [1, null]}', '<a>&amp;</a>', md5(i::text)::uuid, to_tsvector('english', 'the quick foxes'),
  'fox & quick', '0/16B3748', 'it''s ok', 7, ROW(1, 'x,"y"')::pair, '[1.5,2.5)', '[2024-01-01,2024-02-01)', '{[1,3),[5,7)}',
  '{1,NULL,3}', '{{a,"b c"},{"{}",NULL}}', 'a=>1, "b c"=>NULL'
FROM generate_series(1, 500) i;
INSERT INTO types DEFAULT VALUES;

CREATE TABLE empty_one ();
CREATE TABLE "--help" ("; DROP" text, "semi;colon" text);
INSERT INTO "--help" VALUES (E'-- PostgreSQL database dump complete\n', E'\n--\n\\unrestrict x\n'), ('', '\.'), (E'\n\\.\n', NULL);
CREATE TABLE "Größe ""x"" 表"."a
b.c" ("co""l
umn" text PRIMARY KEY);
INSERT INTO "Größe ""x"" 表"."a
b.c" VALUES ('один'), ('二'), ('🐘');
CREATE TABLE big (id serial PRIMARY KEY, value text);
INSERT INTO big (value) SELECT repeat('0123456789abcde' || chr(10), ${Math.ceil(bigBytes / 16)});
SELECT setval('big_id_seq', 4242, true);
CREATE SEQUENCE countdown INCREMENT BY -3 MINVALUE -100 MAXVALUE 100 START 100 CYCLE CACHE 7;
SELECT nextval('countdown'), nextval('countdown');

CREATE TABLE events (at timestamptz NOT NULL, kind text NOT NULL, payload jsonb) PARTITION BY RANGE (at);
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01') PARTITION BY LIST (kind);
CREATE TABLE events_2024_a PARTITION OF events_2024 FOR VALUES IN ('a');
CREATE TABLE events_rest PARTITION OF events DEFAULT;
CREATE INDEX events_at ON events (at);
INSERT INTO events SELECT '2024-03-01'::timestamptz + i * interval '1 hour', 'a', jsonb_build_object('i', i) FROM generate_series(1, 300) i;
INSERT INTO events VALUES ('2030-01-01', 'z', NULL);
CREATE TABLE animals (name text);
CREATE TABLE dogs (breed text) INHERITS (animals);
INSERT INTO animals VALUES ('generic'); INSERT INTO dogs VALUES ('rex', 'collie');

CREATE TABLE authors (id integer PRIMARY KEY, boss integer REFERENCES authors DEFERRABLE INITIALLY DEFERRED);
INSERT INTO authors VALUES (1, 2), (2, 1);
CREATE TABLE books (id integer PRIMARY KEY, author integer NOT NULL REFERENCES authors ON DELETE CASCADE, title text UNIQUE,
  price numeric CHECK (price >= 0), EXCLUDE USING gist (int4range(id, id, '[]') WITH &&));
INSERT INTO books SELECT i, 1 + i % 2, 'book ' || i, i FROM generate_series(1, 50) i;
CREATE INDEX books_trigram ON books USING gin (title gin_trgm_ops);
CREATE UNIQUE INDEX books_expression ON books (lower(title)) WHERE price > 10;
CREATE STATISTICS books_stats (dependencies) ON author, price FROM books;
ALTER TABLE books ALTER COLUMN title SET STATISTICS 500;
COMMENT ON COLUMN books.title IS E'multi\nline';

CREATE FUNCTION tricky() RETURNS text LANGUAGE plpgsql AS $body$
BEGIN
  -- COPY public.books (id) FROM stdin;
COMMIT;
COPY books FROM stdin;
  RETURN $q$ it's "quoted" $q$ || '$body' || E'\'';
END
$body$;
CREATE FUNCTION atomic(i integer) RETURNS integer LANGUAGE sql
BEGIN ATOMIC
  SELECT i + 1;
END;
CREATE PROCEDURE commits() LANGUAGE plpgsql AS $$
BEGIN
COMMIT;
END $$;
CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.title := NEW.title || '!'; RETURN NEW; END $$;
CREATE TRIGGER note BEFORE UPDATE ON books FOR EACH ROW WHEN (OLD.title IS DISTINCT FROM NEW.title) EXECUTE FUNCTION noted();
CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM 1; END $$;
CREATE EVENT TRIGGER watching ON ddl_command_end EXECUTE FUNCTION watch();
CREATE AGGREGATE concat_all (text) (SFUNC = textcat, STYPE = text, INITCOND = '');
CREATE OPERATOR === (LEFTARG = integer, RIGHTARG = integer, FUNCTION = int4eq);
CREATE CAST (mood AS integer) WITH INOUT AS ASSIGNMENT;

CREATE VIEW prices AS SELECT author, sum(price) AS total FROM books GROUP BY author;

CREATE VIEW changeable AS SELECT * FROM books WHERE price < 20 WITH CASCADED CHECK OPTION;
CREATE RULE guard AS ON DELETE TO changeable DO INSTEAD (INSERT INTO animals VALUES ('gone'); UPDATE books SET price = 0 WHERE id = OLD.id);
CREATE MATERIALIZED VIEW summary AS SELECT author, count(*) AS n FROM books GROUP BY author;
CREATE UNIQUE INDEX ON summary (author);
CREATE MATERIALIZED VIEW later AS SELECT 1 AS one WITH NO DATA;
ALTER TABLE books ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON books FOR SELECT USING (author = 1 OR title ~ '^\d');
CREATE PUBLICATION feed FOR TABLE books, events;
CREATE FOREIGN DATA WRAPPER nothing;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER nothing OPTIONS (host 'it''s "there"');
CREATE TEXT SEARCH CONFIGURATION plainly (COPY = simple);
CREATE COLLATION numeric_order (provider = icu, locale = 'en-u-kn-true');
GRANT SELECT ON books TO PUBLIC;
GRANT UPDATE (title) ON books TO PUBLIC;
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC;
SELECT lo_from_bytea(424242, decode(repeat('00ff0a5c2e0a', 20000), 'hex'));
SELECT lo_from_bytea(424243, '');
COMMENT ON LARGE OBJECT 424242 IS 'a large object';
`;
}
