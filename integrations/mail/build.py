"""The post office of a target, from its configuration."""

import ssl
from pathlib import Path

from bot.outside import Audience
from bot.outside_settings import MailConfig
from integrations.mail.post import Mailbox, Security, SmtpPostOffice


def post_office(config: MailConfig, *, password: str, base: Path) -> SmtpPostOffice:
    """``base`` is the folder that a relative ``ca_file`` is in."""
    trusted = ssl.create_default_context(cafile=str(base / config.ca_file)) if config.ca_file else None
    return SmtpPostOffice(
        Mailbox(
            host=config.host,
            port=config.port,
            security=Security(config.security),
            sender=config.sender,
            recipients={Audience.STAKEHOLDERS: config.stakeholders, Audience.TEAM: config.team},
            username=config.username,
            password=password,
            tls=trusted,
        )
    )
