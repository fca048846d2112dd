"""``[targets.NAME.mail]``, ``.status_page`` and ``.pagerduty`` of the targets file: where else a run is told of.

Keys and passwords are named, never written: ``…_env`` is the environment variable that holds one.
"""

import re
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

_HERE = ("localhost", "127.0.0.1", "::1")
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _address(given: str) -> str:
    """One address, bare: nothing in it can become a second one, or another header."""
    if not _ADDRESS.fullmatch(given):
        raise PydanticCustomError("address", "is no e-mail address. Write it as name@example.com")
    return given


def _named_address(given: str) -> str:
    """An address with or without a name before it."""
    name, bare = parseaddr(given)
    if not given.isprintable() or not _ADDRESS.fullmatch(bare) or given not in (bare, f"{name} <{bare}>"):
        raise PydanticCustomError("address", "is no sender. Write it as Migrations <name@example.com>")
    return given


def _web(given: str) -> str:
    """An address of an API; only this machine is talked to without TLS."""
    if not re.fullmatch(r"https://\S+|http://(127\.0\.0\.1|localhost)(:\d+)?(/\S*)?", given):
        raise PydanticCustomError("url", "must begin with https://. Write the address that the API's documentation has")
    return given.rstrip("/")


Address = Annotated[str, AfterValidator(_address)]
Web = Annotated[str, AfterValidator(_web)]


class MailConfig(_Model):
    """``[targets.NAME.mail]``."""

    host: str = Field(description="the mail server")
    port: int = Field(default=587, ge=1, le=65535, description="587 for starttls, 465 for tls")
    security: Literal["tls", "starttls", "none"] = Field(default="starttls", description="none: on this machine only")
    username: str = Field(default="", description="where the server wants a login")
    password_env: str = Field(default="", description="the environment variable that holds the password")
    ca_file: Path | None = Field(default=None, description="certificates to trust instead of the machine's own")
    sender: Annotated[str, AfterValidator(_named_address)] = Field(description="who writes: Name <name@example.com>")
    stakeholders: tuple[Address, ...] = Field(default=(), description="read the announcements")
    team: tuple[Address, ...] = Field(default=(), description="read the announcements and the alarms")

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.security == "none" and self.host not in _HERE:
            raise PydanticCustomError("tls", "security = none is for this machine only. Write starttls or tls")
        if bool(self.username) != bool(self.password_env):
            raise PydanticCustomError("half", "username and password_env belong together. Write both, or neither")
        if not self.stakeholders and not self.team:
            raise PydanticCustomError("nobody", "names nobody to write to. Add stakeholders or team")
        return self


class StatusPageConfig(_Model):
    """``[targets.NAME.status_page]``."""

    kind: Literal["statuspage", "betterstack"] = Field(default="statuspage", description="whose page it is")
    page: str = Field(pattern=r"^[A-Za-z0-9_-]+$", description="the page's id")
    key_env: str = Field(min_length=1, description="the environment variable that holds the API key")
    components: dict[str, Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]] = Field(
        default={}, description="service -> its component (or resource) on the page"
    )
    url: Web = Field(default="", description="of another API than the vendor's own")


class PagerDutyConfig(_Model):
    """``[targets.NAME.pagerduty]``."""

    routing_key_env: str = Field(min_length=1, description="Events v2 key of the service that the bot itself pages")
    change_key_env: str = Field(default="", description="Events v2 key of the affected service, for change events")
    api_key_env: str = Field(default="", description="REST key: on-call and maintenance windows")
    email: str = Field(default="", description="the PagerDuty user in whose name windows are made")
    services: tuple[Annotated[str, Field(pattern=r"^[A-Z0-9]+$")], ...] = Field(
        default=(), description="the affected services, kept quiet during a run"
    )
    schedules: tuple[Annotated[str, Field(pattern=r"^[A-Z0-9]+$")], ...] = Field(
        default=(), description="who is on call"
    )
    escalation_policies: tuple[Annotated[str, Field(pattern=r"^[A-Z0-9]+$")], ...] = Field(
        default=(), description="likewise"
    )
    events_url: Web = Field(default="https://events.pagerduty.com/v2", description="of the Events API v2")
    api_url: Web = Field(default="https://api.pagerduty.com", description="of the REST API; the EU has another one")

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        asks = self.services or self.schedules or self.escalation_policies
        if asks and not self.api_key_env:
            raise PydanticCustomError("key", "services, schedules and escalation_policies need api_key_env. Add it")
        if self.services and not _ADDRESS.fullmatch(self.email):
            raise PydanticCustomError("from", "services need email: PagerDuty makes a window in a user's name. Add it")
        if self.services and self.change_key_env == self.routing_key_env:
            raise PydanticCustomError(
                "own", "the bot must page another service than those it keeps quiet. Write another routing_key_env"
            )
        return self

    @property
    def keys(self) -> tuple[str, ...]:
        """The variables that hold its keys."""
        return tuple(each for each in (self.routing_key_env, self.change_key_env, self.api_key_env) if each)
