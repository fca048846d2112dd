"""A notice as a mail: the same bytes every time, so that a mailbox knows a repeated one by its Message-ID.

Message-ID, In-Reply-To and References (RFC 5322, 3.6.4) are derived from the run: one thread per run.  Header values
go through ``email.message``, which refuses line breaks, after all of them have been put on one line.
"""

import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from bot.outside import Mail, Notice
from bot.runbook.wording import one_line
from bot.views.mails import html


def message(notice: Notice, mail: Mail, *, sender: str, recipients: Sequence[str]) -> EmailMessage:
    """The mail for ``recipients``, in plain text and HTML."""
    domain = parseaddr(sender)[1].rpartition("@")[2]
    root = message_id(notice.run_id, domain)
    made = EmailMessage(policy=SMTP)
    made["From"] = sender
    made["To"] = ", ".join(recipients)
    made["Subject"] = one_line(mail.subject if mail.first else f"Re: {mail.subject}", 200)
    made["Date"] = format_datetime(datetime.fromtimestamp(mail.at, UTC))
    made["Message-ID"] = root if mail.first else message_id(notice.key, domain)
    if not mail.first:
        made["In-Reply-To"] = made["References"] = root
    made["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence assistant answers it
    made.set_content(mail.text)
    made.add_alternative(html(mail.text), subtype="html")
    made.set_boundary(f"=_{hashlib.sha256(notice.key.encode()).hexdigest()[:40]}")
    return made


def message_id(key: str, domain: str) -> str:
    """The Message-ID of a key: as readable as its alphabet allows, and as unique as the key."""
    readable = re.sub(r"[^A-Za-z0-9-]+", ".", key).strip(".")[:80]
    return f"<{readable}.{hashlib.sha256(key.encode()).hexdigest()[:12]}@{domain}>"
