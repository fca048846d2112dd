DROP TRIGGER IF EXISTS not_there ON orders;
