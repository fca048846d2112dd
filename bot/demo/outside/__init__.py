"""Stand-ins for the systems outside of the channel: a status page, a pager, a mail server, on this machine only."""
