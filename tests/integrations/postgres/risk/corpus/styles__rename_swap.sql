ALTER TABLE coupons RENAME TO coupons_old;
CREATE TABLE coupons (LIKE coupons_old INCLUDING ALL);
INSERT INTO coupons SELECT * FROM coupons_old;
DROP TABLE coupons_old;
