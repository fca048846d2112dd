"""The doctor's look at the mail server: connection, TLS and login, and no mail."""

import ssl
from pathlib import Path

import aiosmtplib

from bot.doctor.findings import Finding, Findings, fail, ok
from bot.outside_settings import MailConfig
from integrations.mail.build import post_office

_ENTRY = "[targets.{target}.mail]"


async def look_at_mail(config: MailConfig, target: str, *, password: str, base: Path) -> Findings:
    """As for sending; the server is left before anything is sent."""
    table, where = _ENTRY.format(target=target), f"{config.host}:{config.port}"
    try:
        office = post_office(config, password=password, base=base)
    except (OSError, ssl.SSLError) as error:
        why = f"ca_file cannot be used ({type(error).__name__})."
        return [fail("ca_file", why, f"Name a PEM file with certificates as ca_file of {table}.")]
    try:
        await office.enter()
    except aiosmtplib.SMTPAuthenticationError as error:
        why = f"{where} does not let {config.username} in ({error.code})."
        return [fail("login", why, f"Mend username of {table} and the variable {config.password_env}.")]
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        return [_unreached(config, table, error)]
    how = {"tls": "with TLS", "starttls": "with STARTTLS", "none": "without TLS"}[config.security]
    return [ok("login", f"{where} takes {config.username or 'mail without a login'}, {how}")]


def _unreached(config: MailConfig, table: str, error: Exception) -> Finding:
    """The server's own words are not shown: it may repeat what it was told."""
    where, cause = f"{config.host}:{config.port}", error.__cause__ or error
    said = str(error).lower()
    if isinstance(cause, ssl.SSLCertVerificationError) or "certificate" in said:
        why = f"The certificate of {where} is not trusted."
        return fail("TLS", why, f"Name its authority's certificate as ca_file of {table}, or mend host.")
    if "starttls" in said and config.security == "starttls":
        why = f"{where} does not offer STARTTLS."
        return fail("TLS", why, f'Write security = "tls" and port = 465 in {table}, or use the server\'s other port.')
    if isinstance(cause, ssl.SSLError) or config.security == "tls":
        why = f"{where} does not speak TLS from the start ({type(error).__name__})."
        return fail("TLS", why, f'Write security = "starttls" and port = 587 in {table}, or mend port.')
    if "auth" in said and "supported" in said:
        why = f"{where} takes no login."
        return fail("login", why, f"Take username and password_env out of {table}, or use the port for submission.")
    why = f"{where} gave no answer ({type(error).__name__})."
    return fail("connection", why, f"Mend host and port of {table}, and let the bot's host through the firewall.")
