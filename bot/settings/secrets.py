"""Secrets: in a variable of the environment, or in the file that its ``…_FILE`` twin names (a mounted secret).

The twin is what Docker's and Kubernetes' mounted secrets are used with: ``DATABASE_URL_FILE=/run/secrets/store``.
"""

import os
from pathlib import Path

from bot.settings.errors import ConfigurationError

SUFFIX = "_FILE"


def secret(variable: str, entry: str) -> str:
    """What the variable, or its file, holds; raises ``ConfigurationError`` that names it and the wanting entry."""
    value = environment_or_file(variable, entry)
    if not value:
        raise ConfigurationError(
            f"{entry} names the environment variable {variable}, which is not set. Set it, or {variable}{SUFFIX}.",
            entry=entry,
        )
    return value


def environment_or_file(variable: str, entry: str = "") -> str:
    """The same, but empty where neither is set."""
    direct, named = os.environ.get(variable, ""), os.environ.get(variable + SUFFIX, "")
    if direct and named:
        raise ConfigurationError(
            f"{variable} and {variable}{SUFFIX} are both set, so neither is used. Unset one of them.", entry=entry
        )
    return _content(variable + SUFFIX, Path(named), entry) if named else direct


def _content(variable: str, file: Path, entry: str) -> str:
    """The file's text without the white space around it; an error never quotes it."""
    try:
        found = file.read_text("utf-8").strip()
    except FileNotFoundError:
        raise _bad(variable, file, "is not there", "Mount the secret, or mend the path", entry) from None
    except UnicodeDecodeError:
        raise _bad(variable, file, "is no UTF-8 text", "Write the secret into it, and nothing else", entry) from None
    except OSError as error:
        why = f"cannot be read ({error.strerror})"
        raise _bad(variable, file, why, "Name a file that the bot's user may read", entry) from None
    if not found:
        raise _bad(variable, file, "is empty", "Write the secret into it, and nothing else", entry)
    return found


def _bad(variable: str, file: Path, problem: str, remedy: str, entry: str) -> ConfigurationError:
    return ConfigurationError(f"{variable} names {file}, which {problem}. {remedy}.", entry=entry)
