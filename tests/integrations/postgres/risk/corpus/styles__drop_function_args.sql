DROP FUNCTION IF EXISTS count_users();
DROP PROCEDURE drop_month(text);
