"""What people see of a plan before its start: its card, its letters, its modals."""
