"""What belongs to a database but is in no dump of it: owner, locale, grants, settings, comment.

They are made for the copy as they are for the original now, and compared before anything is switched.
"""

import re
from collections.abc import Mapping
from typing import Any

from psycopg import errors as pg
from psycopg import sql

from bot.ports import StepError
from integrations.postgres.beside import FILE, Names
from integrations.postgres.connect import Session, rows

Properties = Mapping[str, Any]
_PRIVILEGES = {"CREATE": sql.SQL("CREATE"), "CONNECT": sql.SQL("CONNECT"), "TEMPORARY": sql.SQL("TEMPORARY")}
# Parameters whose value is a list of quoted names (pg_dump, variable_is_guaranteed_list_quote).
_LISTS = {
    "local_preload_libraries", "search_path", "session_preload_libraries", "shared_preload_libraries",
    "temp_tablespaces", "unix_socket_directories",
}  # fmt: skip
_LISTED = re.compile(r'"((?:[^"]|"")*)"|([^,\s"]+)')


async def properties(db: Session, name: str) -> Properties:
    """``pg_database``'s row, with names instead of numbers; empty where there is no such database."""
    found = await rows(db, "properties", {"name": name}, FILE)
    return found[0][0] if found and isinstance(found[0][0], dict) else {}


def creation(names: Names, like: Properties) -> sql.Composed:
    """CREATE DATABASE with the original's owner, encoding, locale and tablespace."""
    statement = sql.SQL(
        "CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING {} LC_COLLATE {} LC_CTYPE {}"
    ).format(
        sql.Identifier(names.side), sql.Identifier(like["owner"]), like["encoding_name"], like["datcollate"],
        like["datctype"],
    )  # fmt: skip
    locale = like.get("datlocale", like.get("daticulocale"))
    if like.get("datlocprovider") == "i":
        statement += sql.SQL(" LOCALE_PROVIDER icu ICU_LOCALE {}").format(locale)
        if like.get("daticurules"):
            statement += sql.SQL(" ICU_RULES {}").format(like["daticurules"])
    if like.get("datlocprovider") == "b":
        statement += sql.SQL(" LOCALE_PROVIDER builtin BUILTIN_LOCALE {}").format(locale)
    if like["tablespace"] != "pg_default":
        statement += sql.SQL(" TABLESPACE {}").format(sql.Identifier(like["tablespace"]))
    return statement


async def carry(db: Session, names: Names) -> int:
    """Bring the copy's grants, settings, limit and comment to the original's; how many statements that took.

    What this role may not set is told as the statements to run by hand; nothing is switched without them.
    """
    like = await properties(db, names.live)
    wanted = [*await _grants(db, names, like), *await _settings(db, names)]
    limit = sql.SQL("ALTER DATABASE {} CONNECTION LIMIT {}").format(sql.Identifier(names.side), like["datconnlimit"])
    comment = sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(names.side), like["comment"])
    refused = []
    for statement in (*wanted, limit):
        try:
            await db.execute(statement)
        except (pg.InsufficientPrivilege, pg.InvalidParameterValue, pg.UndefinedObject) as error:
            refused.append(f"{statement.as_string(db)}; ({error.diag.message_primary})")
    if refused:
        raise _by_hand(names, refused)
    await _require_same(db, names)
    await db.execute(comment)  # last: until then it says that the copy is half-made
    return len(wanted)


async def _grants(db: Session, names: Names, like: Properties) -> list[sql.Composed]:
    wanted = await rows(db, "grants", {"name": names.live}, FILE)
    if like["datacl"] is None or wanted == await rows(db, "grants", {"name": names.side}, FILE):
        return []
    side = sql.Identifier(names.side)
    found = [sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC, {}").format(side, sql.Identifier(like["owner"]))]
    for role, privilege, passed_on in wanted:
        to = sql.Identifier(str(role)) if role else sql.SQL("PUBLIC")
        option = sql.SQL(" WITH GRANT OPTION" if passed_on else "")
        found.append(sql.SQL("GRANT {} ON DATABASE {} TO {}{}").format(_PRIVILEGES[str(privilege)], side, to, option))
    return found


async def _settings(db: Session, names: Names) -> list[sql.Composed]:
    """Only those that are not yet so: what a person has set by hand is not set again."""
    there = set(await rows(db, "kept_settings", {"name": names.side}, FILE))
    wanted = await rows(db, "kept_settings", {"name": names.live}, FILE)
    return [_setting(names, *map(str, each)) for each in wanted if each not in there]


def _setting(names: Names, role: str, name: str, value: str) -> sql.Composed:
    whose = (
        sql.SQL("ALTER ROLE {} IN DATABASE {}").format(sql.Identifier(role), sql.Identifier(names.side))
        if role
        else sql.SQL("ALTER DATABASE {}").format(sql.Identifier(names.side))
    )
    parts = [quoted.replace('""', '"') or bare for quoted, bare in _LISTED.findall(value)]
    values: list[str] = parts if name in _LISTS and parts else [value]
    return sql.SQL("{} SET {} TO {}").format(
        whose, sql.Identifier(*name.split(".")), sql.SQL(", ").join(map(sql.Literal, values))
    )


async def _require_same(db: Session, names: Names) -> None:
    live, side = await properties(db, names.live), await properties(db, names.side)
    fields = ("owner", "encoding_name", "datcollate", "datctype", "datlocprovider", "tablespace", "datconnlimit")
    wrong = [name for name in fields if live.get(name) != side.get(name)]
    for block in ("grants", "kept_settings"):
        if await rows(db, block, {"name": names.live}, FILE) != await rows(db, block, {"name": names.side}, FILE):
            wrong.append(block.replace("_", " "))
    if wrong:
        raise StepError(
            f"The restored copy {names.side} differs from {names.live} in its {', '.join(wrong)}.",
            f"Make them equal on {names.side}, then type /migrate retry; nothing was switched.",
        )


def _by_hand(names: Names, refused: list[str]) -> StepError:
    return StepError(
        f"The copy {names.side} is restored and proven, but this role may not give it everything {names.live} has. "
        "Nothing was switched.",
        "As a superuser run: " + " ".join(refused) + " Then type /migrate retry.",
    )
