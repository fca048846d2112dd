DELETE FROM order_items WHERE 1 = 1;
