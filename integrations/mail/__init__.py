"""E-mail to stakeholders and the team, over SMTP with TLS."""
