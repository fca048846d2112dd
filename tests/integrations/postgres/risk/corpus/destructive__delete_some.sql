DELETE FROM order_items WHERE quantity > 5;
