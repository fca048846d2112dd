CREATE TABLE memos (topic text) INHERITS (docs);
