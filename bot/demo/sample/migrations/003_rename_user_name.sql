-- People choose the name they are called by: users.full_name becomes users.display_name, and it can be searched.
-- Release 2.0.0 of the services is written for it; releases before ask for full_name, so nobody can log in or see
-- a dashboard on them once this is applied.

ALTER TABLE users RENAME COLUMN full_name TO display_name;

COMMENT ON COLUMN users.display_name IS 'The name a person chose to be called by.';

CREATE INDEX users_display_name_idx ON users (lower(display_name));
