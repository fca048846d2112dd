ALTER TABLE orders ALTER COLUMN coupon TYPE numeric;
ALTER TABLE order_items ALTER COLUMN order_id TYPE int;
