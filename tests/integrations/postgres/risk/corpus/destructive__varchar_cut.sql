ALTER TABLE users ALTER COLUMN note TYPE varchar(5) USING note::varchar(5);
