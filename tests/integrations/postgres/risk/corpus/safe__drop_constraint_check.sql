ALTER TABLE users DROP CONSTRAINT checked_there;
