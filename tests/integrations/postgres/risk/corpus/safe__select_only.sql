SELECT count(*) FROM users;
SELECT pg_catalog.setval('invoice_number', 100, true);
SELECT count_users();
