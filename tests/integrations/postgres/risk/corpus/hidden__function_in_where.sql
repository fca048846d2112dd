UPDATE coupons SET label = label WHERE id = 1 AND purge_audit() IS NOT NULL;
