UPDATE users SET note = COALESCE(note, '');
