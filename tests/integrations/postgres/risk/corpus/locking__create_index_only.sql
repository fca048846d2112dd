CREATE INDEX events_kind_only ON ONLY events (kind);
