"""The steps whose work is to tell people (runbook steps 1 and 8, "Rollback Steps" 1)."""
