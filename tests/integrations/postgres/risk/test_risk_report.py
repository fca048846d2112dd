"""The report that plans keep, and what the approval of a migration is bound to."""

from dataclasses import replace
from typing import LiteralString

import psycopg
import pytest

from bot.ports import Description, RiskCheck, StepError
from bot.runbook.risk import Risk
from bot.runbook.steps import StepName
from integrations.postgres.apply import Apply
from integrations.postgres.risk import summary
from integrations.postgres.risk.check import PostgresRiskCheck, surely_destroys
from tests.integrations.postgres.conftest import QUICK, Stage

CHECK: RiskCheck = PostgresRiskCheck()
DROP = "alter table documents drop column media_type;"
HIDDEN = "do $$ begin execute 'dr' || 'op table ' || quote_ident('documents') || ' cascade'; end $$;"


async def _described(stage: Stage) -> Description:
    return await Apply(QUICK).describe(stage.at(StepName.APPLY))


async def _does(stage: Stage, statement: LiteralString) -> None:
    async with await psycopg.AsyncConnection.connect(stage.target.dsn, autocommit=True) as db:
        await db.execute(statement)


async def test_a_plan_gets_the_whole_judgement(stage: Stage) -> None:
    """Level, what is destroyed, and for each statement where it is, its lock, its way back and a better way."""
    stage.write("001_drop.sql", f"alter table cases add column court text;\n{DROP}")

    found = await CHECK.judge(stage.target, ("001_drop.sql",))

    added, dropped = found.statements
    assert (Risk.HIGH, ("destroys the column documents.media_type with its values",)) == (found.level, found.destroys)
    assert ("001_drop.sql", 2, DROP.rstrip(";")) == (dropped.file, dropped.line, dropped.head)
    assert ("ACCESS EXCLUSIVE", "public.documents") == (dropped.lock, dropped.relation)
    assert dropped.destructive and not dropped.reversible and dropped.transaction_safe and dropped.safer
    assert Risk.LOW is added.level and added.reversible and not added.destructive
    assert ("001_drop.sql line 2: alters documents: drops the column media_type",) == found.dangers
    assert 0.0 == found.downtime


async def test_a_plan_is_judged_without_the_database_too(stage: Stage) -> None:
    """The files alone say what they destroy; what could not be found out is a note."""
    stage.write("001_drop.sql", DROP)
    away = replace(stage.target, dsn="postgresql://nobody@127.0.0.1:1/none?connect_timeout=2")

    found = await CHECK.judge(away, ("001_drop.sql",))

    assert ("destroys the column documents.media_type with its values",) == found.destroys
    assert found.notes[0].startswith("Judged by the files alone: ")


@pytest.mark.parametrize("text", ["\\\\! rm -rf /", "frobnicate cases"])
async def test_what_cannot_be_read_is_the_worst(stage: Stage, text: str) -> None:
    """A refused or unparsed file is high and counts as destructive."""
    stage.write("001_odd.sql", text)

    found = await CHECK.judge(stage.target, ("001_odd.sql",))

    assert Risk.HIGH is found.level
    assert found.destroys and found.destroys[0].startswith("cannot be judged: ")


async def test_a_check_that_fails_asks_for_the_approval_more(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail closed: the question is asked, as for something that destroys."""
    stage.write("001_add.sql", "alter table cases add column court text;")
    await stage.backed_up()
    harmless = await _described(stage)

    def broken(*_: object) -> None:
        raise RuntimeError("no rule")

    monkeypatch.setattr(summary, "assess", broken)
    found = await _described(stage)

    assert () == harmless.destroys and "destroys" not in harmless.inputs
    assert ("cannot be judged: the risk check failed on it (RuntimeError)",) == found.destroys
    assert "the risk check failed" in found.inputs["destroys"]
    assert Risk.HIGH is found.risk
    assert any(line.startswith("⚠️ Risk: High") for line in found.lines)


async def test_what_is_destroyed_belongs_to_the_digest(stage: Stage) -> None:
    """The same bytes that come to destroy more are no longer what was approved; a second attempt keeps its licence."""
    stage.write("001_call.sql", "select tidy();")
    await _does(stage, "create function tidy() returns void language sql as 'select 1'")
    await stage.backed_up()
    before = await _described(stage)
    await _does(stage, "create or replace function tidy() returns void language sql as 'delete from case_notes'")
    after = await _described(stage)

    assert () == before.destroys
    assert any("rows of case_notes" in each for each in after.destroys)
    assert before.inputs.get("destroys") != after.inputs["destroys"]
    stage.run = replace(stage.run, attempt=1, destroys=before.destroys)
    assert before.inputs == (await _described(stage)).inputs


async def test_a_second_attempt_after_the_commit_finds_its_licence(stage: Stage) -> None:
    """What is gone cannot be judged any more; the digest is still the approved one."""
    stage.write("001_drop.sql", DROP)
    await stage.backed_up()
    context = await stage.approved()
    asked = await _described(stage)

    await Apply(QUICK).run(context)
    stage.run = replace(stage.run, attempt=1)

    assert asked.inputs == (await _described(stage)).inputs
    await Apply(QUICK).run(stage.at(StepName.APPLY))  # settled by its marker, and still what was approved
    stage.run = replace(stage.run, destroys=())
    with pytest.raises(StepError, match="not what was approved"):
        await Apply(QUICK).run(stage.at(StepName.APPLY))


@pytest.mark.parametrize(
    ("text", "surely"),
    [
        (DROP, True), (HIDDEN, True), ("frobnicate cases", True), ("alter table cases add column a int", False),
        ("select somebodys_function()", False),
        ("alter table cases add column a int; update cases set a = 1", False),
        ("alter table cases add column if not exists a int; update cases set a = 1", True),
        ("update cases set title = ''", True), ("create table t (id int); drop table t", False),
    ],
)  # fmt: skip
def test_what_the_files_alone_say_before_a_start(stage: Stage, text: str, surely: bool) -> None:
    """Only what is certain without the database counts there."""
    stage.write("001.sql", text)

    assert surely_destroys(stage.target, ("001.sql",)) is surely
    assert not surely_destroys(stage.target, ("none.sql",))


def test_large_files_are_left_to_the_real_check(stage: Stage) -> None:
    """Nobody waits in Slack for a parser."""
    stage.write("001.sql", "drop table cases;" + " " * 300_000)

    assert not surely_destroys(stage.target, ("001.sql",))
