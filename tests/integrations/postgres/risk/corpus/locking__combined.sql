ALTER TABLE orders ADD COLUMN a int, ADD COLUMN b int DEFAULT 3, ALTER COLUMN state SET DEFAULT 'new', ADD CONSTRAINT positive_total CHECK (total >= 0);
