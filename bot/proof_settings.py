"""``[targets.NAME.staging]`` and ``[targets.NAME.freeze]`` of the targets file: what the bot's proofs look at."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from bot.runbook.wording import zone_of
from bot.target import Freeze


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class StagingConfig(_Model):
    """``[targets.NAME.staging]``."""

    dsn_env: str = Field(min_length=1, description="the environment variable that holds its connection string")


class PeriodConfig(_Model):
    """One freeze: TOML dates (whole days, the last one included) or date-times (without an offset: in ``zone``)."""

    start: datetime | date = Field(alias="from", description="its first day, or moment")
    end: datetime | date = Field(alias="to", description="its last day (included), or moment")
    why: str = Field(min_length=1, max_length=200, description="as people are told it")

    def freeze(self, zone: str) -> Freeze:
        """The same as moments."""
        return Freeze(start=_moment(self.start, zone), end=_moment(self.end, zone, last=True), why=self.why)


class FreezeConfig(_Model):
    """``[targets.NAME.freeze]``: times in which nothing is to be changed."""

    ics: str = Field(default="", description="a calendar file, or an https address without a secret in it")
    ics_env: str = Field(default="", description="the environment variable that holds an address with a secret")
    periods: tuple[PeriodConfig, ...] = Field(default=(), description="freezes, each with from, to and why")
    zone: str = Field(default="UTC", description="of times that name none")
    warn_days: float = Field(default=3.0, ge=0, allow_inf_nan=False, description="before a freeze")

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.ics and self.ics_env:
            raise PydanticCustomError("two", "has both ics and ics_env. Write one of them")
        if "://" in self.ics and not self.ics.startswith(("https://", "http://127.0.0.1")):
            raise PydanticCustomError("url", "ics must be a file or begin with https://")
        if zone_of(self.zone) is None:
            raise PydanticCustomError("zone", "zone is no time zone. Write it as Europe/Bucharest")
        for each in self.periods:
            found = each.freeze(self.zone)
            if found.end <= found.start:
                raise PydanticCustomError(
                    "order", "ends before it begins: {why}. Exchange from and to", {"why": each.why}
                )
        return self

    @property
    def freezes(self) -> tuple[Freeze, ...]:
        return tuple(each.freeze(self.zone) for each in self.periods)

    def calendar(self, base: Path) -> str:
        """The address, or the file's whole path; empty where there is neither."""
        return self.ics if not self.ics or "://" in self.ics else str(base / self.ics)


def _moment(value: datetime | date, zone: str, *, last: bool = False) -> float:
    there = zone_of(zone) or UTC
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=there)).timestamp()
    day = value + timedelta(days=1) if last else value
    return datetime(day.year, day.month, day.day, tzinfo=there).timestamp()
