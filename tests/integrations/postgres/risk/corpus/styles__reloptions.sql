ALTER TABLE orders SET (autovacuum_enabled = false, toast.autovacuum_enabled = false);
ALTER INDEX orders_user_id_idx SET (fillfactor = 70);
