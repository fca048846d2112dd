"""Reading the targets file; every mistake is named with its file, its line and what to write instead."""

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bot.settings.errors import ConfigurationError
from bot.settings.models import TargetsFile
from bot.settings.near import meant
from bot.settings.places import Places

_MISSING = "is not there. Write it"


def read_targets(path: Path) -> TargetsFile:
    """The targets file, checked; raises ``ConfigurationError`` that names the file, the line and the entry."""
    text = _text(path)
    try:
        entries = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path} is not valid TOML: {error}. Mend that line.") from None
    places = Places(text)
    try:
        return TargetsFile.model_validate(entries).found_at(path, places)
    except ValidationError as error:
        raise ConfigurationError("\n".join(_mistake(path, places, each) for each in error.errors())) from None


@contextmanager
def placed(file: TargetsFile) -> Iterator[None]:
    """Adds the file and the line to errors that only know their entry."""
    try:
        yield
    except ConfigurationError as error:
        if not error.entry or not file.where(error.entry):
            raise
        raise ConfigurationError(f"{file.where(error.entry)}: {error}") from None


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise ConfigurationError(
            f"There is no targets file at {path}. Set TARGETS_FILE, or copy docs/targets.example.toml."
        ) from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path} is no UTF-8 text. Save it as UTF-8.") from None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read ({error.strerror}). Mend its permissions.") from None


def _mistake(path: Path, places: Places, error: Any) -> str:
    """One mistake.  What was written is not shown: somebody may have written a secret where its name belongs."""
    loc = error["loc"]
    line = places.line(loc)
    where = f"{path}, line {line}" if line else f"{path}"
    return f"{where}: {'.'.join(str(part) for part in loc)}: {_words(error)}"


def _words(error: Any) -> str:
    if error["type"] == "extra_forbidden":
        return meant(TargetsFile.model_json_schema(), error["loc"])
    return f"{error['loc'][-1]} {_MISSING}." if error["type"] == "missing" else f"{error['msg'].rstrip('.')}."
