"""A run brought to where each verb makes sense, by the engine's own door."""

from collections.abc import Awaitable, Callable, Mapping

from bot.engine import Engine
from bot.jobs.drive import Driver
from bot.runbook import intents as i
from bot.runbook.run import Blocker, Plan, Run
from bot.views.ids import ActionValue, Verb
from tests.commands.office import ALEX, DANA

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


async def blocked(engine: Engine, driver: Driver, plan: Plan) -> Run:
    """A step is running, and a session keeps it waiting."""
    run = await approved(engine, await asking(engine, driver, plan))
    assert run.grant is not None
    run = await engine.handle(run.id, i.Begin(attempt=1, digest=run.grant.digest))
    return await engine.handle(run.id, i.SeeBlockers(claim=run.claim or 0, blockers=(BLOCKER,)))


SITUATIONS: Mapping[Verb, Callable[[Engine, Driver, Plan], Awaitable[Run]]] = {
    Verb.APPROVE: asking,
    Verb.REJECT: asking,
    Verb.HOLD: asking,
    Verb.ABORT: asking,
    Verb.TAKEOVER: asking,
    Verb.ROLLBACK: backed_up,
    Verb.RESUME: held,
    Verb.RETRY: stuck,
    Verb.CLOSE: handed_over,
    Verb.CANCEL_BLOCKER: blocked,
    Verb.KEEP_WAITING: blocked,
}


def value(run: Run) -> ActionValue:
    """What the button of a run's question or blocker carries."""
    if run.blockers:
        return ActionValue(run=run.id, digest=run.blockers[0].digest)
    asked = run.question
    return ActionValue(run=run.id, number=asked.number if asked else 0, digest=asked.digest if asked else "")
