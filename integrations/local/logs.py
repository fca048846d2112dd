"""The end of a service's log, with every secret we know of, and everything shaped like one, masked."""

import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bot.target import Service, Target
from integrations.process import Redactor

MASK = "***"
TAIL_BYTES = 65_536
LINE_CHARACTERS = 500
_SECRET_NAME = re.compile(r"pass|secret|token|key|dsn|url|credential", re.IGNORECASE)
_ANY_URL = re.compile(r"(?<=://)[^\s/@]*:[^\s@]*(?=@)")  # user:password of any URL
_SLACK_TOKEN = re.compile(r"\bxox[a-z]-[\w-]+|\bxapp-[\w-]+")


def tail(path: Path, *, lines: int, target: Target, service: Service) -> tuple[str, ...]:
    """The last ``lines`` lines, each at most 500 characters; nothing when there is no log yet."""
    secrets = known_secrets(target, service)
    return tuple(redact(line, secrets)[:LINE_CHARACTERS] for line in _end(path).splitlines()[-lines:])


def redact(text: str, secrets: tuple[str, ...]) -> str:
    """``text`` with the given secrets, passwords in URLs and settings, and Slack tokens masked."""
    text = _ANY_URL.sub(MASK, Redactor(secrets)(text))
    return _SLACK_TOKEN.sub(MASK, text)


def known_secrets(target: Target, service: Service) -> tuple[str, ...]:
    """Whole values of the settings that hold secrets, and the passwords within them."""
    values = [target.dsn, *(value for name, value in service.environment if _SECRET_NAME.search(name))]
    return tuple({part for value in values for part in (value, *_passwords(value)) if len(part) >= 4})


def _passwords(value: str) -> tuple[str, ...]:
    try:
        written = urlsplit(value).password or ""
    except ValueError:
        return ()
    keyword = re.search(r"password\s*=\s*('[^']*'|\S+)", value)
    return (written, unquote(written), keyword.group(1).strip("'") if keyword else "")


def _end(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL_BYTES))
            return file.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return ""
