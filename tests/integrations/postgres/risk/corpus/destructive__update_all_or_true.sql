UPDATE users SET note = 'x' WHERE id = 4 OR true;
