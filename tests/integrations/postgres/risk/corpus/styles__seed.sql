INSERT INTO users (email, name, balance, created_at, checked) SELECT 'new' || n, 'n', 0, now(), 'y' FROM generate_series(1, 5) n ON CONFLICT (email) DO UPDATE SET name = EXCLUDED.name;
