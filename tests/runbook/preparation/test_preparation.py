"""A plan from its making to its start: the gate, what falls back, Go and No-go, the moments before T-0."""

from dataclasses import replace

import pytest

from bot.runbook import refusals as r
from bot.runbook.preparation import events as e
from bot.runbook.preparation import intents as i
from bot.runbook.preparation.checklist import CHECKLIST, Item, Proof
from bot.runbook.preparation.decide import decide, settle_start
from bot.runbook.preparation.fall_back import fold
from bot.runbook.preparation.gate import missing, unmet
from bot.runbook.preparation.preparation import Moment, Stage, Window
from bot.runbook.preparation.standing import Standing, status
from bot.runbook.preparation.texts import announcement, timeline
from bot.runbook.preparation.timers import plan_timers
from bot.runbook.risk import RiskReport
from bot.runbook.run import Risk
from tests.runbook.preparation.people import (
    ALEX,
    DANA,
    DAY,
    GUEST,
    PEOPLES,
    PRIYA,
    SAM,
    T0,
    after,
    all_go,
    draft,
    drilled,
    planned,
    prepared,
    proofs,
)


def test_the_checklist_has_the_runbooks_28_items_in_five_groups() -> None:
    assert len(CHECKLIST) == len(Item) == 28
    sizes = [sum(line.group is group for line in CHECKLIST) for group in dict.fromkeys(x.group for x in CHECKLIST)]
    assert sizes == [6, 5, 6, 6, 5]


def test_a_prepared_plan_starts_inside_its_window_with_all_go() -> None:
    p = all_go(prepared())
    assert missing(p) == ()
    p = after(p, i.PlanTick(kind="T-0", due=T0), T0)
    p = after(p, i.AskStart(person=DANA), T0 + 5)
    assert p.stage is Stage.STARTING
    p = after(p, replace(proofs(p, "f1", T0 + 6), starts=True), T0 + 6)
    p = fold(p, settle_start(p, "m-abc", T0 + 6))
    assert (p.stage, p.run, p.final) == (Stage.STARTED, "m-abc", True)
    plan = p.to_run()
    assert (plan.preparation, plan.starter, plan.author, plan.waived) == (p.id, DANA.id, DANA.id, ())
    assert (plan.reviewed, plan.window_end) == ("f1", T0 + 7200)
    assert plan.drill == p.drill


def test_a_start_names_exactly_what_is_missing() -> None:
    p = planned()
    with pytest.raises(r.NotReady) as refused:
        decide(p, i.AskStart(person=DANA), T0 + 5)
    assert len([each for each in refused.value.missing if "Go from" not in each]) == len(unmet(p))
    assert any(each.startswith("No Go from Alex Kim") for each in refused.value.missing)
    assert "• Migration reviewed by another developer" in str(refused.value)


def test_it_starts_neither_before_nor_after_its_window() -> None:
    p = all_go(prepared())
    for now in (T0 - 1, T0 + 7200):
        with pytest.raises(r.NotReady) as refused:
            decide(p, i.AskStart(person=DANA), now)
        assert len(refused.value.missing) == 1
        assert "window" in refused.value.missing[0]


def test_changed_files_take_back_what_was_shown_about_them_and_every_go() -> None:
    p = all_go(prepared())
    events = decide(p, proofs(p, "f2", T0 - 900), T0 - 900)
    (fell,) = [each for each in events if isinstance(each, e.FellBack)]
    assert {Item.SUITE, Item.SMOKE, Item.REVIEW, Item.LOCAL, Item.ROLLBACK_TESTED, Item.DOWN} <= set(fell.items)
    assert Item.SUPPORT not in fell.items
    assert fell.drill
    assert set(fell.answers) == {"Dana Ruiz", "Alex Kim", "Priya Shah"}
    back = after(fold(p, events), proofs(p, "f1", T0 - 800), T0 - 800)
    assert missing(back) == ()  # the very same bytes again: what was shown about them is true of them


def test_a_failing_proof_is_not_outvoted_by_a_tick_but_waived_by_two() -> None:
    p = prepared()
    p = after(p, proofs(p, "f1", T0 - 900, access=False), T0 - 900)
    with pytest.raises(r.NotNow):
        decide(p, i.TickItems(person=DANA, items=(Item.ACCESS,), evidence="sure"), T0 - 890)
    p = after(p, i.Waive(person=ALEX, item=Item.ACCESS, reason="read replica only"), T0 - 890)
    assert status(p, Item.ACCESS).standing is Standing.FAILED
    with pytest.raises(r.SelfApproval):
        decide(p, i.AgreeToWaiver(person=ALEX, item=Item.ACCESS), T0 - 880)
    with pytest.raises(r.NotAnApprover):
        decide(p, i.AgreeToWaiver(person=SAM, item=Item.ACCESS), T0 - 880)
    p = after(p, i.AgreeToWaiver(person=PRIYA, item=Item.ACCESS), T0 - 880)
    assert status(p, Item.ACCESS).standing is Standing.WAIVED
    (line,) = p.to_run().waived
    assert "Alex Kim and Priya Shah: read replica only" in line


def test_what_the_bot_cannot_tell_is_ticked_by_a_person() -> None:
    p = prepared()
    p = after(p, proofs(p, "f1", T0 - 900, staging=None), T0 - 900)
    assert status(p, Item.STAGING).standing is Standing.OPEN
    p = after(p, i.TickItems(person=DANA, items=(Item.STAGING,), evidence="https://ci/9"), T0 - 890)
    assert status(p, Item.STAGING).why == ("Dana Ruiz: https://ci/9",)
    p = after(p, i.Untick(person=ALEX, item=Item.STAGING, reason="that was another branch"), T0 - 880)
    assert status(p, Item.STAGING).standing is Standing.OPEN


def test_the_review_is_by_somebody_else_who_was_shown_the_sql() -> None:
    p = planned()
    p = after(p, proofs(p, "f1", T0 - DAY), T0 - DAY)
    with pytest.raises(r.DigestChanged):
        decide(p, i.Review(person=SAM, files="f1"), T0 - DAY)
    p = after(p, i.ReadSql(person=SAM, files="f1"), T0 - DAY)
    p = after(p, i.ReadSql(person=DANA, files="f1"), T0 - DAY)
    with pytest.raises(r.SelfApproval):
        decide(p, i.Review(person=DANA, files="f1"), T0 - DAY)
    p = after(p, i.Review(person=SAM, files="f1"), T0 - DAY)
    assert status(p, Item.REVIEW).standing is Standing.TICKED


def test_without_all_go_t_0_misses_the_start_until_it_is_postponed() -> None:
    p = prepared()
    p = after(p, i.SayGo(person=DANA, go=True), T0 - 900)
    p = after(p, i.SayGo(person=ALEX, go=False, reason="an incident is on"), T0 - 900)
    p = after(p, i.PlanTick(kind="T-0", due=T0), T0)
    assert p.stage is Stage.MISSED
    with pytest.raises(r.NotReady) as refused:
        decide(p, i.AskStart(person=DANA), T0 + 5)
    assert "No-go from Alex Kim: an incident is on" in refused.value.missing
    with pytest.raises(r.NotNow):
        decide(p, i.SayGo(person=PRIYA, go=True), T0 + 5)
    p = after(p, i.Postpone(person=DANA, window=Window(start=T0 + DAY, end=T0 + DAY + 3600), reason="incident"), T0 + 9)
    assert (p.stage, p.came, p.announced_at) == (Stage.OPEN, (), None)
    assert status(p, Item.SUITE).standing is Standing.TICKED
    assert status(p, Item.SUPPORT).standing is Standing.OPEN


def test_go_is_for_the_team_and_at_the_last_half_hour() -> None:
    p = prepared()
    with pytest.raises(r.NotAnOwner):
        decide(p, i.SayGo(person=SAM, go=True), T0 - 900)
    with pytest.raises(r.NotNow):
        decide(p, i.SayGo(person=DANA, go=True), T0 - DAY)
    with pytest.raises(r.NotAMember):
        decide(p, i.SayGo(person=GUEST, go=True), T0 - 900)


def test_a_late_moment_is_caught_up_before_t_0_and_skipped_after() -> None:
    p = planned()
    late = decide(p, i.PlanTick(kind="T-24h", due=T0 - DAY), T0 - 7200)
    assert late == (e.MomentCame(moment=Moment.ANNOUNCE, at=T0 - 7200, late=DAY - 7200),)
    assert status(fold(p, late), Item.NOTIFIED).standing is Standing.OPEN
    assert status(fold(p, late), Item.ANNOUNCED).standing is Standing.PROVEN
    (skipped,) = decide(p, i.PlanTick(kind="T-1h", due=T0 - 3600), T0 + 60)
    assert isinstance(skipped, e.MomentCame)
    assert skipped.skipped


def test_the_bot_rehearses_by_itself_at_t_1h_where_nobody_did() -> None:
    p = planned()
    events = decide(p, i.PlanTick(kind="T-1h", due=T0 - 3600), T0 - 3600)
    assert isinstance(events[-1], e.DrillAsked)
    quiet = planned(of=draft(rehearse=False))
    assert len(decide(quiet, i.PlanTick(kind="T-1h", due=T0 - 3600), T0 - 3600)) == 1


def test_a_start_that_fails_its_last_look_is_refused_and_said() -> None:
    p = all_go(prepared())
    p = after(p, i.AskStart(person=DANA), T0 + 5)
    p = after(p, replace(proofs(p, "f1", T0 + 6, credentials=False), starts=True), T0 + 6)
    (refused,) = settle_start(p, "m-abc", T0 + 6)
    assert isinstance(refused, e.StartRefused)
    assert refused.missing == ("Database connection credentials verified: failed – looked",)
    assert fold(p, (refused,)).stage is Stage.OPEN


def test_a_failed_rehearsal_fails_its_items() -> None:
    p = prepared()
    p = after(p, i.DrillEnds(report=drilled("f1", ok=False, problem="ERROR 42P01", back=(), down_seconds=None)), T0)
    failed = {each.item for each in unmet(p)}
    assert {Item.LOCAL, Item.ROLLBACK_TESTED, Item.DOWN} <= failed


def test_every_stage_that_is_not_final_waits_for_something() -> None:
    p = prepared()
    starting = after(all_go(p), i.AskStart(person=DANA), T0 + 5)
    missed = after(p, i.PlanTick(kind="T-0", due=T0), T0)
    assert all(plan_timers(each) for each in (planned(), p, starting, missed))
    assert not plan_timers(after(p, i.CancelPlan(person=DANA, reason="not needed"), T0 - 9))


def test_a_tick_without_evidence_and_an_empty_reason_are_refused() -> None:
    p = prepared()
    for intent in (
        i.TickItems(person=DANA, items=PEOPLES, evidence="  "),
        i.Waive(person=DANA, item=Item.DEADLINE, reason=""),
        i.CancelPlan(person=DANA, reason=" "),
        i.SayGo(person=DANA, go=False),
    ):
        with pytest.raises(r.ReasonNeeded):
            decide(p, intent, T0 - 900)


def test_the_proof_of_another_window_does_not_count() -> None:
    p = planned()
    stale = Proof(item=Item.ON_CALL, ok=True, findings=("there",), at=T0, basis="another window")
    p = fold(p, (e.Proved(files="f1", proofs=(stale,), at=T0 - DAY),))
    assert status(p, Item.ON_CALL).standing is Standing.OPEN


def test_the_timeline_template_is_the_runbooks() -> None:
    said = timeline(planned())
    for words in (
        "Migration: Case priority",
        "Risk Level: Medium",
        "T-24h: Send migration announcement",
        "T-30m: Team standup, final go/no-go decision",
        "T+18: Verify success",
        "If issues detected within 2 hours, rollback immediately.",
        "Migration Executor: Dana Ruiz",
    ):
        assert words in said


def test_the_announcement_takes_the_targets_template() -> None:
    said = announcement(planned(), T0 - DAY, "Heads up: $name, $downtime down, $unknown stays, 5$ too")
    assert said == "Heads up: Case priority, 20 minutes down, $unknown stays, 5$ too"
    assert "Affected features: Case list" in announcement(planned(), T0 - DAY)


def test_what_the_plan_says_is_part_of_a_go() -> None:
    """Another downtime, deadline or envelope than the team said Go to is asked for anew."""
    p = all_go(prepared())
    other = replace(p.draft, plan=replace(p.draft.plan, downtime_minutes=5))
    events = decide(p, i.Edit(person=DANA, draft=other), T0 - 900)
    (fell,) = [each for each in events if isinstance(each, e.FellBack)]
    assert set(fell.answers) == {"Dana Ruiz", "Alex Kim", "Priya Shah"}


def test_a_waiver_agreed_after_a_go_asks_for_it_anew() -> None:
    p = all_go(prepared())
    p = after(p, proofs(p, "f1", T0 - 900, access=False), T0 - 900)
    p = after(p, i.Waive(person=ALEX, item=Item.ACCESS, reason="known"), T0 - 890)
    p = after(p, i.AgreeToWaiver(person=PRIYA, item=Item.ACCESS), T0 - 880)
    assert {each for each in missing(p) if each.startswith("No Go")} == {
        "No Go from Dana Ruiz yet", "No Go from Alex Kim yet", "No Go from Priya Shah yet"
    }  # fmt: skip


def test_a_waiver_is_of_what_was_found_and_can_be_taken_back() -> None:
    """A missing privilege was waived; that somebody else migrates is another thing."""
    p = prepared()
    p = after(p, proofs(p, "f1", T0 - 900, access=False), T0 - 900)
    p = after(p, i.Waive(person=ALEX, item=Item.ACCESS, reason="known"), T0 - 890)
    with pytest.raises(r.Stale):
        decide(p, i.AgreeToWaiver(person=PRIYA, item=Item.ACCESS, asked_at=T0 - 950), T0 - 880)
    waived = after(p, i.AgreeToWaiver(person=PRIYA, item=Item.ACCESS, asked_at=T0 - 890), T0 - 880)
    seen = proofs(waived, "f1", T0 - 800, access=False)
    worse = tuple(
        replace(each, findings=("another migration",)) if each.item is Item.ACCESS else each for each in seen.proofs
    )
    assert status(after(waived, replace(seen, proofs=worse), T0 - 800), Item.ACCESS).standing is Standing.FAILED
    back = after(waived, i.Untick(person=DANA, item=Item.ACCESS, reason="no"), T0 - 800)
    assert status(back, Item.ACCESS).standing is Standing.FAILED


def test_the_bots_finding_is_the_floor_of_the_risk() -> None:
    p = prepared()
    report = RiskReport(level=Risk.MEDIUM, reasons=("drops",), destroys=("table x",))
    p = after(p, replace(proofs(p, "f1", T0 - 900), risk=report), T0 - 900)
    assert p.to_run().risk is Risk.HIGH
    unjudged = after(p, replace(proofs(p, "f2", T0 - 800), risk=None), T0 - 800)
    assert status(unjudged, Item.RISK).standing is Standing.FAILED
    assert unjudged.to_run().risk is Risk.HIGH


def test_whoever_chose_the_files_does_not_review_them() -> None:
    p = prepared()
    other = replace(p.draft, plan=replace(p.draft.plan, migrations=("002.sql",), down=()))
    p = after(p, i.Edit(person=ALEX, draft=other), T0 - 900)
    p = after(p, proofs(p, "f9", T0 - 890), T0 - 890)
    p = after(p, i.ReadSql(person=ALEX, files="f9"), T0 - 880)
    with pytest.raises(r.SelfApproval):
        decide(p, i.Review(person=ALEX, files="f9"), T0 - 870)


def test_a_look_at_other_files_than_are_planned_now_is_not_taken() -> None:
    p = prepared()
    stale = replace(proofs(p, "f1", T0 - 900), names=("000_old.sql",))
    with pytest.raises(r.Stale):
        decide(p, stale, T0 - 900)


def test_files_that_cannot_be_read_for_a_moment_take_nothing_back() -> None:
    p = all_go(prepared())
    seen = proofs(p, "", T0 - 900, scripts=False)
    unread = after(p, replace(seen, files="", risk=None), T0 - 900)
    assert unread.files == "f1"
    assert [each.item for each in unmet(unread)] == [Item.SCRIPTS]
    assert missing(after(unread, proofs(unread, "f1", T0 - 800), T0 - 800)) == ()


def test_the_ledger_keeps_what_is_new_of_a_look() -> None:
    p = prepared()
    (proved,) = decide(p, proofs(p, "f1", T0 - 900), T0 - 900)
    assert isinstance(proved, e.Proved)
    assert (proved.proofs, proved.risk) == ((), None)


def test_a_rehearsal_is_not_ticked_away_where_it_is_possible() -> None:
    p = after(planned(), proofs(planned(), "f1", T0 - DAY), T0 - DAY)
    with pytest.raises(r.NotNow):
        decide(p, i.TickItems(person=DANA, items=(Item.LOCAL,), evidence="worked for me"), T0 - DAY)
    p = after(p, i.DrillEnds(report=None, problem="no CREATEDB"), T0 - DAY)
    p = after(p, i.TickItems(person=DANA, items=(Item.LOCAL,), evidence="https://ci/3"), T0 - DAY)
    assert status(p, Item.LOCAL).standing is Standing.TICKED


def test_nothing_starts_while_a_rehearsal_is_under_way() -> None:
    p = after(all_go(prepared()), i.DrillBegins(), T0 + 1)
    with pytest.raises(r.NotReady, match="rehearsal is under way"):
        decide(p, i.AskStart(person=DANA), T0 + 5)
    assert not p.rehearsing(T0 + 7300)


def test_a_no_go_counts_while_it_is_starting() -> None:
    p = after(all_go(prepared()), i.AskStart(person=DANA), T0 + 5)
    p = after(p, i.SayGo(person=ALEX, go=False, reason="an incident"), T0 + 6)
    (refused,) = settle_start(p, "m-1", T0 + 7)
    assert isinstance(refused, e.StartRefused)


def test_a_last_look_that_never_ends_is_given_up() -> None:
    p = after(all_go(prepared()), i.AskStart(person=DANA), T0 + 5)
    kick = i.PlanTick(kind="kick", due=T0 + 65)
    assert decide(p, kick, T0 + 70) == ()
    (refused,) = decide(p, kick, T0 + 400)
    assert isinstance(refused, e.StartRefused)


def test_a_standing_no_go_is_not_edited_away_and_one_person_is_no_team() -> None:
    p = after(prepared(), i.SayGo(person=ALEX, go=False, reason="an incident"), T0 - 900)
    without = replace(p.draft, on_call=p.draft.executor)
    with pytest.raises(r.NotNow, match="No-go"):
        decide(p, i.Edit(person=DANA, draft=without), T0 - 890)
    alone = replace(without, backup_support=p.draft.executor)
    with pytest.raises(r.Invalid, match="all three parts"):
        decide(prepared(), i.Edit(person=DANA, draft=alone), T0 - 890)


def test_an_edit_of_an_older_form_is_refused() -> None:
    p = prepared()
    older = replace(p.draft, features="another list")
    with pytest.raises(r.Stale):
        decide(p, i.Edit(person=DANA, draft=replace(p.draft, features="x"), before=older), T0 - 890)


def test_a_longer_window_with_the_same_start_is_not_announced_anew() -> None:
    p = prepared()
    moved = after(p, i.Postpone(person=DANA, window=Window(start=T0, end=T0 + 9000), reason="longer"), T0 - 900)
    assert (moved.came, moved.announced_at) == (p.came, p.announced_at)


def test_a_window_that_cannot_hold_the_migration_is_said_before_t_0() -> None:
    p = all_go(prepared())
    short = after(p, i.Postpone(person=DANA, window=Window(start=T0, end=T0 + 1800), reason="shorter"), T0 - 900)
    assert any(each.startswith("The window is 30 minutes long") for each in missing(short))
    slow = after(p, i.DrillEnds(report=drilled("f1", apply_seconds=3000.0)), T0 - 900)
    assert status(slow, Item.DOWNTIME).standing is Standing.FAILED
