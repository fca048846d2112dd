"""Stakeholders hear of a plan by mail: when it is announced, and what becomes of it since."""

from bot.outside import Audience, Mail, Medium
from bot.runbook.preparation import events as e
from bot.runbook.preparation import intents as i
from bot.runbook.preparation.decide import decide
from bot.runbook.preparation.fall_back import fold
from bot.runbook.preparation.preparation import Moment, Preparation, Window
from bot.views.preparation.mails import plan_notices
from tests.runbook.preparation.people import DANA, DAY, T0, after, planned

MAIL = frozenset({Medium.MAIL})
ANNOUNCE = i.PlanTick(kind="T-24h", due=T0 - DAY)


def mails(p: Preparation, intent: i.Intent, now: float, media: frozenset[Medium] = MAIL) -> list[Mail]:
    found, before = [], p
    for event in decide(p, intent, now):
        now_it_is = fold(before, (event,))
        notices = plan_notices(before, now_it_is, event, media, now=now)
        found += [each.body for each in notices if isinstance(each.body, Mail)]
        before = now_it_is
    return found


def test_the_announcement_goes_to_stakeholders_and_team() -> None:
    (mail,) = mails(planned(), ANNOUNCE, T0 - DAY)
    assert mail.audience == (Audience.STAKEHOLDERS, Audience.TEAM)
    assert mail.first
    assert "Database migration planned: Case priority" in mail.text
    assert "p-test01" in mail.subject


def test_whoever_heard_of_it_hears_that_it_is_moved_or_off() -> None:
    told = after(planned(), ANNOUNCE, T0 - DAY)
    later = i.Postpone(person=DANA, window=Window(start=T0 + DAY, end=T0 + 2 * DAY), reason="incident")
    (moved,) = mails(told, later, T0 - 9)
    assert "Reason: incident" in moved.text
    (off,) = mails(told, i.CancelPlan(person=DANA, reason="not needed"), T0 - 9)
    assert "cancelled" in off.text


def test_whoever_was_not_told_is_not_bothered() -> None:
    assert mails(planned(), i.CancelPlan(person=DANA, reason="not needed"), T0 - DAY) == []
    skipped = e.MomentCame(moment=Moment.ANNOUNCE, at=T0, skipped="too late")
    assert plan_notices(planned(), planned(), skipped, MAIL, now=T0) == ()


def test_without_mail_nothing_is_told() -> None:
    assert mails(planned(), ANNOUNCE, T0 - DAY, frozenset()) == []
