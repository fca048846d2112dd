WITH u AS (UPDATE orders SET state = 'gone' RETURNING id) SELECT count(*) FROM u;
