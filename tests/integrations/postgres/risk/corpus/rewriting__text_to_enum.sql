CREATE TYPE status AS ENUM ('new', 'paid', 'sent');
ALTER TABLE orders ALTER COLUMN state TYPE status USING state::status;
