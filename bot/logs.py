"""Logs: dotted names with key and value, on standard output; coloured on a terminal, JSON elsewhere."""

import logging
import re
import secrets
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

_SECRET = re.compile(r"(xox[a-z]-[\w-]+|xapp-[\w-]+|(?<=://)[^:/\s@]+:[^@\s]+(?=@)|(?<=password=)\S+)")


def set_up(*, level: str = "info", json: bool | None = None) -> None:
    """Configure logging for this process, once, at its start."""
    as_json = not sys.stdout.isatty() if json is None else json
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        masked,
    ]
    last: structlog.types.Processor = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=True)
    )
    structlog.configure(
        processors=[*shared, last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_Masking("%(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("procrastinate").setLevel(logging.ERROR)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)


def referenced(event: str, error: Exception) -> str:
    """Log an error that nobody has a name for; the reference under which people find it there."""
    reference = "E-" + secrets.token_hex(4)
    structlog.get_logger().error(event, reference=reference, exc_info=error)
    return reference


def masked(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Tokens and passwords never reach a log line, whoever put them there."""
    for key, value in event.items():
        event[key] = _masked(value)
    return event


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return _SECRET.sub("•••", value)
    if isinstance(value, Mapping):
        return {key: _masked(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked(each) for each in value]
    return value


class _Masking(logging.Formatter):
    """Lines of libraries, with their tracebacks, under the same rule."""

    def format(self, record: logging.LogRecord) -> str:
        return str(_masked(super().format(record)))
