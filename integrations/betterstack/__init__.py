"""The public status page at Better Stack."""
