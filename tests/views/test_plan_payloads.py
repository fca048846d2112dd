"""Every message and view of a plan before its start, with harmless and with hostile words."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from bot.runbook.drill import BackTime, DrillReport, Measured
from bot.runbook.people import Person
from bot.runbook.preparation import events as e
from bot.runbook.preparation import intents as i
from bot.runbook.preparation.apply import apply
from bot.runbook.preparation.checklist import CHECKLIST, Item, Proof, Shown
from bot.runbook.preparation.decide import decide
from bot.runbook.preparation.gate import missing
from bot.runbook.preparation.preparation import Draft, Member, Moment, Preparation, Window
from bot.runbook.refusals import NotReady
from bot.runbook.risk import RiskReport, StatementReport
from bot.runbook.run import Risk
from bot.runbook.rungs import Rung
from bot.views import home
from bot.views.ids import decode_value, verb_of
from bot.views.limits import message_problems, view_problems
from bot.views.modals import TargetChoice
from bot.views.preparation import forms, listing
from bot.views.preparation.checklist import checklist_modal, waive_modal
from bot.views.preparation.letters import plan_letters, plan_redraws
from bot.views.preparation.review import review_modal
from bot.views.refusals import refused
from tests.runbook.preparation.people import ALEX, DANA, DAY, PEOPLES, PRIYA, SAM, T0, draft, planned
from tests.views.test_payloads import EVIL, HEAD, LONG, marked, parts

Page = tuple[Preparation | None, Preparation, e.Event, float]


@dataclass
class Story:
    """A plan that goes its way, and every page of it; ``words`` is what people and programs say."""

    p: Preparation
    words: str
    pages: list[Page]
    messages: tuple[Mapping[str, Any], ...] = ()
    views: tuple[Mapping[str, Any], ...] = ()

    def does(self, intent: i.Intent, now: float) -> "Story":
        for event in decide(self.p, intent, now):
            after = apply(self.p, event)
            self.pages.append((self.p, after, event, now))
            self.p = after
        return self

    def looked(self, files: str, now: float, **wrong: bool) -> "Story":
        """The bot looks: all is well but for what is named, said at whatever length."""
        seen = apply(self.p, e.Proved(files=files, proofs=(), at=now))
        found = tuple(
            Proof(
                item=line.item,
                ok=wrong.get(line.item.value, True),
                findings=(self.words,) * 9,
                at=now,
                basis=seen.basis_of(line.item),
            )
            for line in CHECKLIST
            if line.shown is Shown.BOT
        )
        changed = (f"--- was: {self.words}", f"+++ now: {self.words}", *("+" + self.words for _ in range(60)))
        told = changed if self.p.files and self.p.files != files else ()
        return self.does(i.ProofsFound(files=files, proofs=found, risk=_risk(self.words), changed=told), now)


def _risk(words: str) -> RiskReport:
    """Seven kinds of dangerous statements, and more of them."""
    grave = StatementReport(
        file=words[:200], line=7, head=words, level=Risk.HIGH, reasons=(words,) * 5, lock="AccessExclusiveLock",
        relation=words, destroys=(words,), safer=(words,),
    )  # fmt: skip
    return RiskReport(
        level=Risk.HIGH, reasons=(words,) * 20, destroys=(words,) * 7, downtime=12.0, downtime_basis=words,
        statements=(grave,) * 30, notes=(words,) * 5,
    )  # fmt: skip


def _drill(files: str, words: str, *, ok: bool = True) -> DrillReport:
    ran = Measured(
        file=words[:200], line=1, head=words, seconds=2.0, lock="ShareLock", relation=words, rewrote=(words,), wal=99999
    )
    return DrillReport(
        at=T0 - DAY, ok=ok, files=files, source=words, problem="" if ok else words, copy_seconds=4.0, apply_seconds=2.1,
        statements=(ran,) * 60, wal=123_456_789, size_before=10**9, size_after=10**9 + 5, verified=(words,) * 20,
        down_seconds=0.4, backup_seconds=3.0, notes=(words,) * 20,
        back=(BackTime(rung=Rung.SWITCH, seconds=0.2), BackTime(rung=Rung.RESTORE, seconds=None, problem=words)),
    )  # fmt: skip


def _draft(words: str, *, hostile: bool) -> Draft:
    made = draft(stakeholders=words, features=words)
    if not hostile:
        return made
    files = tuple(f"{number:03d}_{EVIL}{'f' * 260}.sql" for number in range(60))
    many = frozenset(f"U0{number:04d}" for number in range(400))
    policy = replace(made.plan.policy, approvers=made.plan.policy.approvers | many, owners=many | {DANA.id})
    plan = replace(
        made.plan, name=words[:300], purpose=words[:1000], target=EVIL + "t" * 200, database=EVIL + "d" * 200,
        migrations=files, down=files, starter_name=words, services=files, policy=policy,
    )  # fmt: skip
    members = [Member(id=each.id, name=words) for each in (DANA, ALEX, PRIYA)]
    return replace(made, plan=plan, executor=members[0], on_call=members[1], backup_support=members[2])


def _told(*, hostile: bool) -> Story:
    """All that can happen to a plan, one thing after the other."""
    words = LONG[:4000] if hostile else "Looked, and it is so"
    dana, alex, priya, sam = (_called(each, words, hostile) for each in (DANA, ALEX, PRIYA, SAM))
    p, now = planned(of=_draft(words, hostile=hostile)), T0 - 2 * DAY
    event = e.Planned(draft=p.draft, author=p.author, author_name=p.author_name, at=now)
    story = Story(p=p, words=words, pages=[(None, p, event, now)])
    story.looked("f1", now, credentials=False).does(i.AskDrill(person=dana), now).does(i.DrillBegins(), now)
    story.does(i.DrillEnds(report=None, problem=words), now).does(i.DrillBegins(), now)
    story.does(i.DrillEnds(report=_drill("f1", words, ok=False)), now).does(i.DrillBegins(), now)
    story.does(i.DrillEnds(report=_drill("f1", words)), now)
    story.does(i.TickItems(person=dana, items=(Item.SUITE, Item.SMOKE), evidence=words), now)
    story.does(i.Untick(person=dana, item=Item.SMOKE, reason=words), now)
    story.does(i.Waive(person=dana, item=Item.CREDENTIALS, reason=words), now)
    story.does(i.AgreeToWaiver(person=alex, item=Item.CREDENTIALS), now)
    story.does(i.Waive(person=dana, item=Item.SMOKE, reason=words), now)
    story.does(i.ReadSql(person=sam, files="f1"), now).does(i.Review(person=sam, files="f1", note=words), now)
    story.does(i.PlanTick(kind="T-24h", due=T0 - DAY), T0 - DAY)
    story.does(i.PlanTick(kind="T-1h", due=T0 - 3600), T0 - 3500).looked("f1", T0 - 3400)
    story.does(i.PlanTick(kind="T-30m", due=T0 - 1800), T0 - 1800)
    story.does(i.SayGo(person=alex, go=False, reason=words), T0 - 1700)
    story.does(i.SayGo(person=dana, go=True), T0 - 1700).looked("f2", T0 - 1600)
    story.does(i.PlanTick(kind="T-0", due=T0), T0 + 100)
    story.does(i.PlanTick(kind="nudge", due=story.p.nudged_at + 900), T0 + 1100)
    story.does(i.Postpone(person=dana, window=Window(start=T0 + DAY, end=T0 + DAY + 60), reason=words), T0 + 1200)
    story.does(i.Edit(person=dana, draft=replace(story.p.draft, features=words + "x")), T0 + 1300)
    story.does(i.PlanTick(kind="T-24h", due=T0), T0 + DAY + 1)
    story.does(i.TickItems(person=dana, items=tuple(PEOPLES), evidence=words), T0 + DAY + 2)
    for kind in ("T-1h", "T-30m"):
        story.does(i.PlanTick(kind=kind, due=story.p.due(Moment(kind))), T0 + DAY + 2)
    for person in (dana, alex, priya):
        story.does(i.SayGo(person=person, go=True), T0 + DAY + 3)
    story.does(i.PlanTick(kind="T-0", due=T0 + DAY), T0 + DAY + 4)
    for event in (
        e.StartAsked(person=DANA.id, name=words, at=T0),
        e.StartRefused(missing=missing(story.p), at=T0),
        e.RunBegan(run="m-abc123", at=T0),
    ):
        after = apply(story.p, event)
        story.pages.append((story.p, after, event, T0))
        story.p = after
    cancelled = e.PlanCancelled(person=DANA.id, name=words, reason=words, at=T0)
    story.pages.append((p, apply(p, cancelled), cancelled, T0))
    return story


def _called(person: Person, words: str, hostile: bool) -> Person:
    return replace(person, name=words) if hostile else person


@pytest.fixture(params=[False, True], ids=["harmless", "hostile"], scope="module")
def story(request: pytest.FixtureRequest) -> Story:
    """The story, told with harmless and with hostile words."""
    told = _told(hostile=request.param)
    return replace(told, messages=tuple(_messages(told)), views=tuple(_views(told)))


def _messages(story: Story) -> Iterator[Mapping[str, Any]]:
    sql = tuple((name, story.words * 3) for name in story.p.draft.plan.migrations)
    for before, after, event, now in story.pages:
        for letter in plan_letters(before, after, event, now=now, head=HEAD, read=sql):
            yield letter.payload
        for _, payload in plan_redraws(before, after, event, now=now, head=HEAD):
            yield payload
        yield refused(NotReady(story.words, story.words, missing(after)))
    yield refused(NotReady(story.words, story.words, (story.words,) * 90))
    yield listing.listed([after for _, after, _, _ in story.pages])
    yield listing.listed(())


def _views(story: Story) -> Iterator[Mapping[str, Any]]:
    sql = tuple((f"{number}{story.words[:200]}", story.words * 20) for number in range(60))
    plan = story.p.draft.plan
    choices = [TargetChoice(name=f"{plan.target}{n}", files=plan.migrations * 3) for n in range(3)]
    yield forms.plan_modal(choices, T0, person="U0DANA")
    yield forms.plan_modal(choices, T0, chosen=choices[2].name)
    for _, p, _, now in story.pages[::7]:
        yield checklist_modal(p)
        yield waive_modal(p)
        yield forms.edit_modal(p, choices[0])
        yield forms.postpone_modal(p, now)
        yield from (forms.cancel_modal(p), forms.no_go_modal(p), forms.begin_modal(p))
        yield review_modal(p, sql)
        yield review_modal(p, sql[:1], may_review=False)
        yield home.home([], now, [replace(p, id=f"{p.id}-{number}") for number in range(20)])
    yield forms.choose_modal([after for _, after, _, _ in story.pages])


def test_every_message_of_a_plan_is_within_slacks_limits(story: Story) -> None:
    """However hostile its words and however much is missing."""
    assert [] == [found for each in story.messages for found in message_problems(each)]


def test_every_view_of_a_plan_is_within_slacks_limits(story: Story) -> None:
    """28 items with all their evidence, and SQL without end."""
    assert [] == [found for each in story.views for found in view_problems(each)]


def test_peoples_text_in_a_plan_pings_nobody_and_turns_nothing_around(story: Story) -> None:
    """Only mentions and dates that the bot itself means survive."""
    meant = re.compile(r"<(?:@[UW][A-Z0-9]+|!subteam\^S[A-Z0-9]+|!date\^\d+\^[^|<>]+\|[^<>]+)>")
    for payload in (*story.messages, *story.views):
        for text in marked(payload):
            rest = meant.sub("", text)
            assert not {"<", ">"} & set(rest), text
            assert "&" not in re.sub("&(?:amp|lt|gt);", "", rest), text
            assert not {"U0ALL", "S0ALL"} & set(re.findall(r"<(?:@|!subteam\^)([A-Z0-9]+)>", text))
            assert not re.search("[\u202a-\u202e\u2066-\u2069\x00]", text)


def test_every_button_of_a_plan_can_be_read_back(story: Story) -> None:
    """Each button's id is a verb and its value names the plan, but for the one that makes a plan."""
    for payload in (*story.messages, *story.views):
        for part in parts(payload.get("blocks", [])):
            if part.get("type") == "button":
                assert verb_of(part["action_id"]) is not None
                assert decode_value(part["value"]).run.startswith(("p-test01", "")[part["action_id"] == "migrate.plan"])
