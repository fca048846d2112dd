"""What people do with casework, as SQL that works on the schema before and after sample migrations 001 and 002.

The five workflows are the runbook's critical ones (step 7): login, case creation, document upload, search, dashboard.
Two of them call people by their name, and migration 003 renames that column: releases up to 1 need it before,
releases from 2 on after.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from psycopg import AsyncConnection, sql
from psycopg.rows import DictRow

Connection = AsyncConnection[DictRow]
Answer = dict[str, Any]
FIRST_RELEASE = "1.4.2"
Workflow = Callable[[Connection, Mapping[str, Any]], Awaitable[Answer]]


class Refused(Exception):
    """The request cannot be done as asked; answered with HTTP 401, and no failure of the service."""


async def login(db: Connection, asked: Mapping[str, Any], *, name: str = "full_name") -> Answer:
    """Check a password (every sample user's is ``demo``) and note the time."""
    email, password = asked.get("email", "user1@casework.example"), asked.get("password", "demo")
    user = await _one(
        db,
        sql.SQL(
            "UPDATE users SET last_login_at = now() WHERE lower(email) = lower(%(email)s) AND active"
            " AND password_hash = encode(sha256(convert_to(email || ':' || %(password)s, 'UTF8')), 'hex')"
            " RETURNING id, {} AS name, role"
        ).format(sql.Identifier(name)),
        email=email, password=password,
    )  # fmt: skip
    if user is None:
        raise Refused("Unknown e-mail address or wrong password.")
    return user


async def create_case(db: Connection, asked: Mapping[str, Any]) -> Answer:
    """File a case with the next number, and its first note."""
    created = await _one(
        db,
        "INSERT INTO cases (number, title, practice_area, client_id, responsible_id)"
        " SELECT 'C-' || to_char(nextval('case_number_seq'), 'FM000000'), %(title)s, 'contract',"
        " (SELECT min(id) FROM clients), (SELECT min(id) FROM users) RETURNING id, number, responsible_id",
        title=asked.get("title", "Lease: review of a new contract"),
    )  # fmt: skip
    assert created is not None  # noqa: S101 - INSERT ... RETURNING of one row
    await db.execute(
        "INSERT INTO case_notes (case_id, author_id, body) VALUES (%(id)s, %(responsible_id)s, 'Case opened.')",
        created,
    )
    return {"id": created["id"], "number": created["number"]}


async def upload_document(db: Connection, asked: Mapping[str, Any]) -> Answer:
    """Store a document's text with the newest case and write it to the audit log."""
    body = str(asked.get("body", "Signed copy of the contract."))
    stored = await _one(
        db,
        "INSERT INTO documents (case_id, uploaded_by, title, media_type, size_bytes, body)"
        " SELECT id, responsible_id, %(title)s, 'text/plain', octet_length(%(body)s), %(body)s"
        " FROM cases ORDER BY id DESC LIMIT 1 RETURNING id, case_id, size_bytes, uploaded_by",
        title=asked.get("title", "Contract"), body=body,
    )  # fmt: skip
    assert stored is not None  # noqa: S101 - the sample always has cases
    await db.execute(
        "INSERT INTO audit_log (actor_id, action, entity, entity_id)"
        " VALUES (%(uploaded_by)s, 'document.upload', 'case', %(case_id)s)",
        stored,
    )
    return {"id": stored["id"], "case_id": stored["case_id"], "size_bytes": stored["size_bytes"]}


async def search(db: Connection, asked: Mapping[str, Any]) -> Answer:
    """Find clients by the start of their name, with their newest cases."""
    found = await db.execute(
        "SELECT c.number, c.title, c.status FROM clients cl JOIN cases c ON c.client_id = cl.id"
        " WHERE lower(cl.name) LIKE lower(%(q)s) || '%%' ORDER BY c.opened_on DESC, c.id LIMIT 10",
        {"q": str(asked.get("q", "Ana"))},
    )
    return {"results": await found.fetchall()}


async def dashboard(db: Connection, asked: Mapping[str, Any], *, name: str = "full_name") -> Answer:
    """One lawyer's name, open cases and the hours of the last month they worked."""
    user = int(asked.get("user", 2))
    lawyer = await _one(
        db, sql.SQL("SELECT {} AS name FROM users WHERE id = %(user)s").format(sql.Identifier(name)), user=user
    )
    cases = await db.execute(
        "SELECT status, count(*) AS cases FROM cases"
        " WHERE responsible_id = %(user)s AND status IN ('intake', 'open', 'on_hold') GROUP BY 1 ORDER BY 1",
        {"user": user},
    )
    by_status = await cases.fetchall()
    hours = await _one(
        db,
        "SELECT coalesce(sum(minutes), 0) / 60 AS hours FROM time_entries WHERE user_id = %(user)s AND worked_on"
        " > (SELECT max(worked_on) - 30 FROM time_entries WHERE user_id = %(user)s)",
        user=user,
    )
    return {"name": lawyer["name"] if lawyer else "", "cases": by_status, "hours": int(hours["hours"]) if hours else 0}


async def background(db: Connection) -> None:
    """What a service does by itself now and then: read what waits, and leave a trace."""
    await db.execute("SELECT count(*) FROM unapproved_time WHERE worked_on > '2025-10-01'")
    await db.execute("INSERT INTO audit_log (action, entity, entity_id) VALUES ('background.sweep', 'service', 0)")


def workflows(release: str) -> Mapping[tuple[str, str], Workflow]:
    """What a release of the services answers, by method and path."""
    major = release.partition(".")[0]
    name = "display_name" if major.isdigit() and int(major) >= 2 else "full_name"
    return {
        ("POST", "/login"): partial(login, name=name),
        ("POST", "/cases"): create_case,
        ("POST", "/documents"): upload_document,
        ("GET", "/search"): search,
        ("GET", "/dashboard"): partial(dashboard, name=name),
    }


WORKFLOWS = workflows(FIRST_RELEASE)


async def _one(db: Connection, query: str | sql.Composed, **values: Any) -> DictRow | None:
    return await (await db.execute(query, values)).fetchone()
