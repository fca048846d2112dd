CREATE OR REPLACE VIEW named_users AS SELECT id, name FROM active_users WHERE id > 1;
