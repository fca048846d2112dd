NOTIFY migrated, 'DELETE FROM users';
