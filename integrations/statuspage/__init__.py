"""The public status page at Atlassian Statuspage."""
