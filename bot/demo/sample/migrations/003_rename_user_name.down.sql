-- The way back from 003_rename_user_name.sql; names that people have chosen since then are kept.

DROP INDEX users_display_name_idx;

COMMENT ON COLUMN users.display_name IS NULL;

ALTER TABLE users RENAME COLUMN display_name TO full_name;
