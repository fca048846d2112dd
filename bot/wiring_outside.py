"""The part of the composition root that names the adapters of the outside systems: status page, pager, mail."""

from collections.abc import Callable, Mapping
from pathlib import Path

from bot.outside import Outside, StatusPage
from bot.settings import TargetConfig, TargetsFile, secret
from integrations.betterstack.build import betterstack
from integrations.mail.build import post_office
from integrations.pagerduty.build import POLICY, pagerduty, rest_of
from integrations.pagerduty.shifts import Address, Shifts
from integrations.statuspage.build import statuspage

_STATUS_PAGES: Mapping[str, Callable[..., StatusPage]] = {"statuspage": statuspage, "betterstack": betterstack}


def outside_of(file: TargetsFile, *, base: Path) -> dict[str, Outside]:
    """Whom each target tells outside of the channel; raises ``ConfigurationError`` where a secret is missing."""
    return {name: _outside(f"targets.{name}", config, base) for name, config in file.targets.items()}


def shifts_of(file: TargetsFile, address: Address) -> Shifts:
    """Who is on call, of the targets whose pager has schedules or escalation policies to ask."""
    pagers = {name: each.pagerduty for name, each in file.targets.items() if each.pagerduty}
    asked = {name: each for name, each in pagers.items() if each.schedules or each.escalation_policies}
    return Shifts(
        {
            name: rest_of(each, secret(each.api_key_env, f"targets.{name}.pagerduty.api_key_env"), POLICY)
            for name, each in asked.items()
        },
        address,
    )


def _outside(entry: str, config: TargetConfig, base: Path) -> Outside:
    mail, page, pager = config.mail, config.status_page, config.pagerduty
    page_key = secret(page.key_env, f"{entry}.status_page.key_env") if page else ""
    password = secret(mail.password_env, f"{entry}.mail.password_env") if mail and mail.password_env else ""
    pager_keys = {each: secret(each, f"{entry}.pagerduty") for each in pager.keys} if pager else {}
    return Outside(
        status_page=_STATUS_PAGES[page.kind](page, key=page_key) if page else None,
        pager=pagerduty(pager, keys=pager_keys) if pager else None,
        mail=post_office(mail, password=password, base=base) if mail else None,
    )
