INSERT INTO coupons (id, label) VALUES (100, 'DROP TABLE users'), (101, 'DELETE FROM users');
