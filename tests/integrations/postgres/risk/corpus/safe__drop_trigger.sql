DROP TRIGGER log_order ON orders;
