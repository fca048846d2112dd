CREATE INDEX events_user ON ONLY events (user_id);
CREATE INDEX events_user_2024 ON events_2024 (user_id);
ALTER INDEX events_user ATTACH PARTITION events_user_2024;
