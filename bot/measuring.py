"""``ComposedProbe``: the bot's own probe and every configured source of metrics as one measurement."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

import structlog

from bot.error_kinds import kinds
from bot.ports import Probe, Source, StepError
from bot.runbook.readings import Reading, silent, together
from bot.runbook.samples import ErrorKind, Sample
from bot.target import Service, Target

_log = structlog.get_logger()
ReadLog = Callable[[Target, Service, int], Awaitable[Sequence[str]]]
LINES = 200  # of each service's log, with every measurement
_SHARE = 0.4  # of the time between two samples: 12 s of 30, so that a slow source makes no sample late


class ComposedProbe:
    """Measures with ``own`` always, and with the ``sources`` of each target, by its name, beside it.

    ``log`` reads a service's newest lines.  A source that fails is a gap of the sample, named once; it never breaks it.
    """

    def __init__(self, own: Probe, sources: Mapping[str, tuple[Source, ...]], log: ReadLog | None = None) -> None:
        self._own = own
        self._sources = sources
        self._log = log

    async def sample(self, target: Target) -> Sample:
        """All at once; takes as long as the own probe does, or the part of a sampling interval that a source has."""
        sources = self._sources.get(target.name, ())
        own, readings, logs = await asyncio.gather(
            self._own.sample(target),
            asyncio.gather(*(self._read(each, target) for each in sources)),
            asyncio.gather(*(self._errors(each, target) for each in target.services)),
        )
        read = [each for each in logs if each is not None]
        errors = tuple(kind for each in read for kind in each)
        return replace(together(own, readings), errors=errors, logs_read=bool(read) and len(read) == len(logs))

    async def _errors(self, service: Service, target: Target) -> tuple[ErrorKind, ...] | None:
        """The kinds of error in a service's newest lines; ``None`` where they cannot be read, which is only logged."""
        if self._log is None:
            return None
        try:
            async with asyncio.timeout(target.timing.sample_every * _SHARE):
                return kinds(service.name, await self._log(target, service, LINES))
        except Exception as error:  # noqa: BLE001 - a log is a help, and its want no reason to measure nothing
            _log.debug("log.unread", target=target.name, service=service.name, why=type(error).__name__)
            return None

    async def _read(self, source: Source, target: Target) -> Reading:
        seconds = target.timing.sample_every * _SHARE
        try:
            async with asyncio.timeout(seconds):
                return await source.measure(target)
        except StepError as error:
            _log.warning("source.failed", target=target.name, source=source.name, why=error.problem)
            return silent(source.name, error.problem)
        except TimeoutError:
            _log.warning("source.slow", target=target.name, source=source.name)
            return silent(source.name, f"no answer within {seconds:g} s")
        except Exception:  # noqa: BLE001 - whatever it was: the other figures are as good as ever
            _log.exception("source.broken", target=target.name, source=source.name)
            return silent(source.name, "its answer could not be read")
