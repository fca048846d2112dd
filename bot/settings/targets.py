"""From the targets file's entries to the targets as the bot uses them."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from bot.metrics_settings import WorkflowConfig
from bot.prisma_settings import PrismaConfig
from bot.runbook.manual import ManualCheck
from bot.runbook.people import Policy, Timing
from bot.settings.errors import ConfigurationError
from bot.settings.file import placed
from bot.settings.models import ServiceConfig, TargetConfig, TargetsFile
from bot.settings.secrets import secret
from bot.target import Prisma, Service, Target, Workflow


def targets_of(file: TargetsFile, *, base: Path) -> dict[str, Target]:
    """The targets as the bot uses them; relative folders are relative to ``base``, the file's own folder."""
    with placed(file):
        found = {name: target_of(name, config, base) for name, config in file.targets.items()}
        require_apart(found)
    return found


def require_apart(found: Mapping[str, Target]) -> None:
    """No two targets share what belongs to one."""
    _require_own_databases(found)
    _require_own_states(found)


def _require_own_databases(found: Mapping[str, Target]) -> None:
    """One active run for each database: two names for one would get around that."""
    by_database: dict[tuple[str, ...], str] = {}
    for name, target in found.items():
        other = by_database.setdefault(_database(name, target.dsn), name)
        if other != name:
            raise ConfigurationError(
                f"Targets {other} and {name} are the same database. Keep one of them.", entry=f"targets.{name}.dsn_env"
            )


def _require_own_states(found: Mapping[str, Target]) -> None:
    """What runs and what ran before is kept in a target's state folder: two of them would forget each other's."""
    by_folder: dict[Path, str] = {}
    for name, target in found.items():
        other = by_folder.setdefault(target.state.resolve(), name) if target.services else name
        if other != name:
            raise ConfigurationError(
                f"Targets {other} and {name} share the folder {target.state}. Give each a state folder of its own:"
                f' state = "state/{name}"',
                entry=f"targets.{name}.state",
            )


def _database(target: str, dsn: str) -> tuple[str, ...]:
    """Which database a connection string means, however it is spelled and whoever connects."""
    try:
        parts = conninfo_to_dict(dsn)
    except ProgrammingError:  # its text would quote the secret
        raise ConfigurationError(
            f"The variable that targets.{target}.dsn_env names holds no connection string."
            " Write it as postgresql://USER:PASSWORD@HOST/DATABASE.",
            entry=f"targets.{target}.dsn_env",
        ) from None
    host = str(parts.get("host") or parts.get("hostaddr") or "").lower()
    return host, str(parts.get("port") or "5432"), str(parts.get("dbname") or parts.get("user") or "")


def target_of(name: str, config: TargetConfig, base: Path) -> Target:
    """One of them; raises ``ConfigurationError`` for what is named and not there."""
    hours = config.rollback.deadline_hours
    return Target(
        name=name,
        dsn=secret(config.dsn_env, f"targets.{name}.dsn_env"),
        channel=config.channel,
        policy=Policy(**config.policy.model_dump()),
        timing=_timing(config),
        migrations=config.migrations_in(base),
        prisma=_prisma(name, config.prisma, base) if config.prisma else None,
        backups=base / config.backups,
        state=base / config.state,
        services=tuple(_service(f"targets.{name}.services.{n}", each, base) for n, each in enumerate(config.services)),
        client_tools=config.client_tools,
        dump_jobs=config.dump_jobs,
        lock_timeouts=config.lock_timeouts,
        lock_pauses=config.lock_pauses,
        statement_timeout=config.statement_timeout,
        verify_command=config.verify_command,
        orphan_checks=tuple(sorted(config.orphan_checks.items())),
        workflows=tuple(
            _workflow(f"targets.{name}.workflows.{each}", each, of) for each, of in config.workflows.items()
        ),
        manual=tuple(ManualCheck(name=each, ask=of.ask, people=of.people) for each, of in config.manual_checks.items()),
        thresholds=config.thresholds.thresholds,
        standby=config.standby,
        announcement=_announcement(name, config, base),
        auto_rollback=config.rollback.auto,
        squawk_exclude=config.squawk_exclude,
        envelope=config.rollback.envelope,
        rollback_deadline=None if hours is None else hours * 3600,
        drill_backup_within=config.drill_backup_within,
        staging_dsn=_staging(name, config),
        freezes=config.freeze.freezes,
        freeze_ics=_freeze_ics(name, config, base),
        freeze_zone=config.freeze.zone,
        freeze_warning=config.freeze.warn_days * 86400,
        checklist=config.checklist == "required",
    )


def _timing(config: TargetConfig) -> Timing:
    """How long things wait, at the demo's speed where it has one."""
    timing = replace(Timing(), follow_every=config.follow_up_minutes * 60)
    hurried = timing.faster(config.speed) if config.speed != 1 else timing
    return hurried if config.follow_up_speed is None else hurried.followed_faster(timing, config.follow_up_speed)


def _announcement(name: str, config: TargetConfig, base: Path) -> str:
    """The target's own text for the announcement at T-24h; empty for the bot's."""
    if config.announcement is None:
        return ""
    file, remedy, entry = (
        base / config.announcement, "Write a text file there, or remove the line.", f"targets.{name}.announcement"
    )  # fmt: skip
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{entry}: {file} cannot be read ({error}). {remedy}", entry=entry) from None


def _staging(name: str, config: TargetConfig) -> str:
    """The staging database's connection string; refused where it is the target's own."""
    if config.staging is None:
        return ""
    entry = f"targets.{name}.staging.dsn_env"
    dsn = secret(config.staging.dsn_env, entry)
    if _database(name, dsn) == _database(name, secret(config.dsn_env, f"targets.{name}.dsn_env")):
        raise ConfigurationError(
            f"{entry} is the target's own database. Name the staging database's variable.", entry=entry
        )
    return dsn


def _freeze_ics(name: str, config: TargetConfig, base: Path) -> str:
    """Where the freeze calendar is; an address from the environment must be https, like a written one."""
    if not config.freeze.ics_env:
        return config.freeze.calendar(base)
    entry = f"targets.{name}.freeze.ics_env"
    address = secret(config.freeze.ics_env, entry)
    if not address.startswith("https://"):
        raise ConfigurationError(
            f"{entry} names a variable that holds no https address. Write one, or use ics.", entry=entry
        )
    return address


def _prisma(name: str, config: PrismaConfig, base: Path) -> Prisma:
    plain = config.model_dump(include={"command", "url_variables", "database_schema", "generate", "job_schema"})
    environment = _environment(config, f"targets.{name}.prisma.environment_from")
    folder, on_job = base / config.folder, config.run_on == "render"
    return Prisma(**plain, schema=base / config.schema_, folder=folder, environment=environment, on_job=on_job)


def _service(entry: str, config: ServiceConfig, base: Path) -> Service:
    plain = config.model_dump(exclude={"environment_from", "environment", "folder", "health"})
    environment = _environment(config, f"{entry}.environment_from")
    return Service(**plain, environment=environment, folder=str(base / config.folder), health=config.health.answer)


def _workflow(entry: str, name: str, config: WorkflowConfig) -> Workflow:
    secrets = {header: secret(variable, f"{entry}.headers_env") for header, variable in config.headers_env.items()}
    return config.workflow(name, secrets)


def _environment(config: ServiceConfig | PrismaConfig, entry: str) -> tuple[tuple[str, str], ...]:
    """Plain values, and secrets from the bot's own environment."""
    secrets = {name: secret(env, entry) for name, env in config.environment_from.items()}
    return tuple(sorted({**config.environment, **secrets}.items()))
