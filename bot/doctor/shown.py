"""The doctor's report as people and programs read it."""

import json
from collections.abc import Iterator

from bot.doctor.findings import Finding, Report, Section, Verdict
from bot.runbook.wording import counted, one_line
from bot.views import blocks as b
from bot.views.blocks import Glyph
from bot.views.text import said

_SIGN = {Verdict.OK: "ok  ", Verdict.WARN: "warn", Verdict.FAIL: "FAIL"}
_GLYPH = {Verdict.OK: Glyph.DONE, Verdict.WARN: Glyph.ATTENTION, Verdict.FAIL: Glyph.FAILED}
_ROOM = 8000  # characters of one message, with a margin (see limits.MESSAGE_TOTAL)


def lines(report: Report) -> list[str]:
    """For a console: every finding, with its fix on a line of its own."""
    found = []
    for section in report.sections:
        found.append(_title(section))
        for each in section.findings:
            found.append(f"  {_SIGN[each.verdict]}  {one_line(each.check)}: {one_line(each.why, 1000)}")
            if each.fix:
                found.append(f"        → {one_line(each.fix, 1000)}")
    return [*found, "", summary(report)]


def as_json(report: Report) -> str:
    """For a program."""
    sections = [
        {
            "system": section.system,
            "target": section.target or None,
            "findings": [
                {"check": each.check, "verdict": each.verdict.value, "why": each.why, "fix": each.fix}
                for each in section.findings
            ],
        }
        for section in report.sections
    ]
    return json.dumps({"ok": report.well, "sections": sections}, indent=2, ensure_ascii=False)


def payload(report: Report) -> b.Payload:
    """For one person in Slack: what is not well, and what was looked at; the rest is on the console."""
    wrong = [line for section in report.sections for line in _wrong(section)]
    while sum(map(len, wrong)) > _ROOM:
        wrong = [*wrong[:-2], "… and more: type python -m bot doctor on the bot's host"]
    seen = ", ".join(dict.fromkeys(said(_title(each), 60) for each in report.sections))
    whole = [f"{_GLYPH[_worst(report)]} {summary(report)}", *wrong, f"Looked at: {seen}."]
    return b.payload("\n".join(whole), [b.section(each) for each in b.packed(whole)])


def summary(report: Report) -> str:
    """The whole in one sentence."""
    bad, doubtful = report.count(Verdict.FAIL), report.count(Verdict.WARN)
    told = [counted(bad, "failure")] * bool(bad) + [counted(doubtful, "warning")] * bool(doubtful)
    checks = counted(sum(len(each.findings) for each in report.sections), "check")
    return f"{checks}: {' and '.join(told)}." if told else f"{checks}: all well."


def _worst(report: Report) -> Verdict:
    return next((each for each in (Verdict.FAIL, Verdict.WARN) if report.count(each)), Verdict.OK)


def _title(section: Section) -> str:
    return f"{section.target}: {section.system}" if section.target else section.system


def _wrong(section: Section) -> Iterator[str]:
    for each in sorted(section.findings, key=lambda one: one.verdict is not Verdict.FAIL):
        if each.verdict is not Verdict.OK:
            yield f"{_GLYPH[each.verdict]} *{said(_title(section), 80)}*: {_words(each)}"


def _words(finding: Finding) -> str:
    return f"{said(finding.why, 400)} {said(finding.fix, 400)}".strip()
