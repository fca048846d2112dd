ALTER TABLE users DROP CONSTRAINT checked_there, ADD CONSTRAINT checked_there CHECK (checked IS NOT NULL AND checked <> '');
