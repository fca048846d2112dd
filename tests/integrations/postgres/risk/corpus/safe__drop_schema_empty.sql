DROP SCHEMA nothing_in_it;
