ALTER TABLE orders ADD COLUMN kind VARCHAR(32) DEFAULT 'std' NOT NULL;
UPDATE orders SET kind='big' WHERE total > 100;
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL);
INSERT INTO alembic_version (version_num) VALUES ('abc');
UPDATE alembic_version SET version_num='def' WHERE alembic_version.version_num = 'abc';
