CREATE INDEX order_totals_total ON order_totals (total);
