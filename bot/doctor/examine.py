"""All looks at once: each with its own limit, none able to stop the others."""

import asyncio
from collections.abc import Iterable

import structlog

from bot.doctor.findings import Finding, Findings, Part, Report, Section, fail, failed
from bot.ports import StepError
from bot.settings import ConfigurationError

_log = structlog.get_logger()


async def examine(parts: Iterable[Part]) -> Report:
    """The report, in the order of ``parts``; takes as long as the slowest of them, and no longer than its limit."""
    given = tuple(parts)
    found = await asyncio.gather(*(_looked(each) for each in given))
    return Report(
        sections=tuple(
            Section(system=part.system, target=part.target, findings=tuple(findings))
            for part, findings in zip(given, found, strict=True)
        )
    )


async def _looked(part: Part) -> Findings:
    try:
        async with asyncio.timeout(part.seconds):
            return await part.look()
    except TimeoutError:
        why = f"It could not be looked at within {part.seconds:.0f} s."
        return [fail("answers in time", why, "Check that it is reachable from the bot's host, and not overloaded.")]
    except StepError as error:
        return [failed("answers", error)]
    except ConfigurationError as error:
        return misconfigured(error)
    except Exception as error:  # noqa: BLE001 - its text could quote a secret, so only its kind is told
        _log.warning("doctor.failed", system=part.system, error=type(error).__name__, exc_info=error)
        return [fail("can be looked at", f"The look failed ({type(error).__name__}).", "See the bot's logs.")]


def misconfigured(error: ConfigurationError) -> list[Finding]:
    """Each mistake of the configuration as a finding."""
    return [_mistake(line) for line in str(error).splitlines()]


def _mistake(line: str) -> Finding:
    """The texts of the configuration end with their remedy."""
    why, _, fix = line.strip().rpartition(". ")
    return fail("is read", f"{why}.", fix) if why else fail("is read", fix, "See docs/targets.example.toml.")
