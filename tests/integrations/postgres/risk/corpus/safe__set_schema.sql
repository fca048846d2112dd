ALTER TABLE coupons SET SCHEMA reporting;
