"""PagerDuty's Events API v2: alarms and change events (developer.pagerduty.com/docs/events-api-v2).

An alarm's ``dedup_key`` is the alert's name: triggered again while it is open, it calls nobody again, and resolving
what is not open does nothing.  202 means accepted.
"""

from datetime import UTC, datetime

from bot.outside import Alarm, AlarmOver, Change, Notice
from integrations.http.client import HttpClient

CLIENT = "migrate-bot"
_SUMMARY = 1024  # characters, of either kind of event


class Events:
    """``key`` is that of the service the bot pages, ``change_key`` that of the affected one."""

    def __init__(self, client: HttpClient, *, key: str, change_key: str) -> None:
        self._client = client
        self._key = key
        self._change_key = change_key

    async def trigger(self, notice: Notice, alarm: Alarm) -> None:
        """Call somebody."""
        payload = {
            "summary": alarm.summary[:_SUMMARY],
            "source": notice.target,
            "severity": "critical",
            "timestamp": moment(alarm.at),
            "component": notice.target,
            "class": alarm.alert.rpartition("/")[2],
            "custom_details": dict(alarm.details),
        }
        await self._send({"event_action": "trigger", "dedup_key": alarm.alert, "payload": payload, "client": CLIENT})

    async def resolve(self, over: AlarmOver) -> None:
        """Call nobody any more."""
        await self._send({"event_action": "resolve", "dedup_key": over.alert})

    async def change(self, notice: Notice, change: Change) -> None:
        """Tell the affected service what is being changed; without a key of its own, the service that is paged."""
        payload = {
            "summary": change.summary[:_SUMMARY],
            "source": CLIENT,
            "timestamp": moment(change.at),
            "custom_details": {**dict(change.details), "notice": notice.key},
        }
        body = {"routing_key": self._change_key or self._key, "payload": payload}
        await self._client.write("POST", "/change/enqueue", json=body)

    async def _send(self, event: dict[str, object]) -> None:
        body = {"routing_key": self._key, **event}
        await self._client.write("POST", "/enqueue", json=body, repeatable=True)


def moment(seconds: float) -> str:
    """ISO 8601 in UTC."""
    return datetime.fromtimestamp(int(seconds), UTC).isoformat().replace("+00:00", "Z")
