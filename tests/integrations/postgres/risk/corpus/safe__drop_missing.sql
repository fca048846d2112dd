DROP TABLE IF EXISTS not_there, nor_this CASCADE;
