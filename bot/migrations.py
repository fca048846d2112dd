"""Which migrations a target's folder holds: ``.sql`` files, or Prisma's folders.  It only lists names."""

from pathlib import Path

from bot.target import Target

UP, DOWN = "migration.sql", "down.sql"  # in a Prisma migration's folder


def listed(target: Target) -> tuple[str, ...]:
    """Names of what can be applied, in the order it is applied in; DOWN scripts are not among them.

    A Prisma folder without its ``migration.sql`` is listed, too: Prisma counts it as pending, and refuses it (P3015).
    """
    if target.prisma:
        return tuple(sorted(path.name for path in target.migrations.glob("*") if path.is_dir()))
    found = (path.name for path in target.migrations.glob("*.sql") if path.is_file())
    return tuple(sorted(name for name in found if not name.endswith(".down.sql")))


def downs(target: Target, names: tuple[str, ...]) -> tuple[str, ...]:
    """The DOWN script of each, last first; a way back that undoes only some of them is none."""
    scripts = tuple(down_of(target, name) for name in reversed(names))
    return scripts if all((target.migrations / each).is_file() for each in scripts) else ()


def down_of(target: Target, name: str) -> str:
    """``NAME.down.sql`` beside the file; ``NAME/down.sql`` beside Prisma's ``migration.sql``."""
    return f"{name}/{DOWN}" if target.prisma else f"{name.removesuffix('.sql')}.down.sql"


def path_of(target: Target, name: str) -> Path:
    """The file behind a listed name, or behind its DOWN script's."""
    folder = bool(target.prisma) and not name.endswith(f"/{DOWN}")
    return target.migrations / name / UP if folder else target.migrations / name
