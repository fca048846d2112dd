ALTER TABLE users RENAME COLUMN note TO note_old;
ALTER TABLE users ADD COLUMN note jsonb;
UPDATE users SET note = to_jsonb(note_old);
ALTER TABLE users DROP COLUMN note_old;
