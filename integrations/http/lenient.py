"""JSON of other systems, read leniently: real answers hold nulls where their documents promise none, and grow."""

from collections.abc import Mapping


def at(data: object, *path: str) -> object:
    """What lies at ``path`` in JSON; ``None`` where anything on the way is missing, null or no object."""
    for name in path:
        if not isinstance(data, Mapping):
            return None
        data = data.get(name)
    return data


def along(data: object, path: str) -> object:
    """What lies at a dotted ``path`` as people write it (``checks.0.state``; a number counts in a list)."""
    for name in path.split("."):
        if isinstance(data, list):
            data = data[int(name)] if name.isdecimal() and int(name) < len(data) else None
        else:
            data = at(data, name)
    return data


def same(found: object, wanted: object) -> bool:
    """Are they the same in JSON, where ``true`` is not 1?"""
    return found == wanted and isinstance(found, bool) == isinstance(wanted, bool)


def text(data: object, *path: str) -> str:
    """The text at ``path``; empty for anything else."""
    found = at(data, *path)
    return found if isinstance(found, str) else ""


def integer(data: object, *path: str) -> int | None:
    """The whole number at ``path``."""
    found = at(data, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def objects(data: object, *path: str) -> tuple[Mapping[str, object], ...]:
    """The objects of the list at ``path``; nulls and anything else in it are left out."""
    found = at(data, *path)
    return tuple(each for each in found if isinstance(each, Mapping)) if isinstance(found, list) else ()


def texts(data: object, *path: str) -> tuple[str, ...]:
    """The texts of the list at ``path``."""
    found = at(data, *path)
    return tuple(each for each in found if isinstance(each, str)) if isinstance(found, list) else ()
