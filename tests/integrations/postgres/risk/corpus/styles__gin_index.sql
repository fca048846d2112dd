CREATE INDEX ON users USING gin (to_tsvector('simple', coalesce(note, '')));
