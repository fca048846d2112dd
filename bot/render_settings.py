"""``[targets.NAME.render]``: a target whose services run on Render."""

from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator
from pydantic_core import PydanticCustomError

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
ServiceId = Annotated[str, StringConstraints(pattern=r"^(srv|crn)-[0-9a-z]+$")]
PostgresId = Annotated[str, StringConstraints(pattern=r"^(dpg-[0-9a-z]+(-a)?)?$")]


class RenderConfig(BaseModel):
    """Where the target's services and its database are on Render.

    The key is a secret: only the name of the environment variable that holds it stands here.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    services: dict[str, ServiceId] = Field(min_length=1, description="each service of the target -> srv-… or crn-…")
    api_key_env: str = Field(
        default="RENDER_API_KEY", min_length=1, description="the environment variable that holds the API key"
    )
    postgres: PostgresId = Field(default="", description="dpg-…, for exports and point-in-time recovery")
    job_service: ServiceId | None = Field(default=None, description="runs commands as one-off jobs; never suspended")
    export: bool = Field(default=False, description="the backup step also has Render export the database")
    metrics: bool = Field(default=True, description="its figures are measured beside the bot's own")
    url: str = Field(default="https://api.render.com/v1", description="of Render's API")
    look_seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(
        default=2.0, description="between two looks while something is awaited"
    )

    @field_validator("url")
    @classmethod
    def _encrypted(cls, value: str) -> str:
        """The key goes with every request."""
        parts = urlsplit(value)
        if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            return value
        raise PydanticCustomError("not_encrypted", "The key would go there unencrypted. Write an https:// address")

    @model_validator(mode="after")
    def _job_service_stays_up(self) -> Self:
        """A job on a suspended service may not run at all."""
        if self.job_service in self.services.values():
            raise PydanticCustomError(
                "job_service_stopped",
                "job_service is one of the services that are suspended. Name one that is not in services",
            )
        return self

    @model_validator(mode="after")
    def _export_of_what(self) -> Self:
        if self.export and not self.postgres:
            raise PydanticCustomError(
                "export_of_nothing", 'export needs the database. Write postgres = "dpg-…" beside it'
            )
        return self

    def require(self, names: tuple[str, ...]) -> None:
        """Exactly the target's services have an id; raises the error that says which does not."""
        missing = sorted(set(names) - self.services.keys())
        if missing:
            raise PydanticCustomError(
                "service_without_id",
                'render.services lacks {name}. Write {name} = "srv-…" (the id in its dashboard address)',
                {"name": missing[0]},
            )
        unknown = sorted(self.services.keys() - set(names))
        if unknown:
            raise PydanticCustomError(
                "id_without_service",
                "render.services names {name}, which is no service of the target. Add it, or remove the name",
                {"name": unknown[0]},
            )
