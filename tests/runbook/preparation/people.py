"""A plan and its people, as the tests of the preparation know them."""

from bot.runbook.drill import BackTime, DrillReport, Measured
from bot.runbook.people import Person, Policy
from bot.runbook.preparation import events as e
from bot.runbook.preparation import intents as i
from bot.runbook.preparation.apply import begin
from bot.runbook.preparation.checklist import CHECKLIST, Proof, Shown
from bot.runbook.preparation.decide import decide
from bot.runbook.preparation.fall_back import fold
from bot.runbook.preparation.preparation import Draft, Member, Preparation, Window
from bot.runbook.risk import RiskReport
from bot.runbook.run import Plan, Risk
from bot.runbook.rungs import Rung

T0 = 1_800_000_000.0  # the window's start
DAY = 86400.0
DANA = Person(id="U0DANA", name="Dana Ruiz")  # the author and executor
ALEX = Person(id="U0ALEX", name="Alex Kim")  # approver, on call
PRIYA = Person(id="U0PRIYA", name="Priya Shah")  # approver, backup support
SAM = Person(id="U0SAM", name="Sam Doe")  # a developer without a part
GUEST = Person(id="U0GUEST", name="Guest", guest=True)
POLICY = Policy(approvers=frozenset({ALEX.id, PRIYA.id}), owners=frozenset({DANA.id}), on_call=frozenset({ALEX.id}))


def draft(**changes: object) -> Draft:
    plan = Plan(
        target="casework",
        database="casework_prod",
        name="Case priority",
        purpose="Cases get a priority",
        migrations=("001_add_case_priority.sql",),
        down=("001_add_case_priority.down.sql",),
        starter=DANA.id,
        starter_name=DANA.name,
        channel="C0ENG",
        policy=POLICY,
        rollback_deadline=7200.0,
    )
    given = {
        "plan": plan,
        "window": Window(start=T0, end=T0 + 7200, zone="Europe/Bucharest"),
        "executor": Member(id=DANA.id, name=DANA.name),
        "on_call": Member(id=ALEX.id, name=ALEX.name),
        "backup_support": Member(id=PRIYA.id, name=PRIYA.name),
        "features": "Case list",
    }
    return Draft(**{**given, **changes})  # type: ignore[arg-type]


def planned(at: float = T0 - 2 * DAY, of: Draft | None = None) -> Preparation:
    return begin("p-test01", e.Planned(draft=of or draft(), author=DANA.id, author_name=DANA.name, at=at))


def after(p: Preparation, intent: i.Intent, now: float) -> Preparation:
    return fold(p, decide(p, intent, now))


def drilled(files: str, **changes: object) -> DrillReport:
    given = {
        "at": T0 - DAY,
        "ok": True,
        "files": files,
        "source": "a restored backup",
        "copy_seconds": 4.0,
        "apply_seconds": 2.1,
        "statements": (Measured(file="001.sql", line=1, head="ALTER TABLE", seconds=2.0),),
        "down_seconds": 0.4,
        "backup_seconds": 3.0,
        "back": (BackTime(rung=Rung.SWITCH, seconds=0.2), BackTime(rung=Rung.RESTORE, seconds=4.2)),
    }
    return DrillReport(**{**given, **changes})  # type: ignore[arg-type]


def proofs(p: Preparation, files: str, at: float, **wrong: bool | None) -> i.ProofsFound:
    """All that the bot can look at is well, but for what is named."""
    seen = fold(p, (e.Proved(files=files, proofs=(), at=at),))
    found = tuple(
        Proof(
            item=line.item,
            ok=wrong.get(line.item.value, True),
            findings=("looked",),
            at=at,
            basis=seen.basis_of(line.item),
        )
        for line in CHECKLIST
        if line.shown is Shown.BOT
    )
    return i.ProofsFound(files=files, proofs=found, risk=RiskReport(level=Risk.LOW, reasons=("nothing",)))


PEOPLES = tuple(line.item for line in CHECKLIST if line.shown is Shown.PERSON)


def prepared(files: str = "f1") -> Preparation:
    """Everything is shown to be true by T-30m; nobody has said Go."""
    p, now = planned(), T0 - 2 * DAY
    p = after(p, proofs(p, files, now), now)
    p = after(p, i.DrillBegins(), now)
    p = after(p, i.DrillEnds(report=drilled(files)), now)
    p = after(p, i.TickItems(person=DANA, items=PEOPLES, evidence="https://wiki/1"), now)
    p = after(p, i.ReadSql(person=SAM, files=files), now)
    p = after(p, i.Review(person=SAM, files=files), now)
    for due, kind in ((T0 - DAY, "T-24h"), (T0 - 3600, "T-1h"), (T0 - 1800, "T-30m")):
        p = after(p, i.PlanTick(kind=kind, due=due), due)
    return p


def all_go(p: Preparation, now: float = T0 - 1000) -> Preparation:
    for person in (DANA, ALEX, PRIYA):
        p = after(p, i.SayGo(person=person, go=True), now)
    return p
