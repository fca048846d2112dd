DROP TABLE IF EXISTS coupons;
CREATE TABLE coupons (id bigint PRIMARY KEY, label text);
