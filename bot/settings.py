"""Configuration: secrets from the environment, targets from one TOML file.  Read once, passed down, never imported."""

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.ports import LOCK_PAUSES, LOCK_TIMEOUTS, Service, Target
from bot.runbook.people import Policy, Timing


class ConfigurationError(Exception):
    """Something in the configuration is missing or wrong; the text says where, and what to write instead."""


class SlackSettings(BaseModel):
    """``SLACK__…``.  With an app token the bot connects by Socket Mode; with a signing secret it listens on a port."""

    model_config = ConfigDict(frozen=True)

    bot_token: SecretStr
    app_token: SecretStr | None = None
    signing_secret: SecretStr | None = None
    base_url: str = "https://slack.com/api/"
    host: str = "0.0.0.0"  # noqa: S104 - a web process behind the platform's router
    port: int = Field(default=3000, description="for HTTP mode")


class Settings(BaseSettings):
    """The process's settings.  Nested names use two underscores, e.g. ``SLACK__BOT_TOKEN``."""

    model_config = SettingsConfigDict(env_nested_delimiter="__", frozen=True, extra="ignore")

    database_url: SecretStr = Field(description="the bot's own PostgreSQL database")
    targets_file: Path = Path("targets.toml")
    slack: SlackSettings | None = None
    log_level: str = "info"

    def slack_or_refuse(self) -> SlackSettings:
        """Slack's settings, or what to set."""
        if self.slack is None:
            raise ConfigurationError("Set SLACK__BOT_TOKEN, and SLACK__APP_TOKEN or SLACK__SIGNING_SECRET.")
        if self.slack.app_token is None and self.slack.signing_secret is None:
            raise ConfigurationError(
                "Set SLACK__APP_TOKEN for Socket Mode, or SLACK__SIGNING_SECRET for HTTP mode; neither is there."
            )
        return self.slack


def read_settings() -> Settings:
    """Settings from the environment; raises ``ConfigurationError`` naming the variable."""
    try:
        return Settings()
    except ValidationError as error:
        raise ConfigurationError("\n".join(_variable(each) for each in error.errors())) from None


def _variable(error: Any) -> str:
    name = "__".join(str(part) for part in error["loc"]).upper()
    return f"{name}: {error['msg']}. Set the environment variable {name}."


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ServiceConfig(_Model):
    """One ``[[targets.NAME.services]]``."""

    name: str
    health_url: str
    metrics_url: str = ""
    command: tuple[str, ...] = ()
    environment: dict[str, str] = {}
    environment_from: dict[str, str] = {}  # variable of the service <- variable of the bot's environment
    folder: str = "."
    application_name: str = ""
    replicas: int = 1


class PolicyConfig(_Model):
    """``[targets.NAME.policy]``: user ids and user-group ids."""

    approvers: frozenset[str] = Field(min_length=1)
    owners: frozenset[str] = frozenset()
    on_call: frozenset[str] = frozenset()
    quorum: int = Field(default=1, ge=1)
    self_approval: bool = False


Seconds = Annotated[float, Field(gt=0)]


class TargetConfig(_Model):
    """``[targets.NAME]``: one database that can be migrated."""

    dsn_env: str = Field(description="the environment variable that holds its connection string")
    channel: str
    migrations: Path
    backups: Path
    state: Path = Path("state")
    policy: PolicyConfig
    services: tuple[ServiceConfig, ...] = ()
    client_tools: Path | None = None
    dump_jobs: int = Field(default=2, ge=1)
    lock_timeouts: tuple[Seconds, ...] = LOCK_TIMEOUTS
    lock_pauses: tuple[Seconds, ...] = LOCK_PAUSES
    statement_timeout: Seconds = 600.0
    verify_command: tuple[str, ...] = ()
    orphan_checks: dict[str, str] = {}
    speed: Seconds = 1.0


class Operator(_Model):
    """``[operators.OSUSER]``: who somebody at the bot's own host is, for when Slack is down."""

    id: str
    name: str
    groups: frozenset[str] = frozenset()


class TargetsFile(_Model):
    """The whole file."""

    targets: dict[str, TargetConfig] = Field(min_length=1)
    operators: dict[str, Operator] = {}


def read_targets(path: Path) -> TargetsFile:
    """The targets file, checked; raises ``ConfigurationError`` that names the file and the entry."""
    try:
        return TargetsFile.model_validate(tomllib.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        raise ConfigurationError(
            f"There is no targets file at {path}. Set TARGETS_FILE, or copy the example from the README."
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path} is not valid TOML: {error}. Mend that line.") from None
    except ValidationError as error:
        lines = [f"{path}: {'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in error.errors()]
        raise ConfigurationError("\n".join(lines)) from None


def targets_of(file: TargetsFile, *, base: Path) -> dict[str, Target]:
    """The targets as the bot uses them; relative folders are relative to ``base``, the file's own folder."""
    found = {name: _target(name, config, base) for name, config in file.targets.items()}
    by_database: dict[tuple[str, ...], str] = {}
    for name, target in found.items():
        other = by_database.setdefault(_database(name, target.dsn), name)
        if other != name:
            raise ConfigurationError(f"Targets {other} and {name} are the same database. Keep one of them.")
    return found


def _database(target: str, dsn: str) -> tuple[str, ...]:
    """Which database a connection string means, however it is spelled and whoever connects."""
    try:
        parts = conninfo_to_dict(dsn)
    except ProgrammingError:  # its text would quote the secret
        raise ConfigurationError(
            f"The variable that targets.{target}.dsn_env names holds no connection string."
            " Write it as postgresql://USER:PASSWORD@HOST/DATABASE."
        ) from None
    host = str(parts.get("host") or parts.get("hostaddr") or "").lower()
    return host, str(parts.get("port") or "5432"), str(parts.get("dbname") or parts.get("user") or "")


def _target(name: str, config: TargetConfig, base: Path) -> Target:
    return Target(
        name=name,
        dsn=_secret(config.dsn_env, f"targets.{name}.dsn_env"),
        channel=config.channel,
        policy=Policy(**config.policy.model_dump()),
        timing=Timing().faster(config.speed) if config.speed != 1 else Timing(),
        migrations=base / config.migrations,
        backups=base / config.backups,
        state=base / config.state,
        services=tuple(_service(each, base) for each in config.services),
        client_tools=config.client_tools,
        dump_jobs=config.dump_jobs,
        lock_timeouts=config.lock_timeouts,
        lock_pauses=config.lock_pauses,
        statement_timeout=config.statement_timeout,
        verify_command=config.verify_command,
        orphan_checks=tuple(sorted(config.orphan_checks.items())),
    )


def _service(config: ServiceConfig, base: Path) -> Service:
    secrets = {name: _secret(env, f"services.{config.name}") for name, env in config.environment_from.items()}
    plain = config.model_dump(exclude={"environment_from", "environment", "folder"})
    environment = tuple(sorted({**config.environment, **secrets}.items()))
    return Service(**plain, environment=environment, folder=str(base / config.folder))


def _secret(variable: str, entry: str) -> str:
    value = os.environ.get(variable, "")
    if not value:
        raise ConfigurationError(f"{entry} names the environment variable {variable}, which is not set. Set it.")
    return value
