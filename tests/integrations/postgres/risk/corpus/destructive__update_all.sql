UPDATE users SET balance = 0;
