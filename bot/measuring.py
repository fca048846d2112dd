"""``ComposedProbe``: the bot's own probe and every configured source of metrics as one measurement."""

import asyncio
from collections.abc import Mapping

import structlog

from bot.ports import Probe, Source, StepError
from bot.runbook.readings import Reading, silent, together
from bot.runbook.samples import Sample
from bot.target import Target

_log = structlog.get_logger()
_SHARE = 0.4  # of the time between two samples: 12 s of 30, so that a slow source makes no sample late


class ComposedProbe:
    """Measures with ``own`` always, and with the ``sources`` of each target, by its name, beside it.

    A source that fails is a gap of the sample, named once; it never breaks it.
    """

    def __init__(self, own: Probe, sources: Mapping[str, tuple[Source, ...]]) -> None:
        self._own = own
        self._sources = sources

    async def sample(self, target: Target) -> Sample:
        """All at once; takes as long as the own probe does, or the part of a sampling interval that a source has."""
        sources = self._sources.get(target.name, ())
        own, readings = await asyncio.gather(
            self._own.sample(target), asyncio.gather(*(self._read(each, target) for each in sources))
        )
        return together(own, readings)

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
