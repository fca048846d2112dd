COMMENT ON TABLE users IS 'DROP TABLE users; -- not really';
