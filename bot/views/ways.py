"""What a question says of going back: why, which way, what every other way would cost, and how to pick one."""

from bot.runbook.run import Question, Run
from bot.runbook.rungs import Option, Rung, recommended
from bot.runbook.steps import StepName
from bot.runbook.wording import duration
from bot.views import blocks as b
from bot.views.blamed import blamed
from bot.views.blocks import Glyph
from bot.views.ids import ActionValue, Verb, encode_value
from bot.views.text import said

_COST, _OTHER = 400, 160  # characters of what the asked way costs, and of every other


def why_and_which(run: Run, asked: Question) -> list[str]:
    """Why it goes back and which way is asked for; nothing for questions that are not about a way back."""
    if asked.step is not StepName.ANNOUNCE_ROLLBACK:
        return []
    option = asked.option
    if option is None:
        return [f"*Why:* {said(run.reason, 400)}", *blamed(run)]
    return [
        f"*Why:* {said(run.reason, 400)}",
        *blamed(run),
        f"*The way that is asked for:* {option.title} ({_standing(run, asked)})\n{said(option.cost, _COST)}",
    ]


def _standing(run: Run, asked: Question) -> str:
    best = recommended(asked.options)
    if best is None or best.rung is asked.rung:
        return (
            "the first rung that can be taken"
            if best and best.rung is Rung.DOWN and best.loses
            else "it loses the least"
        )
    return f"picked instead of “{best.title}”"


def others(asked: Question) -> str:
    """Every other way with its cost, or why it is impossible; empty where there is none."""
    lines = [f"• {each.title}: {_price(each)}" for each in asked.options if each.rung is not asked.rung]
    return "\n".join(["*Other ways back:*", *lines]) if lines else ""


def _price(option: Option) -> str:
    return said(option.cost, _OTHER) if option.possible else f"not possible: {said(option.why or 'no reason', _OTHER)}"


def expected(asked: Question, by_runbook: str) -> str:
    """How long it takes: what is known of the way that is asked for, else the runbook's minutes."""
    option = asked.option
    if option is None:
        return by_runbook
    if option.seconds is None:
        return f"not known for this way; {by_runbook}"
    return f"about {duration(max(option.seconds, 1))}{f' ({said(option.basis, 120)})' if option.basis else ''}"


def picking(run: Run, asked: Question) -> list[b.Block]:
    """The list to pick another way from, and how to type it."""
    able = _able(asked)
    if not able:
        return []
    sure = "It is described and asked for anew. What has been approved so far no longer counts."
    options = [b.option(each.title, encode_value(_value(run, asked, each))) for each in able]
    ask = b.confirm("Another way back?", sure, "Ask for it")
    return [*b.actions([b.select(Verb.RUNG, "Go back another way…", options, ask)]), b.context(typed(asked))]


def typed(asked: Question) -> str:
    """What to type to pick another way; empty where there is none."""
    commands = [f"/migrate {Verb.RUNG} {each.rung}" for each in _able(asked)]
    return f"To pick another way, choose it in the list or type {' or '.join(commands)}." if commands else ""


def _able(asked: Question) -> list[Option]:
    return [each for each in asked.options if each.possible and each.rung is not asked.rung]


def _value(run: Run, asked: Question, option: Option) -> ActionValue:
    return ActionValue(run=run.id, number=asked.number, digest=option.rung.value)


def consent(run: Run, asked: Question) -> list[str]:
    """What approving the migration agrees to beside the migration itself."""
    plan = run.plan
    if asked.step is not StepName.APPLY:
        return []
    signs = f"*Approving this also signs the rollback envelope:* {plan.envelope.words}" if plan.envelope else ""
    auto = (
        f"{Glyph.ATTENTION} Automatic rollback is on for {said(plan.target, 80)}: if a rollback criterion of the"
        " runbook is proven, the bot goes back without asking."
    )
    return [line for line in (signs, auto if plan.auto_rollback else "") if line]
