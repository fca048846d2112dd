"""The outside systems of a developer's machine: everything is printed, nothing is called."""
