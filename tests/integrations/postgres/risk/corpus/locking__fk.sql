ALTER TABLE orders ADD CONSTRAINT orders_coupon_fk FOREIGN KEY (coupon) REFERENCES coupons (id);
