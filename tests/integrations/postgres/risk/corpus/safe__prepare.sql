PREPARE one_user AS SELECT * FROM users WHERE id = $1;
EXECUTE one_user(1);
DEALLOCATE one_user;
