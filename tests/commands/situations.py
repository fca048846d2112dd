"""A run brought to where each verb makes sense, by the engine's own door."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from bot.engine import Engine
from bot.jobs.drive import Driver
from bot.runbook import intents as i
from bot.runbook.fixes import Fix
from bot.runbook.manual import ManualCheck
from bot.runbook.run import Blocker, Plan, Run
from bot.runbook.rungs import Rung
from bot.runbook.steps import StepName
from bot.runbook.upkeep import FACT
from bot.views.ids import ActionValue, Verb
from tests.commands.office import ALEX, DANA
from tests.script import ladder

BLOCKER = Blocker(pid=7, started="2027-01-01", application="psql", user="eve", age_seconds=60, query="select ?")


async def asking(engine: Engine, driver: Driver, plan: Plan) -> Run:
    """The first question is open."""
    run = await engine.start(plan)
    await driver.drive(run.id)
    return await engine.load(run.id)


async def approved(engine: Engine, run: Run) -> Run:
    """The open question has its quorum."""
    asked = run.question
    assert asked is not None
    yes = i.Approve(person=ALEX, number=asked.number, digest=asked.digest, word=asked.word or "")
    return await engine.handle(run.id, yes)


async def backed_up(engine: Engine, driver: Driver, plan: Plan) -> Run:
    """The backup is there, and stopping the services is asked for."""
    run = await approved(engine, await asking(engine, driver, plan))
    await driver.drive(run.id)
    return await engine.load(run.id)


async def held(engine: Engine, driver: Driver, plan: Plan) -> Run:
    """Somebody pulled the cord."""
    run = await asking(engine, driver, plan)
    return await engine.handle(run.id, i.PullCord(person=ALEX, reason="wait"))


async def handed_over(engine: Engine, driver: Driver, plan: Plan) -> Run:
    """The run is in Dana's hands."""
    run = await asking(engine, driver, plan)
    return await engine.handle(run.id, i.TakeOver(person=DANA, note="by hand"))


async def stuck(engine: Engine, driver: Driver, plan: Plan) -> Run:
    """The first step failed; it would work now."""
    run = await engine.start(plan)
    run = await engine.handle(run.id, i.Begin(attempt=1))
    failed = i.Fail(claim=run.claim or 0, problem="the channel is gone", advice="invite the bot")
    return await engine.handle(run.id, failed)


async def mendable(engine: Engine, driver: Driver, plan: Plan) -> Run:
    """The first step failed, and knows what may help."""
    run = await engine.start(plan)
    run = await engine.handle(run.id, i.Begin(attempt=1))
    failed = i.Fail(claim=run.claim or 0, problem="it took too long", fixes=(Fix.LONGER,))
    return await engine.handle(run.id, failed)


async def to_be_tried(engine: Engine, driver: Driver, plan: Plan) -> Run:
    """Before the first change Dana is asked to try something."""
    check = ManualCheck(name="log in", ask="Log in as a clerk.", people=frozenset({DANA.id}))
    return await asking(engine, driver, replace(plan, manual=(check,)))


async def without_statistics(engine: Engine, driver: Driver, plan: Plan) -> Run:
    """The migration is in, and a table has no statistics since."""
    run = await asking(engine, driver, replace(plan, downtime=False))
    while run.step.name is not StepName.APPLY:
        await approved(engine, run)
        await driver.drive(run.id)
        run = await engine.load(run.id)
    run = await approved(engine, run)
    for facts in ((), ((FACT, '["public.cases"]'),)):
        digest = run.grant.digest if run.grant else ""
        run = await engine.handle(run.id, i.Begin(attempt=1, digest=digest))
        run = await engine.handle(run.id, i.Finish(claim=run.claim or 0, facts=facts))
    return run


async def blocked(engine: Engine, driver: Driver, plan: Plan) -> Run:
    """A step is running, and a session keeps it waiting."""
    run = await approved(engine, await asking(engine, driver, plan))
    assert run.grant is not None
    run = await engine.handle(run.id, i.Begin(attempt=1, digest=run.grant.digest))
    return await engine.handle(run.id, i.SeeBlockers(claim=run.claim or 0, blockers=(BLOCKER,)))


async def out_of_time(engine: Engine, driver: Driver, plan: Plan) -> Run:
    """The bot holds the run, because the rest of it does not fit the window."""
    run = await engine.start(replace(plan, window_end=float(int(engine.now()) + 600)))
    await driver.drive(run.id)
    return await engine.load(run.id)


async def going_back(engine: Engine, driver: Driver, plan: Plan) -> Run:
    """The way back is asked for, and the question has every other way in it."""
    run = await backed_up(engine, driver, plan)
    run = await engine.handle(run.id, i.RollBack(person=DANA, reason="cases are gone"))
    ask = i.Ask(
        number=run.asked + 1, digest="d" * 64, inputs=(("rung", "switch"),), lines=("switch",), rung=Rung.SWITCH,
        options=ladder("a test"),
    )  # fmt: skip
    return await engine.handle(run.id, ask)


async def ended(engine: Engine, driver: Driver, plan: Plan) -> Run:
    """The run is over, without a migration."""
    run = await asking(engine, driver, plan)
    await engine.handle(run.id, i.Reject(person=ALEX, number=run.asked, reason="not today"))
    await driver.drive(run.id)
    return await engine.load(run.id)


async def offered(engine: Engine, driver: Driver, plan: Plan) -> Run:
    """Dana hands it over to Alex, who has not said yes yet."""
    run = await asking(engine, driver, plan)
    return await engine.handle(run.id, i.OfferHandover(person=DANA, to=ALEX))


SITUATIONS: Mapping[Verb, Callable[[Engine, Driver, Plan], Awaitable[Run]]] = {
    Verb.APPROVE: asking,
    Verb.REJECT: asking,
    Verb.HOLD: asking,
    Verb.ABORT: asking,
    Verb.TAKEOVER: asking,
    Verb.ROLLBACK: backed_up,
    Verb.RESUME: held,
    Verb.RETRY: stuck,
    Verb.FIX: mendable,
    Verb.WORKS: to_be_tried,
    Verb.BROKEN: to_be_tried,
    Verb.ANALYZE: without_statistics,
    Verb.CLOSE: handed_over,
    Verb.CANCEL_BLOCKER: blocked,
    Verb.KEEP_WAITING: blocked,
    Verb.RUNG: going_back,
    Verb.EXTEND: out_of_time,
    Verb.CLEANUP: ended,
    Verb.HANDOVER: asking,
    Verb.ACCEPT: offered,
}


def value(run: Run) -> ActionValue:
    """What the button of a run's question, blocker, fix or check carries, or the list of its ways back."""
    if run.proposed:
        return ActionValue(run=run.id, digest=run.proposed[0])
    if run.plan.manual:
        return ActionValue(run=run.id, digest=run.plan.manual[0].name)
    if run.blockers:
        return ActionValue(run=run.id, digest=run.blockers[0].digest)
    asked = run.question
    if asked is not None and asked.options:
        return ActionValue(run=run.id, number=asked.number, digest=Rung.RESTORE)
    return ActionValue(run=run.id, number=asked.number if asked else 0, digest=asked.digest if asked else "")
