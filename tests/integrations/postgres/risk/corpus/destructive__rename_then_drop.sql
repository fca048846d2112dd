ALTER TABLE audit RENAME TO audit_old;
DROP TABLE audit_old;
