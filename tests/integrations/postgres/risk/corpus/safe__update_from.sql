UPDATE orders o SET state = 'sent' FROM users u WHERE u.id = o.user_id AND u.email = 'user5@example.com';
