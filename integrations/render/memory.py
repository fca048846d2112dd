"""What a run found on Render, and what we have changed since: on disk before each change, so that no death loses it."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from integrations.http.lenient import at, objects, text
from integrations.render.model import Deploy, ServiceState


class What(StrEnum):
    """What we change of a service, and change back."""

    AUTO_DEPLOY = "automatic deploys off"
    MAINTENANCE = "maintenance mode on"
    SUSPENDED = "suspended"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change of one service, written down before it is made."""

    service: str
    what: What


@dataclass(frozen=True, kw_only=True)
class Before:
    """How a service was: ``deploy`` is the id of the one that was live, ``release`` the code it brought."""

    suspended: bool = False
    auto_deploy: bool = False
    maintenance: bool = False
    maintenance_uri: str = ""
    deploy: str = ""
    release: str = ""

    @classmethod
    def of(cls, state: ServiceState, live: Deploy | None) -> "Before":
        return cls(
            suspended=state.suspended,
            auto_deploy=state.auto_deploy,
            maintenance=state.maintenance is True,
            maintenance_uri=state.maintenance_uri,
            deploy=live.id if live else "",
            release=live.release if live else "",
        )


@dataclass(frozen=True, kw_only=True)
class Memory:
    """What run ``run`` found (empty: a stop outside of any run), and our changes, oldest first.

    ``stopped``: the run has stopped its services once, so what is deployed from then on is not what it found.
    """

    run: str = ""
    stopped: bool = False
    before: Mapping[str, Before] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()

    @property
    def idle(self) -> frozenset[str]:
        """The services that were suspended already, so they are not ours to resume."""
        return frozenset(name for name, then in self.before.items() if then.suspended)

    def changed(self, service: str, what: What) -> bool:
        return Change(service=service, what=what) in self.changes

    def with_change(self, service: str, what: What) -> "Memory":
        done = Change(service=service, what=what)
        return self if done in self.changes else replace(self, changes=(*self.changes, done))

    def without(self, change: Change) -> "Memory":
        return replace(self, changes=tuple(each for each in self.changes if each != change))

    def awake(self, services: frozenset[str]) -> "Memory":
        """What has come up since it was found counts as running, too."""
        awake = {name: replace(then, suspended=False) for name, then in self.before.items() if name in services}
        return replace(self, before={**self.before, **awake})

    def on_deploys(self, now: Mapping[str, Before]) -> "Memory":
        """The deploys that are live ``now``, at the first stop, are the ones to come back to."""
        if self.stopped:
            return self
        on = {
            name: replace(then, deploy=now[name].deploy, release=now[name].release)
            for name, then in self.before.items()
            if name in now
        }
        return replace(self, before={**self.before, **on}, stopped=True)


def found_by(run: str, now: Mapping[str, Before], earlier: Memory | None) -> Memory:
    """What ``run`` finds: what is so ``now``, but for what we ourselves have changed and not changed back."""
    if earlier is None:
        return Memory(run=run, before=now)
    changes = tuple(each for each in earlier.changes if each.service in now and _still(each, now[each.service]))
    before = {name: _as_it_was(name, found, earlier, changes) for name, found in now.items()}
    return Memory(run=run, before=before, changes=changes)


def _still(change: Change, now: Before) -> bool:
    """Is it still as we changed it?  Where somebody has changed it back, it is not ours any more."""
    match change.what:
        case What.AUTO_DEPLOY:
            return not now.auto_deploy
        case What.MAINTENANCE:
            return now.maintenance
        case What.SUSPENDED:
            return now.suspended


def _as_it_was(name: str, now: Before, earlier: Memory, changes: tuple[Change, ...]) -> Before:
    then = earlier.before.get(name, now)
    ours = {each.what for each in changes if each.service == name}
    if What.AUTO_DEPLOY in ours:
        now = replace(now, auto_deploy=then.auto_deploy)
    if What.MAINTENANCE in ours:
        now = replace(now, maintenance=then.maintenance, maintenance_uri=then.maintenance_uri)
    if What.SUSPENDED in ours:
        now = replace(now, suspended=then.suspended, deploy=then.deploy, release=then.release)
    return now


def load(path: Path) -> Memory | None:
    """The memory; ``None`` when nothing was found or changed yet.  Raises ``ValueError`` for a file that is broken."""
    try:
        data: object = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    before = at(data, "before")
    if not isinstance(before, Mapping):
        raise ValueError(f"{path} does not hold what was found on Render")
    return Memory(
        run=text(data, "run"),
        stopped=at(data, "stopped") is True,
        before={str(name): _before(each) for name, each in before.items()},
        changes=tuple(
            Change(service=text(each, "service"), what=What(text(each, "what"))) for each in objects(data, "changes")
        ),
    )


def _before(data: object) -> Before:
    return Before(
        suspended=at(data, "suspended") is True,
        auto_deploy=at(data, "auto_deploy") is True,
        maintenance=at(data, "maintenance") is True,
        maintenance_uri=text(data, "maintenance_uri"),
        deploy=text(data, "deploy"),
        release=text(data, "release"),
    )


def save(path: Path, memory: Memory) -> None:
    """On disk before it returns: the change comes after it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = path.with_suffix(".partial")
    with aside.open("w", encoding="utf-8") as file:
        json.dump(asdict(memory), file)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
