"""What is shown in every explored state, with hostile words: held to all of Slack's limits."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from bot.runbook.run import Run, State
from bot.views import waiting
from bot.views.card import card
from bot.views.home import home, status_view
from bot.views.limits import message_problems, view_problems
from bot.views.question import question
from tests.runbook.cast import load
from tests.runbook.cast import plan as plan_of
from tests.runbook.explore import PLANS, Exploration

HOSTILE = "<!channel> <@U1> & `rm` *x* ```\n🚨" * 60
LONG_FILES = tuple(f"{'long' * 60}{number}.sql" for number in range(60))


def test_every_message_in_every_explored_state_is_within_slacks_limits() -> None:
    """The card, the status, the question and the what-now message of every state of two of the plans."""
    states = 0
    for plan in (PLANS[0], PLANS[-1]):
        core = load()
        walk = Exploration(core=core, start=plan_of(core, **plan)).walk()
        states += len(walk.nodes)
        for node in walk.nodes:
            run = _hostile(node.run)
            for payload in _messages(run, node.now):
                assert () == tuple(message_problems(payload))
                assert "<!channel>" not in str(payload["text"])
            assert () == tuple(view_problems(home([run], node.now)))
    assert states > 500


def _hostile(run: Run) -> Run:
    plan = replace(run.plan, name=HOSTILE, purpose=HOSTILE, starter_name=HOSTILE, migrations=LONG_FILES)
    asked = replace(run.question, lines=(HOSTILE,) * 40, diff=(HOSTILE,) * 40, undo=HOSTILE) if run.question else None
    trouble = replace(run.trouble, problem=HOSTILE, advice=HOSTILE) if run.trouble else None
    hold = replace(run.hold, name=HOSTILE, reason=HOSTILE) if run.hold else None
    return replace(run, plan=plan, question=asked, trouble=trouble, hold=hold, reason=HOSTILE)


def _messages(run: Run, now: float) -> Iterator[Mapping[str, Any]]:
    yield card(run, now, progress=HOSTILE, head="f" * 64)
    yield status_view(run, now, head="f" * 64)
    if run.question is not None:
        yield question(run)
    if run.state in (State.STUCK, State.HELD, State.HANDED_OVER):
        yield waiting.asks(run, now)
