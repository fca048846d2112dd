"""The migration folders of a target's Prisma project, as they are on disk now."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from bot.migrations import listed, path_of
from bot.ports import StepError
from bot.target import Prisma, Target

_DATASOURCE = re.compile(r"^\s*datasource\s+\w+\s*\{(.*?)^\s*\}", re.DOTALL | re.MULTILINE)
_URL = re.compile(r"^\s*(url|directUrl)\s*=\s*(?:env\(\s*\"(?P<name>[^\"]+)\"\s*\)|(?P<other>.+))$", re.MULTILINE)


def project_of(target: Target) -> Prisma:
    """The target's Prisma settings; only asked where there are some."""
    if target.prisma is None:
        raise StepError(f"{target.name} has no Prisma project.", "Add [targets.NAME.prisma] to the targets file.")
    return target.prisma


def checksums(target: Target) -> Mapping[str, frozenset[str]]:
    """Folder -> the SHA-256 its file may be listed under (with either kind of line end); empty without a file."""
    return {name: _sums(path_of(target, name)) for name in listed(target)}


def _sums(path: Path) -> frozenset[str]:
    try:
        data = path.read_bytes()
    except OSError:
        return frozenset()
    unix = data.replace(b"\r\n", b"\n")
    return frozenset(hashlib.sha256(each).hexdigest() for each in (data, unix, unix.replace(b"\n", b"\r\n")))


def require_own_url(project: Prisma) -> None:
    """The schema must take its connection from the variables we set; another one would lead to another database."""
    for kind, name, other in _urls(project.schema):
        if other:
            raise StepError(
                f"The Prisma schema names its {kind} itself instead of by a variable.",
                'Write url = env("DATABASE_URL"): the bot hands the target\'s connection over in the environment.',
            )
        if name not in project.url_variables:
            raise StepError(
                f"The Prisma schema takes its {kind} from {name}, which the bot does not set: it might lead elsewhere.",
                f'Add it to the target: [targets.NAME.prisma] url_variables = ["{name}", …].',
            )


def _urls(schema: Path) -> list[tuple[str, str, str]]:
    """What each datasource says of its connection: kind, variable, anything else."""
    files = sorted(schema.rglob("*.prisma")) if schema.is_dir() else [schema]
    try:
        texts = [each.read_text() for each in files]
    except (OSError, UnicodeDecodeError) as error:
        raise StepError(f"The Prisma schema {schema} cannot be read: {error}", "Mend prisma.schema.") from error
    if not texts:
        raise StepError(f"There is no .prisma file in {schema}.", "Mend prisma.schema.")
    found = [block for text in texts for block in _DATASOURCE.findall(_uncommented(text))]
    return [(each[1], each["name"] or "", each["other"] or "") for block in found for each in _URL.finditer(block)]


def _uncommented(text: str) -> str:
    return re.sub(r"(?m)^\s*//.*$", "", text)
