INSERT INTO orders (user_id, total, state, placed) VALUES (1, 5, 'new', '2025-01-01');
