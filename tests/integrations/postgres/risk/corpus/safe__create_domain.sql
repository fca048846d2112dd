CREATE DOMAIN zip AS text CHECK (VALUE ~ '^[0-9]+$');
CREATE TABLE places (zip zip);
