UPDATE users SET note = 'seen' WHERE id = 5;
