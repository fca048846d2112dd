"""The part of the composition root that says what the doctor looks at: everything that is configured."""

import os
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path

from bot.doctor.examine import examine, misconfigured
from bot.doctor.findings import Findings, Look, Part, Report, ok, warn
from bot.doctor.sources import look_at_source
from bot.runbook.wording import counted
from bot.settings import (
    ConfigurationError,
    Settings,
    SlackSettings,
    TargetConfig,
    TargetsFile,
    placed,
    read_settings,
    read_targets,
    require_apart,
    secret,
    target_of,
)
from bot.store_checkup import look_at_store
from bot.target import Target
from bot.wiring_slack import slack_client
from integrations.betterstack.checkup import look_at_betterstack
from integrations.freeze.checkup import look_at_freezes
from integrations.health.checkup import look_at_health
from integrations.local.checkup import look_at_commands
from integrations.mail.checkup import look_at_mail
from integrations.newrelic.configured import new_relic
from integrations.pagerduty.checkup import look_at_pagerduty
from integrations.postgres.checkup import look_at_backup, look_at_database, look_at_files, look_at_staging
from integrations.postgres.prisma.checkup import look_at_prisma
from integrations.prometheus.configured import prometheus
from integrations.render.checkup import look_at_render
from integrations.render.configured import site_of
from integrations.slack.checkup import keys_of, look_at_app
from integrations.slack.checkup_target import TargetCheckup
from integrations.slack.directory import SlackDirectory
from integrations.statuspage.checkup import look_at_statuspage

_PATIENCE = 10.0  # seconds for who somebody is: nobody waits in front of a modal
_STATUS_PAGES: Mapping[str, Callable[..., Awaitable[Findings]]] = {
    "statuspage": look_at_statuspage,
    "betterstack": look_at_betterstack,
}


async def doctor(settings: Settings | None = None) -> Report:
    """Look at everything, by the settings as they are now; what is wrong with them is reported, too."""
    mistakes: list[ConfigurationError] = []
    if settings is None:
        try:
            settings = read_settings()
        except ConfigurationError as error:
            mistakes.append(error)
    path = settings.targets_file if settings else Path(os.environ.get("TARGETS_FILE") or "targets.toml")
    file, targets = _targets(path, mistakes)
    parts = [Part(system="configuration", look=_told(mistakes, path, targets))]
    if settings is not None:
        store = settings.database_url.get_secret_value()
        dsns = {name: each.dsn for name, each in targets.items()}
        parts.append(Part(system="store", look=lambda: look_at_store(store, dsns)))
        parts.append(Part(system="Slack", look=_slack(settings.slack)))
    for name, target in targets.items():
        if file is not None:
            parts += _of_target(file, name, target, path.absolute().parent, settings.slack if settings else None)
    return await examine(parts)


def _targets(path: Path, mistakes: list[ConfigurationError]) -> tuple[TargetsFile | None, dict[str, Target]]:
    """Every target that can be read: a mistake in one does not hide another."""
    try:
        file = read_targets(path)
    except ConfigurationError as error:
        mistakes.append(error)
        return None, {}
    found: dict[str, Target] = {}
    for name, config in file.targets.items():
        try:
            with placed(file):
                found[name] = target_of(name, config, path.absolute().parent)
        except ConfigurationError as error:
            mistakes.append(error)
    try:
        with placed(file):
            require_apart(found)
    except ConfigurationError as error:
        mistakes.append(error)
    return file, found


def _told(mistakes: list[ConfigurationError], path: Path, targets: Mapping[str, Target]) -> Look:
    async def look() -> Findings:
        found = [finding for each in mistakes for finding in misconfigured(each)]
        return found or [ok("is read", f"{counted(len(targets), 'target')} in {path}: {', '.join(targets)}")]

    return look


def _slack(slack: SlackSettings | None) -> Look:
    async def look() -> Findings:
        if slack is None:
            why = "Slack is not configured: people are told on the console alone."
            return [warn("bot token", why, "Set SLACK__BOT_TOKEN and SLACK__APP_TOKEN.")]
        app, signing = (each.get_secret_value() if each else "" for each in (slack.app_token, slack.signing_secret))
        return await look_at_app(slack_client(slack), app, keys_of(slack.bot_token.get_secret_value(), app, signing))

    return look


def _of_target(file: TargetsFile, name: str, target: Target, base: Path, slack: SlackSettings | None) -> Iterator[Part]:
    """What is not configured is not looked at."""
    config = file.targets[name]
    looks: dict[str, Look | None] = {
        "channel and people": _people(slack, target) if slack else None,
        "PostgreSQL": lambda: look_at_database(target),
        "backup": lambda: look_at_backup(target),
        "files": lambda: look_at_files(target),
        "Prisma": (lambda: look_at_prisma(target)) if target.prisma else None,
        "staging": (lambda: look_at_staging(target)) if target.staging_dsn else None,
        "freezes": (lambda: look_at_freezes(target)) if target.freezes or target.freeze_ics else None,
        "health": (lambda: look_at_health(target)) if target.services or target.workflows else None,
        "services": (lambda: look_at_commands(target)) if target.services and not config.render else None,
        **_outside(file, name, target, config, base),
    }
    return (Part(system=system, look=look, target=name, seconds=20.0) for system, look in looks.items() if look)


def _people(slack: SlackSettings, target: Target) -> Look:
    client = slack_client(slack)
    return TargetCheckup(client, SlackDirectory(client, patience=_PATIENCE), target).look


def _outside(file: TargetsFile, name: str, target: Target, config: TargetConfig, base: Path) -> dict[str, Look | None]:
    """Each reads its own secrets, so that one that is missing does not hide the others."""
    render, mail, page, pager, entry = (
        config.render, config.mail, config.status_page, config.pagerduty, f"targets.{name}"
    )  # fmt: skip

    async def look_render() -> Findings:
        with placed(file):
            site = site_of(name, render) if render else None
        return await look_at_render(site, target) if site else []

    async def look_mail() -> Findings:
        with placed(file):
            password = secret(mail.password_env, f"{entry}.mail.password_env") if mail and mail.password_env else ""
        return await look_at_mail(mail, name, password=password, base=base) if mail else []

    async def look_page() -> Findings:
        with placed(file):
            key = secret(page.key_env, f"{entry}.status_page.key_env") if page else ""
        return await _STATUS_PAGES[page.kind](page, name, key=key) if page else []

    async def look_pager() -> Findings:
        with placed(file):
            keys = {each: secret(each, f"{entry}.pagerduty") for each in pager.keys} if pager else {}
        return await look_at_pagerduty(pager, name, keys=keys) if pager else []

    return {
        "Render": look_render if render else None,
        "mail": look_mail if mail else None,
        "status page": look_page if page else None,
        "PagerDuty": look_pager if pager else None,
        **_measured(file, name, target, config),
    }


def _measured(file: TargetsFile, name: str, target: Target, config: TargetConfig) -> dict[str, Look | None]:
    """The sources of metrics that have a table of their own."""
    new, prom = config.newrelic, config.prometheus

    async def look_new_relic() -> Findings:
        with placed(file):
            source = new_relic(name, new) if new else None
        return await look_at_source(source, target) if source else []

    async def look_prometheus() -> Findings:
        with placed(file):
            source = prometheus(name, prom) if prom else None
        return await look_at_source(source, target) if source else []

    return {"New Relic": look_new_relic if new else None, "Prometheus": look_prometheus if prom else None}
