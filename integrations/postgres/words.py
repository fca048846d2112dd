"""Numbers and names as people read them."""

from collections.abc import Sequence


def human_bytes(size: float) -> str:
    """``12.3 MB``: decimal units, as disks and dumps are sold."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def plural(count: int, one: str, many: str = "") -> str:
    """``1 file``, ``1,200 files``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def several(names: Sequence[str], most: int = 5) -> str:
    """``a, b and 3 more``."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
