/** Text, JSON, numbers, timestamps, and one part in ten that does not compress. About 500 bytes a row as text. */
export function fillShop(mb: number): string {
  const rows = mb * 2000;
  return `
    CREATE TABLE event (id bigint PRIMARY KEY, at timestamptz, customer int, amount numeric(12,2), note text, detail jsonb, seal bytea);
    INSERT INTO event SELECT i, timestamptz '2020-01-01' + i * interval '17 seconds', (i * 7919) % 100003, (i % 99991) / 7.0,
      'order ' || i || ' shipped to ' || md5((i % 5000)::text) || ' by carrier ' || (i % 17) || ' after ' || (i % 90) || ' days; '
        || repeat(md5((i / 3)::text) || ' ', 3),
      jsonb_build_object('sku', md5((i % 1000)::text), 'quantity', i % 12, 'tags', jsonb_build_array('a' || i % 5, 'b' || i % 7), 'total', i * 3),
      CASE WHEN i % 10 = 0 THEN sha512(i::text::bytea) || sha512((i + 1)::text::bytea) || sha512((i + 2)::text::bytea) END
      FROM generate_series(1::bigint, ${rows}) i;
    CREATE INDEX event_customer ON event (customer);
    ANALYZE event;`;
}
