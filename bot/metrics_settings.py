"""What is measured of a target: ``[targets.NAME.newrelic]``, ``.prometheus``, ``.thresholds`` and ``.workflows``.

Keys and passwords are named, never written: ``…_env`` is the environment variable that holds one.
"""

import re
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from bot.runbook.readings import Figure
from bot.runbook.thresholds import RUNBOOK, Thresholds
from bot.target import HealthAnswer, Workflow

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
Window = Annotated[float, Field(ge=60, le=900)]
Share = Annotated[float, Field(gt=0, lt=1)]
Millis = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Scalar = str | bool | int | float


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _not_blank(given: str) -> str:
    if not given.strip() or not given.isprintable():
        raise PydanticCustomError("blank", "is empty or has control characters. Write the name as New Relic shows it")
    return given


def _safe(given: str) -> bool:
    """Is a secret that goes there out of others' sight?"""
    parts = urlsplit(given)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


class NewRelicConfig(_Model):
    """``[targets.NAME.newrelic]``: the services as ``apps`` (APM names) or ``entities`` (GUIDs)."""

    account: int = Field(gt=0, description="the account's id")
    region: Literal["us", "eu"] = Field(default="us", description="where the account's data is")
    api_key_env: str = Field(
        default="NEW_RELIC_API_KEY", min_length=1, description="the variable that holds a user key (NRAK-…)"
    )
    apps: tuple[Annotated[str, AfterValidator(_not_blank)], ...] = Field(
        default=(), description="the services by their names in APM"
    )
    entities: tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9+/=]+$")], ...] = Field(
        default=(), description="the services by their GUIDs"
    )
    where: str = Field(default="", description="one more condition in NRQL, e.g. transactionType = 'Web'")
    window_seconds: Window = Field(default=120.0, description="that each figure is over; older data is no data")
    url: str = Field(default="", description="of NerdGraph's host, instead of the region's")

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if not self.apps and not self.entities:
            raise PydanticCustomError("nobody", 'names no service. Write apps = ["…"] or entities = ["…"]')
        if self.url and not _safe(self.url):
            raise PydanticCustomError("url", "url must begin with https://: the key goes with every request")
        return self


class PrometheusConfig(_Model):
    """``[targets.NAME.prometheus]``: ``queries`` are PromQL by figure, beside or instead of the defaults."""

    url: str = Field(pattern=r"^https?://[^\s/]+\S*$", description="the address, without /api")
    selector: str = Field(default="", description='label matchers of the services, e.g. job="casework"')
    queries: dict[Figure, str] = Field(default={}, description="figure = PromQL; an empty one is not asked")
    age: str = Field(default="", description="PromQL: seconds since the newest measurement")
    window_seconds: Window = Field(default=120.0, description="that each figure is over; older data is no data")
    token_env: str = Field(default="", description="the variable that holds a bearer token")
    username: str = Field(default="", description="for basic authentication")
    password_env: str = Field(default="", description="the variable that holds the password")

    @field_validator("url")
    @classmethod
    def _no_secret_in_it(cls, value: str) -> str:
        if "@" in urlsplit(value).netloc:
            raise PydanticCustomError("secret", "url holds a user or password. Write username and password_env instead")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if bool(self.username) != bool(self.password_env):
            raise PydanticCustomError("half", "username and password_env belong together. Write both, or neither")
        if self.token_env and self.username:
            raise PydanticCustomError("two", "has both token_env and username. Write one of them")
        if (self.token_env or self.username) and not _safe(self.url):
            raise PydanticCustomError("url", "url must begin with https://: the password goes with every request")
        if not self.selector and not (self.queries and self.age):
            raise PydanticCustomError(
                "whose",
                "does not say whose metrics. Write selector = 'job=\"casework\"', or queries and age of your own",
            )
        return self


class ThresholdsConfig(_Model):
    """``[targets.NAME.thresholds]``: numbers instead of the runbook's; rates are fractions of 1 (0.1 is 10 %)."""

    error_rate: Share = Field(default=RUNBOOK.error_rate, description="over it for 5 minutes: roll back")
    failed_rate: Share = Field(default=RUNBOOK.failed_rate, description="failed requests, likewise")
    connection_failures: Share = Field(default=RUNBOOK.connection_failures, description="to the database, likewise")
    error_rate_alert: Share = Field(default=RUNBOOK.error_rate_alert, description="over it for 5 minutes: alert")
    p95_ms: Millis = Field(default=RUNBOOK.p95_ms, description="response time; over it: alert")
    pool: Share = Field(default=RUNBOOK.pool, description="used share of the connections; over it: alert")
    latency_ms: Millis = Field(default=RUNBOOK.latency_ms, description="of the database, p95; over it: alert")

    @model_validator(mode="after")
    def _alert_comes_first(self) -> Self:
        if self.error_rate_alert > self.error_rate:
            raise PydanticCustomError(
                "order",
                "error_rate_alert is over error_rate: people would be asked to look after the rollback. Lower it",
            )
        return self

    @property
    def thresholds(self) -> Thresholds:
        return Thresholds(**self.model_dump())


class WorkflowConfig(_Model):
    """One critical workflow (runbook step 7) as a request and what must come of it.

    An address alone must answer 2xx to a GET.  ``expect_json`` maps a path (``items.0.state``) to its value.  Without
    ``expect_status`` any 2xx is success.  It is asked with every measurement: one that writes must clean up behind it.
    """

    url: str = Field(min_length=1, description="what is asked")
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] = Field(default="GET", description="of HTTP")
    body: str | dict[str, object] | list[object] | None = Field(default=None, description="a table is sent as JSON")
    headers: dict[str, str] = Field(default={}, description="header = value")
    headers_env: dict[str, str] = Field(default={}, description="header = the environment variable that holds it")
    expect_status: Annotated[int, Field(ge=100, le=599)] | None = Field(
        default=None, description="of the answer (default: any 2xx)"
    )
    expect_json: dict[str, Scalar] = Field(default={}, description="path in the answer = its value")
    timeout: Annotated[float, Field(gt=0, le=20)] | None = Field(default=None, description="seconds (default: 3)")

    @field_validator("headers", "headers_env")
    @classmethod
    def _are_headers(cls, value: dict[str, str]) -> dict[str, str]:
        for name, held in value.items():
            if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name) or not held.isprintable():
                raise PydanticCustomError(
                    "header", "has {name}, which is no header. Write a name and a value", {"name": name}
                )
        return value

    def workflow(self, name: str, secrets: dict[str, str]) -> Workflow:
        """The same as the probe takes it; ``secrets`` are the values of ``headers_env``."""
        return Workflow(
            name=name,
            url=self.url,
            method=self.method,
            body=self.body if isinstance(self.body, str) else "",
            json=self.body if not isinstance(self.body, str) else None,
            headers=tuple({**self.headers, **secrets}.items()),
            expect_status=self.expect_status,
            expect_json=tuple(self.expect_json.items()),
            timeout=self.timeout,
        )


def _an_address_is_enough(value: object) -> object:
    return {"url": value} if isinstance(value, str) else value


Check = Annotated[WorkflowConfig, BeforeValidator(_an_address_is_enough, json_schema_input_type=str | WorkflowConfig)]


class HealthConfig(_Model):
    """``[targets.NAME.services.health]``: what a healthy answer has at which path, and where the figures are.

    Without a word it is the runbook's JSON (step 6): status "healthy", database "connected", latency.
    """

    expect: dict[str, Scalar] = Field(
        default={"status": "healthy", "database": "connected"}, min_length=1, description="path = its value"
    )
    database: str = Field(default="database", description="path that tells whether it reaches its database")
    latency: str = Field(default="latency", description="path of its database's latency in ms")

    @property
    def answer(self) -> HealthAnswer:
        return HealthAnswer(expect=tuple(self.expect.items()), database=self.database, latency=self.latency)
