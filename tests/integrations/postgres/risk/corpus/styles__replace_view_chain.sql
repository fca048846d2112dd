DROP VIEW IF EXISTS named_users;
DROP VIEW active_users;
CREATE VIEW active_users AS SELECT id, email FROM users;
CREATE VIEW named_users AS SELECT id FROM active_users;
