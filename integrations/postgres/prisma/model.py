"""What each statement of a migration is to change, by PostgreSQL's own word: done on an empty copy of the schema.

The copy is the backup's schema without rows, restored beside and dropped again; what is learnt of it is kept beside the
backup, so that the question can be described anew without making anything.
"""

import asyncio
import contextlib
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import conninfo, sql
from psycopg.pq import TransactionStatus

from bot.ports import Context, StepError
from bot.runbook.digest import canonical
from bot.runbook.steps import StepName
from integrations.postgres.beside import MODEL, Names, beside, dsn_of, live_of, maintenance
from integrations.postgres.catalog import Catalog, fingerprint, read_catalog
from integrations.postgres.connect import Session, connection_env, secrets_of, session
from integrations.postgres.plan import backup_folder
from integrations.postgres.prisma.project import project_of
from integrations.postgres.restore import command, create_side, drop_half_made, failure
from integrations.postgres.script import Script
from integrations.process import Redactor, base_env, run_child

RESTORE_SECONDS = 600.0  # a schema without rows
_STATEMENT = "30s"  # each statement, on empty tables


@dataclass(frozen=True, kw_only=True)
class Model:
    """``states[n]``: the schema after n statements of the migration; fewer than it has where one cannot be done.

    ``stopped`` is then why.
    """

    states: tuple[Catalog, ...]
    stopped: str = ""


async def model_of(context: Context, before: Sequence[Script], script: Script) -> Model:
    """The model of ``script`` on top of those ``before`` it; ``StepError`` where it cannot be made."""
    kept = _file(context, [*before, script])
    if found := await asyncio.to_thread(_read, kept):
        return found
    async with maintenance(context) as db:
        names = Names(live=live_of(context), side=beside(context, MODEL), failed="")
        await drop_half_made(db, context, names.side)
        await create_side(db, context, names)
        try:
            await _restore(db, context, names)
            made = await _play(context, names, before, script)
        finally:
            with contextlib.suppress(StepError, psycopg.Error):  # what cannot be dropped now, the next one drops
                await drop_half_made(db, context, names.side)
    await asyncio.to_thread(_keep, kept, made)
    return made


async def _restore(db: Session, context: Context, names: Names) -> None:
    argv = [*await command(context, db, backup_folder(context)), "--schema-only"]
    dsn = dsn_of(context, names.side)
    env, more = connection_env(dsn)
    to = ("-d", conninfo.make_conninfo(more[1] if more else "", dbname=names.side))
    said: list[str] = []
    ended = await run_child(
        [*argv, *to], env=base_env() | env | {"PGAPPNAME": context.application_name, "LC_ALL": "C"}, cwd=Path("/"),
        on_line=said.append, time_limit=RESTORE_SECONDS, redactor=Redactor(secrets_of(context.target.dsn)),
    )  # fmt: skip
    if wrong := failure(ended.code, said):
        raise StepError(f"The backup's schema cannot be restored to compare with: {wrong}")


async def _play(context: Context, names: Names, before: Sequence[Script], script: Script) -> Model:
    """Every statement as Prisma's session would run it; another session looks, so only what is committed counts."""
    dsn = dsn_of(context, names.side)
    async with (
        session(dsn, context.application_name) as look,
        await psycopg.AsyncConnection.connect(dsn, autocommit=True, application_name=context.application_name) as work,
    ):
        if fingerprint(await read_catalog(look)) != context.run.fact(StepName.BACKUP, "fingerprint"):
            raise StepError("The backup's schema, restored to compare with, is not the one that was backed up.")
        schema = sql.Identifier(project_of(context.target).database_schema)
        await work.execute(sql.SQL("SET search_path = {}").format(schema))
        await work.execute(sql.SQL("SET statement_timeout = {}").format(_STATEMENT))
        for each in before:
            await work.execute(each.data)
        states = [await read_catalog(look)]
        for statement in script.statements:
            try:
                await work.execute(statement.text.encode())
            except psycopg.Error as error:
                return Model(states=tuple(states), stopped=str(error.diag.message_primary or error))
            open_ = work.info.transaction_status is not TransactionStatus.IDLE  # nobody may look past its locks
            states.append(states[-1] if open_ else await read_catalog(look))
    return Model(states=tuple(states))


def _file(context: Context, scripts: Sequence[Script]) -> Path:
    """Named after everything it follows from."""
    folder = backup_folder(context)
    text = canonical([context.run.fact(StepName.BACKUP, "manifest_sha256"), *(each.sha256 for each in scripts)])
    return folder.with_name(folder.name + ".model") / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"


def _read(path: Path) -> Model | None:
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        values = json.loads(path.read_text())
        return Model(states=tuple(values["states"]), stopped=str(values["stopped"]))
    return None


def _keep(path: Path, model: Model) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = path.with_suffix(".new")
    new.write_text(canonical({"states": [dict(each) for each in model.states], "stopped": model.stopped}))
    new.replace(path)


def objects(catalog: Catalog) -> Iterator[tuple[tuple[str, str], str]]:
    """Every object by kind and name, with its definition."""
    for kind, named in catalog.items():
        for name, definition in named.items():
            yield (kind, name), definition
