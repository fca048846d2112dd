"""One contract for every ``PostOffice``: nothing is lost, and what is sent again is the same mail."""

import io
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from email.message import EmailMessage

import pytest

from bot.demo.outside.mail_server import MailFault, MailServer
from bot.outside import Audience, PostOffice
from bot.ports import StepError, Unclear
from integrations.console.outside import ConsolePostOffice
from integrations.mail.message import message
from integrations.mail.post import Mailbox, Security, SmtpPostOffice
from tests.fakes_outside import FakePostOffice
from tests.integrations.outside.conftest import Certificate
from tests.integrations.outside.samples import mail, notice

PASSWORD = "hunter2-and-more"
RECIPIENTS = {Audience.STAKEHOLDERS: ("boss@example.com", "ops@example.com"), Audience.TEAM: ("ops@example.com",)}


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A post office, the faults it can be given, and what is to be read."""

    post: PostOffice
    fail: Callable[[str], None]
    read: Callable[[], Sequence[str]]
    faults: tuple[str, ...] = ("drop_after", "drop_before")


def box(server: MailServer, security: Security, certificate: Certificate | None = None, **changes: object) -> Mailbox:
    """The settings that fit the server."""
    made = Mailbox(
        host="localhost" if certificate else "127.0.0.1", port=server.port, security=security,
        sender="Migrations <migrations@example.com>", recipients=RECIPIENTS,
        username=server.login[0] if server.login else "", password=server.login[1] if server.login else "",
        tls=certificate.trusted() if certificate else None,
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.fixture
async def servers(certificate: Certificate) -> AsyncIterator[Callable[[Security], object]]:
    """Starts mail servers that are stopped at the end."""
    async with AsyncExitStack() as stack:

        async def started(security: Security, *, login: bool = True) -> MailServer:
            secured = security is not Security.NONE
            server = MailServer(  # aiosmtpd offers AUTH only after STARTTLS
                login=("bot", PASSWORD) if security is Security.STARTTLS and login else None,
                tls=certificate.server() if secured else None,
                from_start=security is Security.TLS,
            )
            await server.start()
            stack.push_async_callback(server.stop)
            return server

        yield started


@pytest.fixture(params=["console", "fake", *Security])
async def stage(request: pytest.FixtureRequest, servers: Callable[..., object], certificate: Certificate) -> Stage:
    """Each post office in turn; SMTP's is a real client against a real server, in each way of being private."""
    if request.param == "console":
        printed = io.StringIO()
        lines = lambda: [line for line in printed.getvalue().splitlines() if " to " in line]  # noqa: E731
        return Stage(post=ConsolePostOffice(printed), fail=lambda _: None, read=lines, faults=())
    if request.param == "fake":
        fake = FakePostOffice()
        return Stage(post=fake, fail=fake.faults.append, read=lambda: list(fake.mails))
    security = Security(request.param)
    server: MailServer = await servers(security)  # type: ignore[misc]
    trusted = certificate if security is not Security.NONE else None
    return Stage(
        post=SmtpPostOffice(box(server, security, trusted)),
        fail=lambda fault: server.faults.append(MailFault(fault)),
        read=lambda: list(server.mails),
    )


async def test_a_mail_is_delivered_and_a_repeated_one_is_the_same(stage: Stage) -> None:
    """Sending the same notice again leaves one mail in the mailbox; another notice is another mail."""
    for _ in range(2):
        assert () == await stage.post.send(notice(mail(first=True)), mail(first=True))
    await stage.post.send(notice(mail(), 2), mail())

    assert 2 == len(stage.read())


async def test_a_lost_answer_is_unclear_and_repeating_delivers_once(stage: Stage) -> None:
    """Whether the mail was taken or not, it lies there once in the end."""
    for number, fault in enumerate(stage.faults, 1):
        stage.fail(fault)
        with pytest.raises(Unclear):
            await stage.post.send(notice(mail(), number), mail())
        await stage.post.send(notice(mail(), number), mail())

    assert len(stage.faults) == len(stage.read())


async def _only(server: MailServer) -> EmailMessage:
    (found,) = server.mails.values()
    return found


async def test_a_run_is_one_thread_in_plain_text_and_html(servers: Callable[..., object]) -> None:
    """Every later mail answers the first; both forms say the same words."""
    server: MailServer = await servers(Security.NONE)  # type: ignore[misc]
    post = SmtpPostOffice(box(server, Security.NONE))
    await post.send(notice(mail(first=True)), mail(first=True))
    await post.send(notice(mail(), 2), mail())
    first, second = server.mails.values()

    assert {first["Message-ID"]} == {second["In-Reply-To"], second["References"]}
    assert f"Re: {first['Subject']}" == second["Subject"]
    assert ["boss@example.com", "ops@example.com"] == list(server.readers[first["Message-ID"]])
    plain, html = first.get_body(("plain",)), first.get_body(("html",))
    assert plain is not None and html is not None
    assert mail().text.splitlines() == plain.get_content().splitlines()
    assert all(line in html.get_content() for line in mail().text.splitlines())
    assert "auto-generated" == first["Auto-Submitted"]


async def test_what_people_wrote_cannot_become_a_header(servers: Callable[..., object]) -> None:
    """Line breaks of every kind in a subject stay in the subject."""
    server: MailServer = await servers(Security.NONE)  # type: ignore[misc]
    evil = "hello\r\nBcc: everybody@example.com\nX-Evil: 1\u2028Cc: a@example.com\x00\x85Subject: no"
    written = mail(subject=evil, text=f"{evil}\r\n.\r\nQUIT\r\n")
    await SmtpPostOffice(box(server, Security.NONE)).send(notice(written), written)
    found = await _only(server)

    assert {"From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted"} | {
        "MIME-Version", "Content-Type",
    } >= {name for name in found if not name.startswith("X-")}  # fmt: skip
    assert [] == [name for name in found if name in ("Bcc", "Cc", "X-Evil")]
    assert ("boss@example.com", "ops@example.com") == server.readers[found["Message-ID"]]


@pytest.mark.parametrize("sender", ["a@example.com\r\nBcc: b@example.com", "Evil\nTo: x <a@example.com>"])
def test_a_sender_with_a_line_break_is_no_sender(sender: str) -> None:
    """The mail library refuses it, whatever the configuration let through."""
    with pytest.raises(ValueError, match=r"linefeed|CR|defects|newline|header"):
        message(notice(mail()), mail(), sender=sender, recipients=["ops@example.com"])


async def test_a_recipient_who_is_refused_does_not_keep_the_others_from_reading(servers: Callable[..., object]) -> None:
    """They have their mail, and it is said who has not."""
    server: MailServer = await servers(Security.NONE)  # type: ignore[misc]
    server.unknown = {"boss@example.com": "550 5.1.1 no such user"}
    refused = await SmtpPostOffice(box(server, Security.NONE)).send(notice(mail()), mail())

    assert ("boss@example.com was refused: 550 5.1.1 no such user",) == refused
    assert [("ops@example.com",)] == list(server.readers.values())


@pytest.mark.parametrize("why", ["everybody refused", "content refused", "wrong password"])
async def test_a_refusal_says_what_to_do_and_no_secret(
    servers: Callable[..., object], certificate: Certificate, why: str
) -> None:
    """Trying again at once would change nothing: it is said to people."""
    server: MailServer = await servers(Security.STARTTLS)  # type: ignore[misc]
    made = box(server, Security.STARTTLS, certificate)
    if why == "everybody refused":
        server.unknown = dict.fromkeys(("boss@example.com", "ops@example.com"), "550 no such user")
    elif why == "content refused":
        server.faults = [MailFault.REFUSED]
    else:
        made = replace(made, password="not-it-at-all")
    with pytest.raises(StepError) as error:
        await SmtpPostOffice(made).send(notice(mail()), mail())

    assert error.value.advice
    assert "not-it-at-all" not in f"{error.value!r}{error.value}{made!r}"
    assert PASSWORD not in f"{error.value!r}{error.value}{made!r}"


async def test_nothing_is_said_to_a_server_that_cannot_be_trusted(
    servers: Callable[..., object], certificate: Certificate
) -> None:
    """No STARTTLS, or a certificate of nobody we know: neither the password nor the mail is sent."""
    plain: MailServer = await servers(Security.NONE)  # type: ignore[misc]
    strange: MailServer = await servers(Security.STARTTLS, login=False)  # type: ignore[misc]
    for made in (
        box(plain, Security.STARTTLS, certificate, username="bot", password=PASSWORD),
        replace(box(strange, Security.STARTTLS, certificate, username="bot", password=PASSWORD), tls=None),
    ):
        with pytest.raises(Unclear):
            await SmtpPostOffice(made).send(notice(mail()), mail())

    assert ([], []) == (plain.received, strange.received)


async def test_the_same_notice_makes_the_same_bytes() -> None:
    """Also from another process and later: mailboxes compare, and so can people."""
    made = [message(notice(mail()), mail(), sender="a@example.com", recipients=["b@example.com"]) for _ in range(2)]

    assert made[0].as_bytes() == made[1].as_bytes()
