CREATE RULE r AS ON UPDATE TO coupons DO ALSO DELETE FROM audit;
UPDATE coupons SET label = 'x' WHERE id = 1;
