DELETE FROM order_items a USING order_items b WHERE a.id > b.id AND a.order_id = b.order_id;
CREATE UNIQUE INDEX order_items_once ON order_items (order_id);
