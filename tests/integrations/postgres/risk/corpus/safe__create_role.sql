CREATE ROLE risk_reader NOLOGIN;
GRANT risk_reader TO CURRENT_USER;
DROP ROLE risk_reader;
