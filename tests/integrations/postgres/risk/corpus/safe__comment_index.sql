COMMENT ON INDEX orders_user_id_idx IS 'for the list';
