COMMENT ON CONSTRAINT checked_there ON users IS 'kept';
