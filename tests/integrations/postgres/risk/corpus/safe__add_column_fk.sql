ALTER TABLE orders ADD COLUMN approver_id bigint REFERENCES users (id);
