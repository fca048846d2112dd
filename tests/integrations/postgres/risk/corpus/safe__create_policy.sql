CREATE POLICY mine ON secrets FOR SELECT USING (owner = (SELECT name FROM users LIMIT 1));
