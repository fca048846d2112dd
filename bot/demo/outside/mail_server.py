"""A real SMTP server that keeps what it is given, as mailboxes do: a mail with a known Message-ID is the same mail."""

import asyncio
import email
import email.policy
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from enum import StrEnum

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class MailFault(StrEnum):
    """What goes wrong with one mail."""

    DROP_AFTER = "drop_after"  # it is taken, and the connection breaks before the answer
    DROP_BEFORE = "drop_before"  # the connection breaks before it is taken
    REFUSED = "refused"  # 554, and why


@dataclass
class MailServer:
    """Listens on 127.0.0.1.  ``login`` is asked for where it is given, ``tls`` offered by STARTTLS or ``from_start``.

    ``received`` are all mails handed over, ``mails`` those that lie in the mailboxes, by Message-ID.
    """

    login: tuple[str, str] | None = None
    tls: ssl.SSLContext | None = None
    from_start: bool = False
    received: list[EmailMessage] = field(default_factory=list)
    mails: dict[str, EmailMessage] = field(default_factory=dict)
    readers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    faults: list[MailFault] = field(default_factory=list)
    unknown: Mapping[str, str] = field(default_factory=dict)  # address -> the refusal
    port: int = 0
    _server: asyncio.Server | None = None

    async def start(self, port: int = 0) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            self._protocol, "127.0.0.1", port, ssl=self.tls if self.from_start else None
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def _protocol(self) -> SMTP:
        offered = None if self.from_start else self.tls
        return SMTP(
            self,
            hostname="mail.test",
            tls_context=offered,
            require_starttls=offered is not None,
            auth_required=self.login is not None,
            authenticator=self._authenticated,
            loop=asyncio.get_running_loop(),
        )

    def _authenticated(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _how: str, given: LoginPassword
    ) -> AuthResult:
        name, word = self.login or ("", "")
        ok = (given.login, given.password) == (name.encode(), word.encode())
        return AuthResult(success=ok, handled=False)

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take the recipient, unless nobody is called that."""
        if address in self.unknown:
            return self.unknown[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:
        """Take the mail, or go wrong as ordered."""
        fault = self.faults.pop(0) if self.faults else None
        if fault is MailFault.REFUSED:
            return "554 5.7.1 the message is not accepted"
        if fault is not MailFault.DROP_BEFORE:
            self._take(envelope)
        if fault is not None and server.transport is not None:
            server.transport.close()
        return "250 OK: queued"

    def _take(self, envelope: Envelope) -> None:
        content = envelope.content or b""
        raw = content.encode() if isinstance(content, str) else content
        mail = email.message_from_bytes(raw, policy=email.policy.default)
        self.received.append(mail)
        number = str(mail["Message-ID"])
        self.mails.setdefault(number, mail)
        self.readers.setdefault(number, tuple(envelope.rcpt_tos))
