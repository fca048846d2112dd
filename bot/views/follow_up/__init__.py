"""What people read and press after a run: what got worse, and the 48-hour review."""
