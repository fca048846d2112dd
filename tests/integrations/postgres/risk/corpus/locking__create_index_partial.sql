CREATE INDEX ON orders (placed) WHERE state = 'new';
