ALTER TABLE orders ADD COLUMN rank positive DEFAULT 1;
