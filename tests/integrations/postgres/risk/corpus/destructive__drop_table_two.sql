DROP TABLE audit, secrets;
