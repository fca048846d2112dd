ALTER TABLE users ALTER COLUMN note TYPE text USING left(note, 4);
