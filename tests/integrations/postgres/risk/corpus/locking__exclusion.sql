ALTER TABLE coupons ADD EXCLUDE USING btree (label WITH =);
