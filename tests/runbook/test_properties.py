"""What must hold for any sequence of intents at any time, any event, any series of samples."""

import random
import types
import typing
from dataclasses import fields, is_dataclass
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.runbook import events as e
from bot.runbook.codec import decode, encode
from bot.runbook.criteria import judge
from bot.runbook.samples import Judgement, Sample
from tests.runbook.cast import load, plan
from tests.runbook.explore import EVERY, Exploration
from tests.runbook.offers import offers

CORE = load()
RATE = st.none() | st.floats(min_value=0.0, max_value=1.0)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
TIME = st.floats(min_value=0.0, max_value=4e9)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32), which=st.sampled_from(EVERY), late=st.lists(st.floats(0.0, 3000.0), max_size=20))
def test_any_conversation_keeps_the_promises(seed: int, which: dict[str, Any], late: list[float]) -> None:
    """Two hundred intents at random, arriving at random times: every accepted one is held to every invariant."""
    chance = random.Random(seed)
    walk = Exploration(core=CORE, start=plan(CORE, **which))
    index = walk.begin()
    for _ in range(200):
        node = walk.nodes[index]
        intent, at = chance.choice(list(offers(CORE, node.run, node.now + chance.choice([*late, 0.0, 0.0]))))
        reached = walk.attempt(index, intent, at)
        index = index if reached is None else reached


def test_any_event_is_read_as_it_was_written() -> None:
    """Every kind of event, with any words, numbers and times in it, survives JSON bit for bit."""
    for kind in e.Event.__args__:
        _round_trip(kind)


def _round_trip(kind: Any) -> None:
    @settings(max_examples=25, deadline=None, database=None)
    @given(event=_built(kind))
    def check(event: Any) -> None:
        name, body = encode(event)
        read = decode(name, body)
        assert event == read
        assert (name, body) == encode(read)

    check()


def _built(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of that type, with times and words that JSON can carry."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if is_dataclass(hint):
        hints = typing.get_type_hints(hint)
        return st.builds(hint, **{each.name: _built(hints[each.name]) for each in fields(hint)})
    if origin in (typing.Union, types.UnionType):
        return st.one_of(*(_built(each) for each in args))
    if origin is tuple and args[-1] is Ellipsis:
        return st.lists(_built(args[0]), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*(_built(each) for each in args))
    if origin is frozenset:
        return st.frozensets(_built(args[0]), max_size=3)
    return {str: TEXT, float: TIME}.get(hint, st.from_type(hint))


def series(rates: list[float | None], every: float = 30.0) -> list[Sample]:
    """Samples at an even pace with these error rates."""
    return [Sample(at=every * n, healthy=("web",), error_rate=rate) for n, rate in enumerate(rates)]


def judged(samples: list[Sample]) -> Judgement:
    return judge(samples, now=samples[-1].at, sustained_for=300.0, sample_every=30.0).judgement


@given(rates=st.lists(RATE, min_size=1, max_size=40), hole=st.integers(1, 10))
def test_a_gap_is_never_evidence_of_a_breach(rates: list[float | None], hole: int) -> None:
    """With a measurement missing in every five minutes nothing has been over its limit for five minutes."""
    holed = [None if n % hole == 0 else rate for n, rate in enumerate(rates)]

    assert Judgement.BREACH != judged(series(holed))


@given(rates=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=40), gap=st.floats(91.0, 5000.0))
def test_a_silence_cuts_the_stretch(rates: list[float], gap: float) -> None:
    """What was over the limit before a silence does not count together with what comes after it."""
    before = series(rates)
    after = [Sample(at=before[-1].at + gap + 30.0 * n, healthy=("web",), error_rate=0.9) for n in range(10)]

    assert Judgement.BREACH != judged([*before, *after])


@given(rates=st.lists(RATE, min_size=1, max_size=40), more=st.floats(0.0, 1.0))
def test_worse_numbers_are_never_judged_better(rates: list[float | None], more: float) -> None:
    """Raising every measured rate never takes a breach away."""
    worse = [None if rate is None else min(1.0, rate + more) for rate in rates]

    assert judged(series(rates)) != Judgement.BREACH or judged(series(worse)) == Judgement.BREACH


@given(rates=st.lists(st.floats(0.11, 1.0), min_size=12, max_size=40))
def test_a_sustained_breach_is_always_seen(rates: list[float]) -> None:
    """Over the limit in every sample for more than five minutes is a breach."""
    assert Judgement.BREACH == judged(series(list(rates)))
