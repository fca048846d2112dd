"""The steps that stop and restart the application services (runbook steps 3 and 6)."""
