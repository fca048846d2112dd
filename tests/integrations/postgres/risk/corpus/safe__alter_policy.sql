ALTER POLICY own_rows ON secrets USING (true);
