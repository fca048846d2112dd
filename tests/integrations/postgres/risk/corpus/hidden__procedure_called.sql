CALL drop_month('2024');
