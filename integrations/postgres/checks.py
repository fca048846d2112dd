"""What is asked of the database after a migration; each answer is a finding with its own words.

Runbook step 5: schema changes present, keys valid, no orphans, no violations, indexes created, rows as expected.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import psycopg
from psycopg import sql

from bot.ports import Context
from bot.runbook.criteria import Criterion
from bot.runbook.criteria import schema as judged
from integrations.postgres import markers
from integrations.postgres.catalog import Catalog, difference, tables
from integrations.postgres.connect import Session, rows
from integrations.postgres.manifest import Manifest
from integrations.postgres.script import Script
from integrations.postgres.settings import Limits
from integrations.postgres.snapshot import count_rows
from integrations.postgres.words import plural

MOST_LINES = 60


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One answer: fine, worth a look (⚠️), or a violation (❌).  ``met``: which rollback criterion the violation is;
    none where the question could not be answered."""

    text: str
    violation: bool = False
    notable: bool = False
    met: Criterion | None = Criterion.INTEGRITY

    def __str__(self) -> str:
        return f"{'❌' if self.violation else '⚠️' if self.notable else '✅'} {self.text}"


Findings = tuple[Finding, ...]


async def marked(db: Session, context: Context, scripts: tuple[Script, ...]) -> Findings:
    """Is every file marked as applied by this run?"""
    done = markers.settled(scripts, await markers.read_markers(db, context.run.id))
    missing = [each.name for each in scripts if each not in done]
    if missing:
        return (Finding(text=f"No mark of {', '.join(missing)} in the database", violation=True),)
    return (Finding(text=f"Marked as applied: {', '.join(each.name for each in done)}"),)


def schema(before: Catalog, now: Catalog) -> tuple[Findings, tuple[str, ...]]:
    """How the schema differs from the one at the backup, and those lines."""
    changed = difference(before, now)
    if not changed:
        return (Finding(text="The schema is as it was: the migration changed data only", notable=True),), ()
    more = (f"… and {len(changed) - MOST_LINES} more",) if len(changed) > MOST_LINES else ()
    return (Finding(text=f"Schema: {plural(len(changed), 'difference')} from before"),), changed[:MOST_LINES] + more


def consistent(before: str, after: str, now: str) -> Findings:
    """Is the schema's fingerprint the one before the migration, or ``after``, the one it had when that was in?"""
    verdict = judged(before, after, now)
    if verdict.ok or not after:
        return ()
    return (Finding(text=verdict.reason.rstrip("."), violation=True, met=Criterion.SCHEMA),)


async def indexes(db: Session, before: Catalog) -> Findings:
    """Are all indexes usable?"""
    old = {name for name, text in before.get("index", {}).items() if text.endswith("(invalid)")}
    found = [f"{schema_}.{name}" for schema_, name, _ in await rows(db, "invalid_indexes")]
    fresh = [each for each in found if each not in old]
    if fresh:
        return (Finding(text=f"Invalid indexes: {', '.join(fresh)}; drop and build them again", violation=True),)
    if found:
        return (Finding(text=f"Indexes that were invalid before and still are: {', '.join(found)}", notable=True),)
    return (Finding(text="All indexes are valid"),)


async def constraints(db: Session, before: Catalog) -> Findings:
    """Constraints nobody has validated, with the orphans of each foreign key counted exactly."""
    old = before.get("foreign key", {})
    found = []
    for name, child_schema, child, parent_schema, parent, columns, keys in await rows(db, "unproven_keys"):
        full = f"{child_schema}.{child}.{name}"
        query = _orphans(str(child_schema), str(child), str(parent_schema), str(parent), columns, keys)
        count = await _number(db, query)
        text = f"Foreign key {full} is NOT VALID; " + (plural(count, "orphan") if count else "no orphans: validate it")
        is_new = not old.get(full, "").endswith("NOT VALID")
        found.append(Finding(text=text, violation=bool(count) and is_new, notable=True))
    found += [Finding(text=f"Constraint {name} on {table} is NOT VALID", notable=True)
              for table, name in await rows(db, "unproven_checks")]  # fmt: skip
    return tuple(found) or (Finding(text="All constraints are validated"),)


async def row_counts(
    db: Session, manifest: Manifest, changed: tuple[frozenset[str], frozenset[str]], scripts: tuple[Script, ...],
    limits: Limits,
) -> Findings:  # fmt: skip
    """Rows now against rows in the backup's snapshot; ``changed`` are the tables before and now."""
    before_tables, now_tables = changed
    gone = sorted(before_tables - now_tables)
    found = [_gone(name, scripts) for name in gone]
    now = await count_rows(db, limits)
    for name, (count, exact) in manifest.rows.items():
        if name in now and exact and now[name][1] and now[name][0] < count:
            why = "" if any(each.drops_rows for each in scripts) else "; nothing in the files says that it removes rows"
            text = f"{name}: {count:,} → {now[name][0]:,} rows ({now[name][0] - count:,}){why}"
            found.append(Finding(text=text, notable=True))
    total, was = sum(count for count, _ in now.values()), sum(count for count, _ in manifest.rows.values())
    return (*found, Finding(text=f"Rows: {was:,} at the backup, {total:,} now, in {plural(len(now), 'table')}"))


async def orphan_checks(db: Session, context: Context) -> Findings:
    """The target's own queries; each must return 0."""
    found = []
    for name, query in context.target.orphan_checks:
        count = await _number(db, sql.SQL(query))  # the target's configuration, not people's text
        found.append(Finding(text=f"{name}: {count:,} (must be 0)", violation=count != 0))
    return tuple(found)


async def attempt(what: str, asking: Callable[[], Awaitable[Findings]]) -> Findings:
    """A check that could not be made is a violation: what is not known is not fine."""
    try:
        return await asking()
    except psycopg.Error as error:
        said = str(error).strip().splitlines()[0]
        return (Finding(text=f"{what} could not be checked: {said}", violation=True, met=None),)


def _gone(name: str, scripts: tuple[Script, ...]) -> Finding:
    bare = name.rpartition(".")[2].strip('"')
    explained = any(re.search(rf"(?i)\b{re.escape(bare)}\b", each.text) for each in scripts)
    text = f"Table {name} is gone" + ("" if explained else ", and no file of the migration names it")
    return Finding(text=text, violation=not explained, notable=True)


def _orphans(
    child_schema: str, child: str, parent_schema: str, parent: str, columns: object, keys: object
) -> sql.Composed:
    """Rows of the child whose key is complete and names no parent (MATCH SIMPLE)."""
    pairs = list(zip(map(sql.Identifier, _list(columns)), map(sql.Identifier, _list(keys)), strict=True))
    complete = sql.SQL(" AND ").join(sql.SQL("c.{} IS NOT NULL").format(mine) for mine, _ in pairs)
    same = sql.SQL(" AND ").join(sql.SQL("p.{} = c.{}").format(theirs, mine) for mine, theirs in pairs)
    return sql.SQL("SELECT count(*) FROM {} c WHERE {} AND NOT EXISTS (SELECT FROM {} p WHERE {})").format(
        sql.Identifier(child_schema, child), complete, sql.Identifier(parent_schema, parent), same
    )


def _list(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []


async def _number(db: Session, query: sql.SQL | sql.Composed) -> int:
    row = await (await db.execute(query)).fetchone()
    return int(str(row[0])) if row else 0


def table_names(before: Catalog, now: Catalog) -> tuple[frozenset[str], frozenset[str]]:
    """The tables before and now."""
    return tables(before), tables(now)
