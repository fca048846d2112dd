CREATE TABLE people AS TABLE users;
DROP MATERIALIZED VIEW order_totals;
DROP VIEW named_users;
DROP VIEW active_users;
