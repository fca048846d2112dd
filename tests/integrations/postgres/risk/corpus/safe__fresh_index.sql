CREATE TABLE fresh (id int, word text);
CREATE INDEX fresh_word ON fresh (word);
ALTER TABLE fresh ADD CONSTRAINT fresh_pk PRIMARY KEY (id);
ALTER TABLE fresh ALTER COLUMN id TYPE bigint;
