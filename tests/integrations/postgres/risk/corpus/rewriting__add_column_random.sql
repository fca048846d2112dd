ALTER TABLE orders ADD COLUMN lot double precision DEFAULT random();
