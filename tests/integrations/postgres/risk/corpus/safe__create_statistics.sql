CREATE STATISTICS orders_stats ON user_id, state FROM orders;
