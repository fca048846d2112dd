"""The proof of the core: every reachable state of every kind of plan, every intent in it, all promises held."""

import typing
from collections import Counter
from collections.abc import Iterator

import pytest

from bot.runbook import intents, refusals
from bot.runbook.apply import begin, fold
from bot.runbook.codec import decode, encode
from bot.runbook.events import Event
from bot.runbook.refusals import NotReady, Refusal, TargetBusy
from bot.runbook.run import FINAL, RECOVERY, State
from bot.runbook.steps import StepName
from bot.runbook.timers import TimerKind, timers
from tests.runbook.cast import load, started
from tests.runbook.explore import FULL, Exploration, explore

# measured: 18,179 in the gate's plans, over 24,000 in all; fewer means that the walk has lost its way
FEWEST_STATES = 23_000 if FULL else 17_500
FEWEST_TRANSITIONS = 3_200_000 if FULL else 2_450_000


pytestmark = pytest.mark.xdist_group("exploration")  # one walk for all of them


@pytest.fixture(scope="module")
def walks() -> Iterator[list[Exploration]]:
    yield list(explore(load()))


def test_every_promise_holds_in_every_reachable_state(
    walks: list[Exploration], capsys: pytest.CaptureFixture[str]
) -> None:
    """I1 to I7: walking raises at the first broken promise; the walk cannot shrink unnoticed."""
    states = sum(len(walk.nodes) for walk in walks)
    transitions = sum(walk.transitions for walk in walks)
    with capsys.disabled():
        print(f"\nexplored {len(walks)} plans: {states:,} states, {transitions:,} transitions")

    assert states >= FEWEST_STATES
    assert transitions >= FEWEST_TRANSITIONS


def test_every_state_and_every_step_is_reached(walks: list[Exploration]) -> None:
    """Nothing in the core is there for nothing."""
    states = {node.run.state for walk in walks for node in walk.nodes}
    steps = {node.run.step.name for walk in walks for node in walk.nodes}

    assert set(State) == states
    assert set(StepName) == steps


def test_every_kind_of_event_and_intent_is_seen(walks: list[Exploration]) -> None:
    """The walk says everything that can be said, and everything that can happen has happened."""
    happened = set().union(*(walk.kinds for walk in walks)) | {"Started"}
    said = {type(node.intent).__name__ for walk in walks for node in walk.nodes}
    silent = {"ApproveCancel", "KeepWaiting", "Pause", "SeeBlockers", "CannotAsk", "Close", "Retry", "Resume", "Reject"}
    silent |= {"TakeBaseline"}  # it moves no run to another state: that is its promise

    assert {each.__name__ for each in typing.get_args(Event)} == happened
    assert {each.__name__ for each in typing.get_args(intents.Intent)} - silent <= said


def test_every_refusal_is_met_and_says_what_to_do(walks: list[Exploration]) -> None:
    """Each class of refusal is raised somewhere, and each names the next action as a sentence."""
    met = {name: refusal for walk in walks for name, refusal in walk.refusals.items()}
    abstract = {"Unauthorised"}  # only its children are raised
    others = {TargetBusy.__name__, NotReady.__name__}  # the engine's own, and what comes before a run
    every = {each.__name__ for each in family(Refusal)} - abstract - others

    assert every == set(met)
    for refusal in met.values():
        assert refusal.what.endswith(".") and refusal.next_action.endswith(".")
        assert str(refusal) == f"{refusal.what} {refusal.next_action}"
        assert len(refusal.next_action.split()) >= 3


def test_a_replayed_ledger_gives_the_run(walks: list[Exploration]) -> None:
    """I6: for every final state, the whole way there as JSON and back makes the same run."""
    core = load()
    ended: Counter[State] = Counter()
    for walk in walks:
        first = started(core, walk.start)
        for node in (node for node in walk.nodes if node.run.final):
            events = [decode(*encode(event)) for event in (first, *walk.path(node))]
            assert node.run == fold(begin("m-1", events[0]), events[1:])
            ended[node.run.state] += 1

    assert set(FINAL.values()) == set(ended)


def test_each_state_has_its_recovery_story(walks: list[Exploration]) -> None:
    """A state without an answer to "and if everything dies now?" cannot be added."""
    assert set(State) == set(RECOVERY)
    assert all(len(story.split()) >= 4 for story in RECOVERY.values())

    moved_on = {State.PREPARING: TimerKind.KICK, State.WORKING: TimerKind.KICK, State.WATCHING: TimerKind.SAMPLE}
    moved_on |= {State.ASKING: TimerKind.EXPIRE}
    for node in (node for walk in walks for node in walk.nodes):
        armed = {timer.kind for timer in timers(node.run)}
        final = node.run.state in FINAL.values()
        expected = set() if final else {moved_on.get(node.run.state, TimerKind.NUDGE), TimerKind.STATUS}
        assert expected == armed - {TimerKind.REMIND, TimerKind.DEADLINE, TimerKind.BASELINE}


def test_every_route_ends_in_its_own_final_state(walks: list[Exploration]) -> None:
    """A run that ended has the final state of the route it was on."""
    for node in (node for walk in walks for node in walk.nodes if node.run.final):
        assert FINAL[node.run.route] == node.run.state


def family(base: type[Refusal]) -> Iterator[type[Refusal]]:
    """All subclasses of ``base``, and theirs."""
    for each in base.__subclasses__():
        if each.__module__ == refusals.__name__:
            yield each
            yield from family(each)
