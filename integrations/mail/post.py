"""``SmtpPostOffice``: the ``PostOffice`` port over SMTP (RFC 5321), with TLS from the start or by STARTTLS."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import aiosmtplib

from bot.outside import Audience, Mail, Notice
from bot.ports import StepError, Unclear
from integrations.mail.message import message

_PATIENCE = 20.0  # seconds for each command; RFC 5321, 4.5.3.2 allows minutes, and the next try is never far


class Security(StrEnum):
    """How the connection is kept private."""

    TLS = "tls"  # from the start, usually port 465
    STARTTLS = "starttls"  # before anything is said, usually port 587; a server that does not offer it is refused
    NONE = "none"  # on this machine only


@dataclass(frozen=True, kw_only=True)
class Mailbox:
    """The server, how to get in, who writes and who reads."""

    host: str
    port: int
    security: Security
    sender: str
    recipients: Mapping[Audience, tuple[str, ...]]
    username: str = ""
    password: str = field(default="", repr=False)
    tls: ssl.SSLContext | None = None  # the machine's own certificates unless given


class SmtpPostOffice:
    """One connection per mail: there are a dozen of them in a run."""

    def __init__(self, mailbox: Mailbox, *, patience: float = _PATIENCE) -> None:
        self._box = mailbox
        self._patience = patience

    async def send(self, notice: Notice, mail: Mail) -> tuple[str, ...]:
        """Hand the mail over; raises ``Unclear`` where the server's answer is lost, ``StepError`` where it refuses."""
        box = self._box
        recipients = list(dict.fromkeys(one for group in mail.audience for one in box.recipients.get(group, ())))
        if not recipients:
            return ()
        made = message(notice, mail, sender=box.sender, recipients=recipients)
        try:
            async with self._client() as client:
                refused, _ = await client.send_message(made, recipients=recipients)
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise self._refused("; ".join(f"{each.recipient}: {each}" for each in error.recipients)) from None
        except aiosmtplib.SMTPAuthenticationError as error:
            raise self._locked_out(error) from None
        except aiosmtplib.SMTPResponseException as error:
            raise self._refused(f"{error.code} {error.message}") from None
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise Unclear(f"{box.host}:{box.port} did not take the mail ({self._masked(str(error))})") from None
        return tuple(f"{who} was refused: {self._masked(f'{no.code} {no.message}')}" for who, no in refused.items())

    async def enter(self) -> None:
        """Connect, with TLS and login as for a mail, and leave; raises what the library raises."""
        async with self._client() as client:
            await client.noop()

    def _client(self) -> aiosmtplib.SMTP:
        box = self._box
        return aiosmtplib.SMTP(
            hostname=box.host,
            port=box.port,
            use_tls=box.security is Security.TLS,
            start_tls=box.security is Security.STARTTLS,
            tls_context=box.tls,
            username=box.username or None,
            password=box.password or None,
            timeout=self._patience,
        )

    def _refused(self, words: str) -> StepError:
        advice = "Check the addresses and the sender in the target's [mail], and what the mail server asks for."
        return StepError(f"{self._box.host} refused the mail: {self._masked(words)}", advice)

    def _locked_out(self, error: aiosmtplib.SMTPAuthenticationError) -> StepError:
        said = self._masked(f"{error.code} {error.message}")
        return StepError(
            f"{self._box.host} does not let {self._box.username} in: {said}",
            "Check username and the variable that password_env names.",
        )

    def _masked(self, words: str) -> str:
        """A server may repeat what it was told."""
        return words.replace(self._box.password, "***") if self._box.password else words
