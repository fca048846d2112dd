"""Durable jobs: they act on the world and hand an intent back to the engine's door; they never write state."""
