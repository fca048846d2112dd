CREATE SEQUENCE coupons_seq OWNED BY coupons.id;
SELECT setval('coupons_seq', 1000);
ALTER TABLE coupons ALTER COLUMN id SET DEFAULT nextval('coupons_seq');
