DROP POLICY own_rows ON secrets;
