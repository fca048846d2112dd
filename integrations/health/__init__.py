"""The built-in probe: health endpoints, request counts, connection pool (runbook steps 6 and 7)."""
