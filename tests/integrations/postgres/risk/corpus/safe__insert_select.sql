INSERT INTO reporting.monthly SELECT date '2030-01-01', sum(total) FROM orders;
