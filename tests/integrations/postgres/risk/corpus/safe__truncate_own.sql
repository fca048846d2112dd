CREATE TABLE own (id int);
TRUNCATE own;
