"""Slack: the channel people are told in, the directory of who they are, and a console twin of the channel."""
