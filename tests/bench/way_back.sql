-- A shop of :scale times about 1.2 GB, indexes included: text, JSON, numbers and foreign keys, the same on every run.
SET synchronous_commit = off;
SET maintenance_work_mem = '256MB';

-- 32,768 phrases of three words out of 1,024: far more than a compressor's window of 32 kB holds, as in people's text.
CREATE FUNCTION word(n bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT syllable[1 + (n & 31)::int] || syllable[1 + (n >> 5 & 31)::int] FROM (SELECT ARRAY['al','ber','con','de','en',
    'for','ga','her','in','jo','ka','lan','mer','no','or','pe','qui','ran','sel','ter','un','ver','wal','ex','y','zen',
    'ling','tion','ment','ed','er','s'] AS syllable) every
$$;
CREATE TABLE phrase (id int PRIMARY KEY, body text NOT NULL);
INSERT INTO phrase SELECT n, concat_ws(' ', word(hashint8(n)), word(hashint8(n + 40000)), word(hashint8(n + 80000)))
FROM generate_series(0::bigint, 32767) n;
DROP FUNCTION word;

CREATE TABLE customers (
  id bigint NOT NULL, email text NOT NULL, name text NOT NULL, profile jsonb NOT NULL, created_at timestamptz NOT NULL);
CREATE TABLE accounts (
  id bigint NOT NULL, customer_id bigint NOT NULL, kind text NOT NULL, balance numeric(12,2) NOT NULL,
  opened_at timestamptz NOT NULL);
CREATE TABLE orders (
  id bigint NOT NULL, customer_id bigint NOT NULL, state text NOT NULL, total numeric(12,2) NOT NULL,
  reference uuid NOT NULL, placed_at timestamptz NOT NULL);
CREATE TABLE messages (
  id bigint NOT NULL, order_id bigint NOT NULL, subject text NOT NULL, body text NOT NULL, sent_at timestamptz NOT NULL);

INSERT INTO customers
SELECT n, 'user' || n || '@example.com', a.body, jsonb_build_object(
    'city', b.body, 'tags', jsonb_build_array(n % 17, n % 31, a.body), 'since', 1990 + n % 30, 'note', c.body,
    'phone', 10000000 + (hashint8(n) & 16777215)),
  timestamptz '2020-01-01' + n * interval '37 seconds'
FROM generate_series(1, (800000 * :scale)::bigint) n
JOIN phrase a ON a.id = hashint8(n) & 32767
JOIN phrase b ON b.id = hashint8(n + 7) & 32767
JOIN phrase c ON c.id = hashint8(n + 11) & 32767;

INSERT INTO accounts
SELECT n, 1 + (hashint8(n)::bigint + 2147483648) % (800000 * :scale)::bigint,
  (ARRAY['current', 'savings', 'escrow', 'trust'])[1 + n % 4], (hashint8(n * 3) & 16777215) / 100.0,
  timestamptz '2021-01-01' + n * interval '11 seconds'
FROM generate_series(1, (3000000 * :scale)::bigint) n;

INSERT INTO orders
SELECT n, 1 + (hashint8(n + 3)::bigint + 2147483648) % (800000 * :scale)::bigint,
  (ARRAY['placed', 'paid', 'sent', 'returned', 'closed'])[1 + n % 5], (hashint8(n * 5) & 8388607) / 100.0,
  md5(n::text)::uuid, timestamptz '2022-01-01' + n * interval '19 seconds'
FROM generate_series(1, (1500000 * :scale)::bigint) n;

INSERT INTO messages
SELECT n, 1 + (hashint8(n + 5)::bigint + 2147483648) % (1500000 * :scale)::bigint, a.body,
  format('%s %s, %s %s. %s %s (%s) %s; %s %s. Ref. %s: %s, %s', b.body, c.body, d.body, e.body, f.body, g.body, d.id * 7 + n, h.body,
    i.body, j.body, md5((n * 3)::text), k.body, l.body),
  timestamptz '2022-01-01' + n * interval '41 seconds'
FROM generate_series(1, (1000000 * :scale)::bigint) n
JOIN phrase a ON a.id = hashint8(n) & 32767
JOIN phrase b ON b.id = hashint8(n + 7) & 32767
JOIN phrase c ON c.id = hashint8(n + 11) & 32767
JOIN phrase d ON d.id = hashint8(n + 13) & 32767
JOIN phrase e ON e.id = hashint8(n + 17) & 32767
JOIN phrase f ON f.id = hashint8(n + 19) & 32767
JOIN phrase g ON g.id = hashint8(n + 23) & 32767
JOIN phrase h ON h.id = hashint8(n + 29) & 32767
JOIN phrase i ON i.id = hashint8(n + 31) & 32767
JOIN phrase j ON j.id = hashint8(n + 37) & 32767
JOIN phrase k ON k.id = hashint8(n + 41) & 32767
JOIN phrase l ON l.id = hashint8(n + 43) & 32767;

ALTER TABLE customers ADD PRIMARY KEY (id);
ALTER TABLE accounts ADD PRIMARY KEY (id);
ALTER TABLE orders ADD PRIMARY KEY (id);
ALTER TABLE messages ADD PRIMARY KEY (id);
CREATE UNIQUE INDEX customers_email ON customers (email);
CREATE INDEX accounts_customer ON accounts (customer_id);
CREATE INDEX orders_customer ON orders (customer_id);
CREATE INDEX orders_placed ON orders (placed_at);
CREATE INDEX messages_order ON messages (order_id);
ALTER TABLE accounts ADD FOREIGN KEY (customer_id) REFERENCES customers;
ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers;
ALTER TABLE messages ADD FOREIGN KEY (order_id) REFERENCES orders;
ANALYZE;
