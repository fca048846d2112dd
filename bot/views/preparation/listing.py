"""Plans as people list them: in the answer to ``/migrate plan list``, and on the Home tab."""

from collections.abc import Sequence

from bot.runbook.preparation.preparation import Preparation
from bot.views import blocks as b
from bot.views.blocks import Glyph
from bot.views.ids import ActionValue, Verb
from bot.views.preparation import parts
from bot.views.preparation.card import needed_line, shown_count, stage
from bot.views.preparation.offers import buttons
from bot.views.text import said

_LISTED = 15
_ROOM = 9000  # characters of one message, with a margin (see limits.MESSAGE_TOTAL)
MAKE_ONE = "There is no plan. Make one with /migrate plan."


def listed(plans: Sequence[Preparation]) -> b.Payload:
    """The plans as a message to one person."""
    if not plans:
        return none_yet()
    lines = [one(each) for each in plans[:_LISTED]]
    while len(lines) > 1 and sum(map(len, lines)) > _ROOM:
        lines = lines[:-1]
    left = [b.context(f"… and {len(plans) - len(lines)} more")] if len(lines) < len(plans) else []
    return b.payload("\n".join(lines), [b.header("Plans"), *(b.section(each) for each in lines), *left])


def none_yet() -> b.Payload:
    """There is nothing to start: how to make a plan, and the button for it."""
    text = f"{Glyph.INFO} {MAKE_ONE}"
    made = b.button(Verb.PLAN, "Plan a migration…", ActionValue(), style="primary")
    return b.payload(text, [b.section(text), *b.actions([made])])


def one(p: Preparation) -> str:
    """One plan in two lines."""
    word, sign = stage(p)
    plan, when = p.draft.plan, parts.window(p).splitlines()[0]
    return (
        f"{sign} *{said(plan.name, 75)}* on {said(plan.target, 80)}: {word}, {shown_count(p)}\n"
        f"{when} · by {said(p.author_name, 80)} · plan {said(p.id, 60)}{f' · run {said(p.run, 60)}' if p.run else ''}"
    )


def home_part(plans: Sequence[Preparation]) -> list[b.Block]:
    """The plans that wait for their start, with their buttons."""
    drawn: list[b.Block] = [b.header("Planned")]
    for each in plans[:_LISTED]:
        drawn += [b.section(f"{one(each)}\n{needed_line(each)}"), *b.actions(buttons(each)), b.divider()]
    return drawn if plans else [*drawn, b.section("No migration is planned. Type `/migrate plan` to plan one.")]
