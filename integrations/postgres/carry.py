"""What belongs to a database but is in no dump of it: owner, locale, grants, settings, comment.

They are made for the copy as they were for the original, and compared before anything is switched.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from psycopg import errors as pg
from psycopg import sql

from bot.ports import StepError
from integrations.postgres.beside import FILE, Names
from integrations.postgres.connect import Session, rows

Properties = Mapping[str, Any]
Around = Mapping[str, Any]  # "properties", "grants" and "kept_settings" of a database
HIDDEN_VALUE = "…"
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


async def around(db: Session, name: str) -> Around:
    """Properties, grants and settings of a database as they are now, fit for JSON."""
    found: dict[str, Any] = {"properties": dict(await properties(db, name))}
    for block in ("grants", "kept_settings"):
        found[block] = [list(each) for each in await rows(db, block, {"name": name}, FILE)]
    return found


async def carry(db: Session, names: Names, like: Around | None = None) -> int:
    """Give ``names.side`` the grants, settings and limit of ``like`` (the original's now); how many of them.

    What this role may not set is told as the statements to run by hand.  ``finish`` gives it the comment.
    """
    like = like or await around(db, names.live)
    there, kept = await around(db, names.side), like["properties"]
    owned = (*_owner(names, like, there), *_grants(names, like, there))
    wanted = [*((each, each) for each in owned), *_settings(names, like, there)]
    limit = sql.SQL("ALTER DATABASE {} CONNECTION LIMIT {}").format(sql.Identifier(names.side), kept["datconnlimit"])
    refused = []
    for statement, shown in (*wanted, (limit, limit)):
        try:
            await db.execute(statement)
        except (pg.InsufficientPrivilege, pg.InvalidParameterValue, pg.UndefinedObject) as error:
            tells = isinstance(error, pg.InvalidParameterValue) and shown is not statement  # it repeats the value
            why = "the value is not allowed" if tells else error.diag.message_primary
            refused.append(f"{shown.as_string(db)}; ({why})")
    if refused:
        raise ByHand(names, refused)
    if wrong := unlike(like, await around(db, names.side)):
        raise StepError(
            f"The copy {names.side} differs from {names.live} in its {', '.join(wrong)}.",
            f"Make them equal on {names.side}, then type /migrate retry; nothing was switched.",
        )
    return len(wanted)


async def finish(db: Session, name: str, like: Around) -> None:
    """Give the copy its own comment, the last thing: until then it says that it is half-made."""
    comment = like["properties"]["comment"]
    await db.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), comment))


def unlike(like: Around, there: Around) -> list[str]:
    """In what a copy differs from what it should be like."""
    live, side = like["properties"], there["properties"]
    fields = ("owner", "encoding_name", "datcollate", "datctype", "datlocprovider", "tablespace", "datconnlimit")
    wrong = [name for name in fields if live.get(name) != side.get(name)]
    return wrong + [block.replace("_", " ") for block in ("grants", "kept_settings") if like[block] != there[block]]


def _owner(names: Names, like: Around, there: Around) -> list[sql.Composed]:
    """A copy is made with the owner of now, which the migration may have changed."""
    owner = like["properties"]["owner"]
    if owner == there["properties"]["owner"]:
        return []
    return [sql.SQL("ALTER DATABASE {} OWNER TO {}").format(sql.Identifier(names.side), sql.Identifier(owner))]


def _grants(names: Names, like: Around, there: Around) -> list[sql.Composed]:
    if like["properties"]["datacl"] is None or like["grants"] == there["grants"]:
        return []
    side, owner = sql.Identifier(names.side), sql.Identifier(like["properties"]["owner"])
    found = [sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC, {}").format(side, owner)]
    for role, privilege, passed_on in like["grants"]:
        to = sql.Identifier(str(role)) if role else sql.SQL("PUBLIC")
        option = sql.SQL(" WITH GRANT OPTION" if passed_on else "")
        found.append(sql.SQL("GRANT {} ON DATABASE {} TO {}{}").format(_PRIVILEGES[str(privilege)], side, to, option))
    return found


def _settings(names: Names, like: Around, there: Around) -> Iterator[tuple[sql.Composed, sql.Composed]]:
    """Each as it is run and as it is shown; only those that are not yet so: a person may have set one by hand."""
    for each in like["kept_settings"]:
        if each not in there["kept_settings"]:
            role, name, value = map(str, each)
            statement = _setting(names, role, name, value)
            # an application's own parameters (with a dot) may hold its keys
            yield statement, _setting(names, role, name, HIDDEN_VALUE) if "." in name else statement


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


class ByHand(StepError):
    """This role may not give the copy everything the original has; ``statements`` are for a superuser.

    They go where people read, so they never hold the value of an application's own parameter.
    """

    def __init__(self, names: Names, refused: list[str]) -> None:
        self.statements = " ".join(refused)
        if f"'{HIDDEN_VALUE}'" in self.statements:
            self.statements += f" ('{HIDDEN_VALUE}' stands in setconfig of pg_db_role_setting for {names.live})"
        super().__init__(
            f"The copy {names.side} is proven, but this role may not give it everything {names.live} has. "
            "Nothing was switched.",
            f"As a superuser run: {self.statements} Then type /migrate retry.",
        )
