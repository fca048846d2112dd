"""``[targets.NAME.prisma]``: a target whose migrations are Prisma's."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


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

    def migrations_in(self, base: Path) -> Path:
        """Where Prisma looks for them by itself: beside the schema's file, or in its folder."""
        schema = base / self.schema_
        return (schema if schema.is_dir() else schema.parent) / "migrations"
