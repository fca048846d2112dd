"""``[targets.NAME.prisma]``: a target whose migrations are Prisma's."""

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError


class PrismaConfig(BaseModel):
    """``[targets.NAME.prisma]``: the migrations are Prisma's, applied by ``prisma migrate deploy``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_: Path = Field(alias="schema", description="schema.prisma, or a folder of such files")
    folder: Path = Field(default=Path(), description="where the command is run")
    command: tuple[str, ...] = Field(default=("npx", "prisma"), min_length=1, description="your own Prisma")
    url_variables: tuple[str, ...] = Field(
        default=("DATABASE_URL",), min_length=1, description="every variable that the schema's datasource names"
    )
    database_schema: str = Field(default="public", description="PostgreSQL's schema that holds _prisma_migrations")
    generate: bool = Field(default=False, description="prisma generate after the migration")
    environment: dict[str, str] = Field(default={}, description="variables of the command that are no secret")
    environment_from: dict[str, str] = Field(
        default={}, description="variable of the command = variable of the bot's environment"
    )

    run_on: Literal["host", "render"] = Field(
        default="host", description="beside the bot, or as a one-off job of render.job_service"
    )
    job_schema: str = Field(default="", description="the schema's path on that service; empty: where Prisma looks")

    @model_validator(mode="after")
    def _generates_here(self) -> Self:
        """What a job generates is gone with the job."""
        if self.generate and self.run_on == "render":
            raise PydanticCustomError(
                "generate_on_job", 'generate does nothing with run_on = "render". Remove it; the build generates'
            )
        return self

    def migrations_in(self, base: Path) -> Path:
        """Where Prisma looks for them by itself: beside the schema's file, or in its folder."""
        schema = base / self.schema_
        return (schema if schema.is_dir() else schema.parent) / "migrations"
