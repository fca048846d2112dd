"""The campaign's figures as a table: ``python -m tests.e2e.figures REPORT.xml`` reads pytest's ``--junitxml``."""

import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from xml.etree import ElementTree  # our own report

from tests.e2e.campaign import Played
from tests.e2e.outcome import Outcome, difference


@dataclass(frozen=True, kw_only=True)
class Figures:
    """One trial in numbers.  ``lost`` and ``doubled`` count messages, steps, approvals, files and processes."""

    variant: str
    group: str
    points: int
    kills: int
    lost: int
    doubled: int
    different: int
    seconds: float

    @classmethod
    def of(cls, played: Played, undisturbed: Outcome) -> "Figures":
        more, less = _counts(played.outcome, undisturbed)
        return cls(
            variant=played.trial.variant,
            group=played.trial.where,
            points=len(played.trial.points),
            kills=len(played.kills),
            lost=less,
            doubled=more,
            different=len(difference(undisturbed, played.outcome)),
            seconds=played.seconds,
        )

    def as_json(self) -> str:
        return json.dumps(asdict(self))


def _counts(outcome: Outcome, undisturbed: Outcome) -> tuple[int, int]:
    """How many things there are more, and less, than in the run that nobody killed."""
    here, there = _things(outcome), _things(undisturbed)
    names = here.keys() | there.keys()
    apart = [here.get(name, 0) - there.get(name, 0) for name in names]
    return (
        sum(each for each in apart if each > 0) + len(outcome.doubled),
        -sum(each for each in apart if each < 0) + len(outcome.lost),
    )


def _things(outcome: Outcome) -> dict[str, int]:
    found: dict[str, int] = defaultdict(int)
    for name in ("events", "finished", "applied", "backups"):
        for each in getattr(outcome, name):
            found[f"{name} {each}"] += 1
    for name in ("approvals", "services", "said", "rows"):
        for each, count in getattr(outcome, name).items():
            found[f"{name} {each}"] += count
    return found | {name: getattr(outcome, name) for name in ("children", "sessions", "cards", "pinned", "scheduled")}


def table(found: Sequence[Figures]) -> str:
    """A line for each way of killing and recovering, and the sum."""
    groups: dict[tuple[str, str], list[Figures]] = defaultdict(list)
    for each in found:
        groups[each.variant, each.group].append(each)
    lines = [_line(f"{variant}: {group}", some) for (variant, group), some in sorted(groups.items())]
    names = f"{'runs':>5} {'points':>6} {'kills':>5} {'lost':>5} {'doubled':>7} {'s':>7}"
    head = f"{'recovery: where it was killed':45} {names}"
    return "\n".join([head, *lines, _line("all", found)])


def _line(name: str, some: Iterable[Figures]) -> str:
    some = list(some)
    points, kills, lost, doubled = (
        sum(getattr(each, name) for each in some) for name in ("points", "kills", "lost", "doubled")
    )
    seconds = sum(each.seconds for each in some)
    return f"{name:45} {len(some):5} {points:6} {kills:5} {lost:5} {doubled:7} {seconds:7.0f}"


def main(report: str) -> None:
    """Print the table of a report."""
    properties = ElementTree.parse(Path(report)).iter("property")  # noqa: S314
    print(table([Figures(**json.loads(each.get("value", ""))) for each in properties if each.get("name") == "figures"]))


if __name__ == "__main__":
    main(sys.argv[1])
