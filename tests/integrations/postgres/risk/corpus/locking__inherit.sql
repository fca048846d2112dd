CREATE TABLE letters (LIKE docs);
ALTER TABLE letters INHERIT docs;
