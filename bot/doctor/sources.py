"""The doctor's look at a source of metrics: does it answer, and what does it know of the target?"""

from bot.doctor.findings import Findings, failed, ok, warn
from bot.ports import Source, StepError
from bot.runbook.readings import Figure
from bot.target import Target


async def look_at_source(source: Source, target: Target) -> Findings:
    """One measurement, as the watch makes it."""
    try:
        found = await source.measure(target)
    except StepError as error:
        return [failed("metrics", error)]
    known = [figure.value for figure in Figure if found.value(figure) is not None]
    if not found.gaps and known:
        return [ok("metrics", f"knows {', '.join(known)}")]
    missing = "; ".join(f"{gap.figure or 'everything'}: {gap.why}" for gap in found.gaps) or "it is asked for nothing"
    fix = "With traffic on the services, look again; else mend whose metrics are asked for in the targets file."
    return [warn("metrics", f"{source.name} lacks data ({missing}).", fix)]
