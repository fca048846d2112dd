ALTER TABLE orders ADD COLUMN double_total numeric GENERATED ALWAYS AS (total * 2) VIRTUAL;
