"""The process's own settings, from the environment."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.settings.errors import ConfigurationError
from bot.settings.secrets import SUFFIX, environment_or_file

_GROUP = "slack"


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
    """The process's settings.  Nested names use two underscores, e.g. ``SLACK__BOT_TOKEN``.

    Every secret may also stand in a file that a variable with ``_FILE`` at its end names.
    """

    model_config = SettingsConfigDict(env_nested_delimiter="__", frozen=True, extra="ignore")

    database_url: SecretStr = Field(description="the bot's own PostgreSQL database")
    targets_file: Path = Path("targets.toml")
    slack: SlackSettings | None = None
    log_level: str = "info"
    observe_port: int = Field(default=0, ge=0, lt=65536, description="/healthz, /readyz and /metrics; 0: nowhere")
    observe_host: str = Field(default="127.0.0.1", description="0.0.0.0 where another machine asks")

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
        return Settings(**_from_files())
    except ValidationError as error:
        raise ConfigurationError("\n".join(_variable(each) for each in error.errors())) from None


def _from_files() -> dict[str, Any]:
    """The secrets that are mounted as files, nested as the settings are; the others come from the environment."""
    found: dict[str, Any] = {name: text for name in _secrets(Settings) if (text := _mounted(name.upper()))}
    prefix = f"{_GROUP}__".upper()
    group = {name: text for name in _secrets(SlackSettings) if (text := _mounted(prefix + name.upper()))}
    return {**found, **({_GROUP: group} if group else {})}


def _secrets(model: type[BaseModel]) -> list[str]:
    return [name for name, each in model.model_fields.items() if "SecretStr" in str(each.annotation)]


def _mounted(variable: str) -> str:
    """Asked also where the variable itself is set: both together are refused."""
    return environment_or_file(variable)


def _variable(error: Any) -> str:
    name = "__".join(str(part) for part in error["loc"]).upper()
    also = f", or {name}{SUFFIX}" if error["type"] == "missing" else ""
    return f"{name}: {error['msg']}. Set the environment variable {name}{also}."
