#!/usr/bin/env node
/**
 * Makes the sample database of the README and of config.example.yaml: a small shop, the same bytes of content each time.
 * Usage: node test/sample/make-sample.js [sample/shop.sqlite]. An existing file is left alone.
 */
import { existsSync, linkSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Database } from '../../dist/sqlite-library.js';

const schema = `
PRAGMA application_id = 1397247824; -- 'SHOP'
PRAGMA user_version = 3;
CREATE TABLE customers (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT UNIQUE, phone TEXT, note TEXT, created_at TEXT NOT NULL
);
CREATE TABLE products (
  id INTEGER PRIMARY KEY, sku TEXT NOT NULL UNIQUE, name TEXT NOT NULL, description TEXT,
  price_cents INTEGER NOT NULL CHECK (price_cents >= 0), weight_kg REAL
);
CREATE TABLE orders (
  id INTEGER PRIMARY KEY AUTOINCREMENT, customer_id INTEGER NOT NULL REFERENCES customers(id),
  status TEXT NOT NULL, coupon TEXT, placed_at TEXT NOT NULL
);
CREATE TABLE order_items (
  order_id INTEGER NOT NULL REFERENCES orders(id), line INTEGER NOT NULL,
  product_id INTEGER NOT NULL REFERENCES products(id), quantity INTEGER NOT NULL, price_cents INTEGER NOT NULL,
  total_cents INTEGER GENERATED ALWAYS AS (quantity * price_cents) VIRTUAL,
  PRIMARY KEY (order_id, line)
) WITHOUT ROWID;
CREATE TABLE attachments (
  id INTEGER PRIMARY KEY, order_id INTEGER REFERENCES orders(id), file_name TEXT NOT NULL, content BLOB
);
CREATE VIRTUAL TABLE product_search USING fts5(name, description, content = 'products', content_rowid = 'id');
CREATE INDEX orders_by_customer ON orders(customer_id, placed_at);
CREATE VIEW order_totals AS
  SELECT order_id, sum(total_cents) AS total_cents, count(*) AS lines FROM order_items GROUP BY order_id;
CREATE TRIGGER products_inserted AFTER INSERT ON products BEGIN
  INSERT INTO product_search(rowid, name, description) VALUES (new.id, new.name, new.description);
END;
`;

const firstNames = [
  'Anna',
  'Björn',
  'Chloé',
  'Дмитрий',
  'Ελένη',
  'فاطمة',
  '花子',
  '민준',
  'Łukasz',
  'Zoë',
  "D'Arcy",
  'Nguyễn',
];
const lastNames = [
  'Müller',
  'Østergård',
  "O'Brien",
  'Иванова',
  'Παπαδόπουλος',
  'حسن',
  '山田',
  '김',
  'Żółć',
  'García',
  'Smith',
];
const things = [
  'Espresso machine ☕',
  'Garden gnome',
  'Fahrradhelm',
  'Крокодил Гена',
  '抹茶茶碗',
  'Bücherregal',
  'Robot 🤖',
  'Kite',
];
const notes = [
  null,
  '',
  'calls after 18:00',
  'likes "quotes" and \\backslashes\\',
  'line one\nline two',
  '🎂 in May',
  "it's complicated; -- really",
];
const coupons = [null, '', 'WELCOME10', 'ÜBER50%'];
const fileNames = ['invoice.pdf', 'Foto 📷.jpg', '領収書.png', "it's.txt"];
const statuses = ['open', 'paid', 'shipped', 'returned'];

/** mulberry32: small, seeded, good enough to look random. */
function randomOf(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const random = randomOf(20261120);
const below = (limit) => Math.floor(random() * limit);
const pick = (list) => list[below(list.length)];
const moment = () => new Date(Date.UTC(2024, 0, 1) + below(63_072_000) * 1000).toISOString();
const noise = (size) => Buffer.from(Array.from({ length: size }, () => below(256)));

function inserter(database, table, columns) {
  return database.prepare(`INSERT INTO ${table} (${columns}) VALUES (${columns.replace(/\w+/g, '?')})`);
}

function fillCustomers(database) {
  const customer = inserter(database, 'customers', 'id, name, email, phone, note, created_at');
  for (let id = 1; id <= 1200; id++) {
    const name = `${pick(firstNames)} ${pick(lastNames)}`;
    const phone = pick([null, '', `+41 44 ${1_000_000 + below(8_999_999)}`]);
    customer.run(id, name, id % 17 === 0 ? null : `customer${id}@example.org`, phone, pick(notes), moment());
  }
}

function fillProducts(database) {
  const product = inserter(database, 'products', 'id, sku, name, description, price_cents, weight_kg');
  for (let id = 1; id <= 300; id++) {
    const sku = `SKU-${String(id).padStart(5, '0')}`;
    const description = id % 5 === 0 ? null : `${pick(things)}, made for ${pick(firstNames)}`;
    const weight = id % 7 === 0 ? null : below(20_000) / 1000;
    product.run(id, sku, `${pick(things)} no. ${id}`, description, below(50_000), weight);
  }
}

function fillOrders(database) {
  const order = inserter(database, 'orders', 'customer_id, status, coupon, placed_at');
  const item = inserter(database, 'order_items', 'order_id, line, product_id, quantity, price_cents');
  for (let id = 1; id <= 3000; id++) {
    order.run(1 + below(1200), pick(statuses), pick(coupons), moment());
    const lines = 1 + below(4);
    for (let line = 1; line <= lines; line++) item.run(id, line, 1 + below(300), 1 + below(5), below(50_000));
  }
}

function fillAttachments(database) {
  const attachment = inserter(database, 'attachments', 'order_id, file_name, content');
  for (let id = 1; id <= 120; id++) {
    const content = noise(id % 13 === 0 ? 0 : 200 + below(6000));
    attachment.run(id % 9 === 0 ? null : 1 + below(3000), pick(fileNames), id % 10 === 0 ? null : content);
  }
}

function fill(database) {
  for (const part of [fillCustomers, fillProducts, fillOrders, fillAttachments]) part(database);
}

function make(path) {
  mkdirSync(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}.tmp`;
  try {
    const database = new Database(draft);
    database.exec(schema);
    database.transaction(fill)(database);
    database.close();
    linkSync(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
}

const path = resolve(process.argv[2] ?? 'sample/shop.sqlite');
if (existsSync(path)) {
  process.stdout.write(`${path} exists already and was left as it is\n`);
} else {
  make(path);
  process.stdout.write(`made ${path}\n`);
}
