"""The people, the plans and the modules that every test of the core plays with."""

import importlib
from dataclasses import dataclass
from types import ModuleType
from typing import Any

DIGEST = "d" * 64  # of what the bot described
OTHER = "0" * 64  # of anything else

DESTRUCTIVE = ("900_drop_cases.sql",)  # the files of a plan whose migration may turn out to destroy something

STEERING = frozenset({"starter", "anna", "boris", "owner", "oncall"})
MAY_APPROVE = frozenset({"starter", "anna", "boris"})  # the starter only where self-approval is on
EVERYBODY = ("starter", "anna", "boris", "owner", "oncall", "outsider", "guest", "stranger", "leaver")


@dataclass(frozen=True, kw_only=True)
class Core:
    """The modules of one copy of ``bot.runbook``: the real one, or a broken one."""

    package: str
    apply: ModuleType
    codec: ModuleType
    criteria: ModuleType
    decide: ModuleType
    e: ModuleType
    fixes: ModuleType
    i: ModuleType
    manual: ModuleType
    people: ModuleType
    r: ModuleType
    run: ModuleType
    rungs: ModuleType
    samples: ModuleType
    steps: ModuleType
    timers: ModuleType


def load(package: str = "bot.runbook") -> Core:
    """The core found under ``package``."""
    names = {"e": "events", "i": "intents", "r": "refusals"}
    found = {field: importlib.import_module(f"{package}.{names.get(field, field)}") for field in _MODULES}
    return Core(package=package, **found)


_MODULES = tuple(name for name in Core.__annotations__ if name != "package")


def person(core: Core, name: str) -> Any:
    """One of the cast.  Guest, stranger and leaver are in the approvers' group: that alone must not help them."""
    groups = {"boris", "guest", "stranger", "leaver"}
    return core.people.Person(
        id=name,
        name=name.capitalize(),
        groups=frozenset({"group"} if name in groups else ()),
        guest=name == "guest",
        stranger=name == "stranger",
        inactive=name == "leaver",
    )


def timing(core: Core) -> Any:
    """Waits so short that three samples fill the watch, and two of them over the limit are a breach."""
    return core.people.Timing(
        status_every=900.0,
        monitor_for=30.0,
        watch_back_for=20.0,
        sample_every=10.0,
        remind_after=(100.0,),
        question_life=1000.0,
        grant_life=500.0,
        nudge_every=300.0,
        kick_every=60.0,
        sustained_for=5.0,
        deadline_warning=40.0,
    )


def plan(
    core: Core,
    *,
    downtime: bool = True,
    quorum: int = 2,
    risk: str = "high",
    self_approval: bool = False,
    standby: str = "none",
    envelope: bool = False,
    manual: bool = False,
    migrations: tuple[str, ...] = ("001_add_case_priority.sql",),
    **more: Any,
) -> Any:
    """A plan for the cast: the starter is an approver too, Boris only through his group."""
    policy = core.people.Policy(
        approvers=frozenset({"starter", "anna", "group"}),
        owners=frozenset({"owner"}),
        on_call=frozenset({"oncall"}),
        quorum=quorum,
        self_approval=self_approval,
    )
    return core.run.Plan(
        target="casework",
        database="casework_production",
        name="Add case priority",
        purpose="Sort the queue by priority",
        migrations=migrations,
        starter="starter",
        starter_name="Starter",
        channel="C1",
        policy=policy,
        services=("web",),
        downtime=downtime,
        risk=core.run.Risk(risk),
        timing=timing(core),
        standby=core.steps.Standby(standby),
        envelope=core.rungs.Envelope(rows=10, minutes=5.0) if envelope else None,
        manual=_by_hand(core) if manual else (),
        **more,
    )


def _by_hand(core: Core) -> tuple[Any, ...]:
    """One workflow that the outsider is asked to try."""
    return (core.manual.ManualCheck(name="log in", ask="Log in.", people=frozenset({"outsider"})),)


def started(core: Core, the_plan: Any, at: float = 0.0) -> Any:
    """The first event of a run."""
    return core.e.Started(plan=the_plan, at=at)
