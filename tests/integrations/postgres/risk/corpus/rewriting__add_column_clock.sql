ALTER TABLE orders ADD COLUMN at timestamptz DEFAULT clock_timestamp();
