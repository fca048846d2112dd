"""Prisma's command line as an opaque command: an argument list, the connection in the environment, nothing else.

What is configured may be ``npx prisma`` with its native engine, a wrapper of a monorepo, or one with a driver adapter.
"""

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from psycopg.conninfo import conninfo_to_dict

from bot.ports import Context, StepError
from integrations.postgres.connect import connection_env, secrets_of
from integrations.postgres.prisma.away import command, commands_of, run_away
from integrations.postgres.prisma.codes import CODES
from integrations.postgres.prisma.project import project_of
from integrations.postgres.prisma.said import Said, read, without_values
from integrations.process import Exit, Redactor, base_env, run_child
from integrations.spoken import ending, spoken

#: No colours, no call home, no advertisement in the output (Prisma's environment variables reference).
QUIET = {"NO_COLOR": "1", "CHECKPOINT_DISABLE": "1", "PRISMA_HIDE_UPDATE_MESSAGE": "1", "CI": "1"}
DEPLOY, STATUS, GENERATE = ("migrate", "deploy"), ("migrate", "status"), ("generate",)
#: libpq's sslmode as Prisma spells it (https://www.prisma.io/docs/orm/overview/databases/postgresql).
_TLS: Mapping[str, Mapping[str, str]] = {
    "disable": {"sslmode": "disable"},
    "allow": {"sslmode": "prefer"},
    "prefer": {"sslmode": "prefer"},
    "require": {"sslmode": "require", "sslaccept": "accept_invalid_certs"},
    "verify-ca": {"sslmode": "require", "sslaccept": "strict"},
    "verify-full": {"sslmode": "require", "sslaccept": "strict"},
}


def resolve(how: str, name: str) -> tuple[str, ...]:
    """``applied`` or ``rolled-back``."""
    return ("migrate", "resolve", f"--{how}", name)


def shown(context: Context, arguments: tuple[str, ...]) -> str:
    """The command as people read it."""
    project = project_of(context.target)
    if project.on_job:
        return f"{' '.join(command(project, arguments))} ({commands_of(context).place})"
    return " ".join((*project.command, *_arguments(context, arguments)))


async def prisma(context: Context, arguments: tuple[str, ...], *, time_limit: float | None = None) -> tuple[Exit, Said]:
    """Run it to its end; seconds.  Its words are kept for ``/migrate logs`` and read, redacted, never believed."""
    project = project_of(context.target)
    secret = (*secrets_of(context.target.dsn), url_of(context), *(value for _, value in project.environment if value))
    lines: list[str] = []
    async with spoken(context, shown(context, arguments)) as say:

        def take(line: str) -> None:
            lines.append(line)
            say(without_values(line))

        redactor = Redactor(secret)
        if project.on_job:
            ended = await run_away(context, arguments, redactor, take, time_limit)
        else:
            ended = await run_child(
                (*project.command, *_arguments(context, arguments)), env=_environment(context), cwd=project.folder,
                on_line=take, time_limit=time_limit, redactor=redactor,
            )  # fmt: skip
        say(f"prisma {ending(ended)}")
    return ended, read(lines)


def url_of(context: Context) -> str:
    """The target's connection string as the URL that Prisma reads, with limits for engines that honour ``options``."""
    parts = {name: str(value) for name, value in conninfo_to_dict(context.target.dsn).items() if value is not None}
    host = parts.get("host") or parts.get("hostaddr") or ""
    socket = host.startswith("/")
    user, password = quote(parts.get("user", ""), safe=""), parts.get("password")
    who = f"{user}:{quote(password, safe='')}" if password is not None else user
    where = "localhost" if socket or not host else f"[{host}]" if ":" in host else host
    name = quote(parts.get("dbname", ""), safe="")
    query = {
        "schema": project_of(context.target).database_schema, **_TLS.get(parts.get("sslmode", ""), {}),
        **({"sslcert": parts["sslrootcert"]} if "sslrootcert" in parts else {}),
        **({"host": host} if socket else {}),
        "application_name": context.application_name,
        "options": _options(context),
    }  # fmt: skip
    return f"postgresql://{who}@{where}:{parts.get('port', '5432')}/{name}?{urlencode(query, quote_via=quote)}"


def _options(context: Context) -> str:
    """Limits of the connection itself: they hold also for the very first migration, before there is a guard."""
    target = context.target
    lock, statement = int(max(target.lock_timeouts) * 1000), int(target.statement_timeout * 1000)
    return f"-c lock_timeout={lock} -c statement_timeout={statement}"


def _arguments(context: Context, arguments: tuple[str, ...]) -> tuple[str, ...]:
    return (*arguments, "--schema", str(project_of(context.target).schema))


def _environment(context: Context) -> dict[str, str]:
    """libpq's variables as well: a driver adapter may read those instead of the URL's parameters."""
    project = project_of(context.target)
    url = url_of(context)
    libpq, _ = connection_env(context.target.dsn)
    ours = {"PGAPPNAME": context.application_name, "PGOPTIONS": _options(context)}
    urls = dict.fromkeys(project.url_variables, url)
    return base_env() | QUIET | dict(project.environment) | libpq | ours | urls


def require_here(context: Context, said: Said) -> None:
    """Where the command says that it acts must be the target; silence is no objection."""
    parts = conninfo_to_dict(context.target.dsn)
    wrong = []
    if said.database and said.database != str(parts.get("dbname") or ""):
        wrong.append(f"database {said.database}")
    if said.schema and said.schema != project_of(context.target).database_schema:
        wrong.append(f"schema {said.schema}")
    if said.server and not str(parts.get("host") or "").startswith("/") and _port(said.server) != _own_port(context):
        wrong.append(f"server {said.server}")
    if wrong:
        raise StepError(
            f"Prisma would act on another place than the target: {', '.join(wrong)}.",
            "See what the schema's datasource and prisma.config.ts name; nothing was run there but a question.",
        )


def _port(server: str) -> str:
    return server.rpartition(":")[2] if ":" in server else "5432"


def _own_port(context: Context) -> str:
    return str(conninfo_to_dict(context.target.dsn).get("port") or "5432")


def advice_of(said: Said, otherwise: str) -> str:
    """By Prisma's code, unless the database's own error says more."""
    known = CODES.get(said.code)
    return known.advice if known and (said.code != "P3018" or not said.state) else otherwise
