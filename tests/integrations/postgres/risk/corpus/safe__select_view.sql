SELECT * FROM named_users LIMIT 1;
