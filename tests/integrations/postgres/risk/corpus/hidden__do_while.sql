DO $$ DECLARE n int := 0; BEGIN WHILE n < 1 LOOP n := n + 1; UPDATE users SET note = 'gone'; END LOOP; END $$;
