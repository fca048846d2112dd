ALTER DOMAIN short_text ADD CONSTRAINT not_long CHECK (length(VALUE) < 500);
