"""What only a person can try: asked of those who are named, with a button for each answer."""

from bot.runbook.manual import ManualCheck, Moment
from bot.runbook.run import Run
from bot.runbook.tried import asked_now, newest, said_of
from bot.runbook.wording import utc
from bot.views import blocks as b
from bot.views.blocks import Glyph
from bot.views.ids import ActionValue, Field, Verb, encode_value
from bot.views.text import mention, said

_WHEN = {
    Moment.BEFORE: "before the migration, so that it is known how it was",
    Moment.AFTER: "now, with the migration in; it is watched until you have",
}


def check_key(run: Run, moment: Moment, number: int) -> str:
    """The key of the message that asks for one check; in every watch there is a new one."""
    since = run.started_at if moment is Moment.BEFORE else run.since
    return f"{run.id}:check:{moment}:{int(since * 1000)}:{number}"


def check_asked(run: Run, check: ManualCheck, moment: Moment) -> b.Payload:
    """What is to be tried, what was said so far, and the buttons as long as an answer counts."""
    open_ = asked_now(run) is moment
    answer = (said_of if open_ else newest)(run, check.name, moment)
    head = f"{Glyph.ATTENTION} {mention(check.people)} please try “{said(check.name, 80)}” {_WHEN[moment]}:"
    if answer is not None:
        sign, word = (Glyph.DONE, "works") if answer.works else (Glyph.FAILED, "does not work")
        note = f": {said(answer.note, 300)}" if answer.note else "."
        head = f"{sign} “{said(check.name, 80)}” {word} {_short(moment)}, says {said(answer.name, 80)}{note}"
    elif not open_:
        head = f"{Glyph.INFO} Nobody has said whether “{said(check.name, 80)}” works {_short(moment)}."
    lines = [head, said(check.ask, 600)] if open_ else [head]
    drawn = [b.section("\n".join(lines)), *(b.actions(_buttons(run, check)) if open_ else [])]
    return b.payload("\n".join(lines), drawn)


def check_reminder(run: Run, checks: tuple[ManualCheck, ...], now: float) -> b.Payload:
    """Calling those who have not answered, or, where all have, asking them to look again."""
    if checks:
        people = frozenset[str]().union(*(each.people for each in checks))
        names = ", ".join(f"“{said(each.name, 80)}”" for each in checks)
        text = f"{Glyph.ATTENTION} {mention(people)} nobody has tried {names} yet; the watch does not end before."
    else:
        people = frozenset[str]().union(*(each.people for each in run.plan.manual))
        text = (
            f"{Glyph.INFO} {mention(people)} please look once more ({utc(now)}): if something is broken by now, say so."
        )
    return b.payload(text, [b.section(text)])


def broken_modal(run: Run, name: str) -> b.Payload:
    """What somebody saw."""
    note = (
        "With the migration in, this opens the question of the way back at once (runbook: critical functionality"
        " broken); before it, it is recorded, so that the migration is not blamed for it."
    )
    element = {"type": "plain_text_input", "max_length": 500, "multiline": True}
    drawn = [b.section(f"*{said(name, 100)}*\n{note}"), b.field(Field.REASON, "What did you see?", element)]
    value = ActionValue(run=run.id, digest=name)
    return b.modal(Verb.BROKEN, "It does not work", "Record", drawn, encode_value(value))


def _buttons(run: Run, check: ManualCheck) -> list[b.Block]:
    value = ActionValue(run=run.id, digest=check.name)
    return [
        b.button(Verb.WORKS, "Works", value, style="primary"),
        b.button(Verb.BROKEN, "Does not work", value, style="danger"),
    ]


def _short(moment: Moment) -> str:
    return "before the migration" if moment is Moment.BEFORE else "after the migration"
