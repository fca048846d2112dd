-- Full-text search over documents without blocking uploads. CONCURRENTLY refuses to run in a transaction.

SET lock_timeout = '5s';

CREATE INDEX CONCURRENTLY IF NOT EXISTS documents_search_idx
    ON documents USING gin (to_tsvector('simple', title || ' ' || body));

CREATE INDEX CONCURRENTLY IF NOT EXISTS clients_name_idx ON clients (lower(name));
