"""What a service is started with: the configured deploy, held to where it leads now, or the one that ran before."""

from dataclasses import replace
from pathlib import Path

from bot.ports import StepError
from bot.target import Service
from integrations.local.records import Record


def pinned(service: Service) -> Service:
    """The service with its folder resolved, and the arguments inside that folder with it.

    A folder such as ``/srv/app/current`` is a link that the next deploy moves; what is started, and remembered, is
    the release it leads to now.
    """
    real = str(Path(service.folder).resolve())
    if real == service.folder:
        return service
    return replace(service, folder=real, command=tuple(_moved(each, service.folder, real) for each in service.command))


def _moved(argument: str, folder: str, real: str) -> str:
    inside = f"{folder.rstrip('/')}/"
    return f"{real}/{argument.removeprefix(inside)}" if argument.startswith(inside) else argument


def as_before(service: Service, record: Record) -> Service:
    """The service as it was started then: command, folder and release, with the environment that is configured now.

    Raises ``StepError`` where the folder is gone or holds another release by now: starting it would not be going back.
    """
    environment = dict(service.environment)
    if "RELEASE" in environment:
        environment["RELEASE"] = record.release
    then = replace(service, command=record.command, folder=record.folder, environment=tuple(environment.items()))
    if not Path(record.folder).is_dir() or configured_release(then) != record.release:
        raise StepError(
            f"{service.name} cannot go back to {_named(record.release)}: {_holding(then)} by now.",
            f"Put the former release back into {record.folder}, then retry.",
        )
    return then


def _holding(then: Service) -> str:
    if not Path(then.folder).is_dir():
        return f"{then.folder} is gone"
    return f"{then.folder} holds {_named(configured_release(then))}"


def _named(release: str) -> str:
    return f"release {release}" if release else "a release without a name"


def configured_release(service: Service) -> str:
    """``--release R`` of the command, else ``RELEASE`` of its environment, else the file ``release`` of its folder."""
    for option, value in zip(service.command, (*service.command[1:], ""), strict=True):
        if option == "--release":
            return value
        if option.startswith("--release="):
            return option.removeprefix("--release=")
    if (named := dict(service.environment).get("RELEASE")) is not None:
        return named
    file = Path(service.folder) / "release"
    return file.read_text(encoding="utf-8").strip() if file.is_file() else ""
