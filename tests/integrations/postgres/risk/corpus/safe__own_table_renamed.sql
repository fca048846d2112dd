CREATE TABLE new_docs (id int PRIMARY KEY);
ALTER TABLE new_docs RENAME TO newer_docs;
DROP TABLE newer_docs;
