"""A report as JSON, for programs: the same content, in plain values."""

import json
from typing import Any

from bot.runbook import announcements, texts
from bot.runbook.codec import plain
from bot.runbook.predicted import compared
from bot.runbook.preparation.standing import checklist
from bot.runbook.run import Run
from bot.views.report.deviations import deviations
from bot.views.report.measured import watches
from bot.views.timeline import Record, approvals, timeline

FORMAT = 1  # grows when something is taken away or changes its meaning; what is only added changes nothing


def as_json(run: Run, record: Record, now: float, head: str = "") -> str:
    """One object; times are POSIX seconds, lengths seconds."""
    return json.dumps(_content(run, record, now, head), indent=1, ensure_ascii=False)


def _content(run: Run, record: Record, now: float, head: str) -> dict[str, Any]:
    plan = record.preparation
    return {
        "format": FORMAT,
        "run": run.id,
        "head": head,
        "state": run.state.value,
        "reason": run.reason,
        "plan": plain(run.plan),
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "duration": texts.elapsed(run, now),
        "downtime": texts.downtime(run, now),
        "database": run.database_state.value,
        "timeline": [plain(each) for each in timeline(run.id, record.events)],
        "predicted": [plain(each) | {"error": each.error} for each in compared(run.plan.drill, run)],
        "deviations": list(deviations(run, record.events)),
        "approvals": [plain(yes) | {"to": title} for title, yes in approvals(run.id, record.events)],
        "waived": list(run.plan.waived),
        "checklist": [plain(each) for each in checklist(plan)] if plan else [],
        "evidence": [plain(each) for each in run.done],
        "metrics": {title: plain(tuple(samples)) for title, samples in watches(run.id, record.events).items()},
        "follow_up": plain(record.follow_up) if record.follow_up else None,
        "kept": list(announcements.kept(run)),
        "logs": list(record.logs),
    }
