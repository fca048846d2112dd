"""The demo's outside systems together: what they need of the targets file, and what each of them shows now."""

import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from bot.demo.outside.mail_server import MailServer
from bot.demo.outside.pagerduty import FakePagerDuty
from bot.demo.outside.statuspage import FakeStatuspage
from bot.demo.workspace.seed import Person

_PAGE, _OWN, _AFFECTED = "demopage", "PBOT001", "PAPP001"
_TOML = """\
[targets.{target}.status_page]
page = "{page}"
key_env = "DEMO_STATUSPAGE_KEY"
url = "{statuspage}"
components = {{ {components} }}

[targets.{target}.pagerduty]
routing_key_env = "DEMO_PAGERDUTY_ROUTING_KEY"
change_key_env = "DEMO_PAGERDUTY_CHANGE_KEY"
api_key_env = "DEMO_PAGERDUTY_API_KEY"
email = "migrate@example.com"
services = ["{affected}"]
schedules = ["PSCHED1"]
events_url = "{pagerduty}/v2"
api_url = "{pagerduty}"

[targets.{target}.mail]
host = "127.0.0.1"
port = {smtp}
security = "none"
sender = "Migrations <migrate@example.com>"
stakeholders = ["everybody@example.com"]
team = ["devops@example.com"]
"""


class Town:
    """A status page, a pager and a mail server, with keys of this start."""

    def __init__(self, services: Iterable[str], *, on_call: Person) -> None:
        self._services = tuple(services)
        self.environment: Mapping[str, str] = {
            name: secrets.token_hex(16)
            for name in (
                "DEMO_STATUSPAGE_KEY", "DEMO_PAGERDUTY_ROUTING_KEY", "DEMO_PAGERDUTY_CHANGE_KEY",
                "DEMO_PAGERDUTY_API_KEY",
            )
        }  # fmt: skip
        page_key, own, affected, rest = self.environment.values()
        components = {_component(each): each for each in self._services}
        self.page = FakeStatuspage(key=page_key, page=_PAGE, components=components)
        self.pager = FakePagerDuty(
            key=rest,
            keys={own: _OWN, affected: _AFFECTED},
            on_call=({"user": _user(on_call), "escalation_level": 1, "start": None, "end": None},),
        )
        self.mail = MailServer()

    async def start(self) -> None:
        for each in (self.page, self.pager, self.mail):
            await each.start()

    async def stop(self) -> None:
        for each in (self.page, self.pager, self.mail):
            await each.stop()

    def toml(self, target: str) -> str:
        """The target's sections of the targets file."""
        components = ", ".join(f'"{each}" = "{_component(each)}"' for each in self._services)
        return _TOML.format(
            target=target,
            page=_PAGE,
            statuspage=self.page.url,
            components=components,
            affected=_AFFECTED,
            pagerduty=self.pager.url,
            smtp=self.mail.port,
        )

    def shown(self) -> list[dict[str, Any]]:
        """Each system by name, with what it shows, line by line."""
        return [
            {"name": "Status page", "lines": _page_lines(self.page)},
            {"name": "Pager", "lines": _pager_lines(self.pager)},
            {"name": "Mail", "lines": _mail_lines(self.mail)},
        ]


def _component(service: str) -> str:
    return f"cmp-{service}"


def _page_lines(page: FakeStatuspage) -> list[str]:
    states = [f"{each['name']}: {each['status'].replace('_', ' ')}" for each in page.components.values()]
    told = [
        f"{incident['name']}, {update['status'].replace('_', ' ')}: {update['body']}"
        for incident in page.incidents
        for update in incident["incident_updates"]
    ]
    return [*states, *told]


def _pager_lines(pager: FakePagerDuty) -> list[str]:
    alerts = [f"{each['status']}: {each['summary']}" for each in reversed(pager.alerts.values())]
    quiet = [f"Quiet until {each['end_time']}: {each['description']}" for each in pager.windows.values()]
    changes = [f"Change: {each['summary']}" for each in reversed(pager.changes)]
    return [*alerts, *quiet, *changes]


def _mail_lines(mail: MailServer) -> list[str]:
    found = []
    for number, each in reversed(mail.mails.items()):
        plain = each.get_body(("plain",))
        text = plain.get_content() if plain else ""
        found.append(f"To {', '.join(mail.readers[number])}: {each['Subject']}\n{text.strip()}")
    return found


def _user(person: Person) -> dict[str, str]:
    return {"id": "PDEMO01", "type": "user", "summary": person.real_name, "email": person.email}
