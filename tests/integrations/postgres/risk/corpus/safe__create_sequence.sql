CREATE SEQUENCE tickets OWNED BY orders.id;
