ALTER TABLE orders ADD COLUMN coupon2 int DEFAULT 1 REFERENCES coupons (id);
