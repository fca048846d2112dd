"""What the channel hears aloud of the way back: a criterion is met, the bot goes without asking, time runs out."""

from bot.runbook import events as e
from bot.runbook.run import Licence, Run
from bot.runbook.steps import Route
from bot.runbook.wording import duration, utc
from bot.views import blocks as b
from bot.views.blamed import blamed
from bot.views.blocks import Glyph
from bot.views.text import escape, mention, moment, said

_WHEN = "{date_short_pretty} {time}"


def opens_way_back(before: Run | None, event: e.StepFailed) -> bool:
    """Does this failure open the way back at once?  Then nobody is asked what now: that question comes next."""
    if event.criterion is None or before is None or before.rollback_wanted:
        return False
    return before.route is Route.FORWARD and before.backed_up


def criterion_met(run: Run, event: e.StepFailed) -> b.Payload:
    """The criterion in the runbook's own words, with the figures that prove it."""
    head = f"{Glyph.ALERT} Rollback criterion met: {escape(event.criterion or '')}"
    advice = f"\n*What helps:* {said(event.advice, 400)}" if event.advice else ""
    found = f"\n*Reference:* {said(event.reference, 80)} (in the logs)" if event.reference else ""
    causes = "".join(f"\n{each}" for each in blamed(run))
    text = f"{_watched(run)} {said(event.problem, 600)}{advice}{found}{causes}\nThe way back is described below."
    return b.payload(f"{head}\n{text}".replace("*", ""), [b.section(f"*{head}*\n{text}")])


def without_asking(run: Run, event: e.Granted) -> b.Payload:
    """Nobody is asked now: who agreed to that beforehand, which way it goes and what that costs."""
    head = f"{Glyph.ALERT} Going back without asking: {said(event.why, 300)}"
    lines = [f"{_watched(run)} {_agreed(run, event)}", f"*Why:* {said(run.reason, 400)}"]
    if run.way is not None:
        lines.append(f"*The way:* {run.way.title}: {said(run.way.cost, 300)}")
    text = "\n".join(lines)
    return b.payload(f"{head}\n{text}", [b.section(f"*{head}*\n{text}")])


def _agreed(run: Run, event: e.Granted) -> str:
    if event.by is Licence.AUTO:
        return f"The setting `auto_rollback` of {said(run.plan.target, 80)} says so."
    signers = run.grant.approvals[:20] if run.grant else ()
    names = ", ".join(f"{mention({each.person})} ({said(each.name, 80)}, {utc(each.at)})" for each in signers)
    words = f" {run.plan.envelope.words}" if run.plan.envelope else ""
    return f"The rollback envelope was signed by {names or 'nobody known'}.{words}"


def deadline(run: Run, event: e.DeadlineTold) -> b.Payload:
    """Half an hour before the plan's rollback deadline, and when it has passed."""
    due = run.deadline or event.at
    going_back = "`/migrate rollback REASON` asks for the way back and shows what it costs now."
    if event.passed:
        head = f"{Glyph.ATTENTION} The rollback deadline has passed"
        text = (
            f"{_watched(run)} It was {moment(due, _WHEN)}. From now on going back costs more with everything that is"
            f" written, and is no longer what was planned for. {going_back}"
        )
    else:
        head = f"{Glyph.ATTENTION} The rollback deadline is near"
        text = (
            f"{_watched(run)} It passes {moment(due, _WHEN)}, in {duration(max(due - event.at, 0.0))}."
            f" Decide until then whether the migration stays. {going_back} If it stays, nothing needs to be done."
        )
    return b.payload(f"{head}\n{text}".replace("`", ""), [b.section(f"*{head}*\n{text}")])


def _watched(run: Run) -> str:
    """Those who decide whether it goes back."""
    policy = run.plan.policy
    return mention((policy.owners | policy.on_call) or policy.approvers)
