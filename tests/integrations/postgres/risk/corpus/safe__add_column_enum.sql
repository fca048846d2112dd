ALTER TABLE orders ADD COLUMN how mood DEFAULT 'calm';
