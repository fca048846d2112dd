"""Where a target is on Render, and with which key."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from integrations.http.client import HttpClient, Origin, Policy

URL = "https://api.render.com/v1"


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long things may take on Render, and how often we look, in seconds.

    ``stop``: an instance may take up to 300 s to drain (``maxShutdownDelaySeconds``).  ``deploy``: coming up again is
    a deploy.  ``in_flight``: somebody else's deploy is waited for that long before a stop is refused.
    """

    stop: float = 360.0
    deploy: float = 900.0
    in_flight: float = 300.0
    settle: float = 30.0
    look: float = 2.0  # reads are limited to 400 a minute


@dataclass(frozen=True, kw_only=True)
class Site:
    """One target: ``services`` maps its services to Render's ids (``srv-…``, ``crn-…``), ``postgres`` is ``dpg-…``."""

    services: Mapping[str, str]
    key: str = field(repr=False)
    key_name: str = "RENDER_API_KEY"
    postgres: str = ""
    job_service: str = ""
    export: bool = False
    url: str = URL
    patience: Patience = field(default_factory=Patience)

    def client(self, policy: Policy | None = None) -> HttpClient:
        """Calls Render with this site's key."""
        headers = {"Authorization": f"Bearer {self.key}"}
        origin = Origin(name="Render", url=self.url, key=self.key_name, headers=headers, secrets=(self.key,))
        return HttpClient(origin, policy)
