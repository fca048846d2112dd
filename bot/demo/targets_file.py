"""The demo's targets file, as people find it in the demo's folder."""

import os
import sys
from collections.abc import Collection
from pathlib import Path

from bot.demo import cast
from bot.demo.releases import LINK
from bot.demo.world import World

TARGET = "casework"
SERVICES = ("casework-web", "casework-gateway")
WORKFLOWS = ("search", "dashboard")

_TARGETS = """\
# The demo's targets file: one database with two services.  Edit it and restart the demo to try things out.
# What the services run is the release that "current" leads to; "ln -sfn releases/2.0.0 current" deploys another.
[targets.casework]
dsn_env = "CASEWORK_DATABASE_URL"
channel = "{channel}"
{migrations}backups = "backups"
state = "run"
client_tools = "{tools}"
speed = {speed}
{follow_up_speed}standby = "{standby}"
checklist = "{checklist}"
workflows = {{ {workflows} }}
{terms}
[targets.casework.policy]
approvers = ["{approvers}"]
owners = ["{owner}"]
on_call = ["{on_call}"]
quorum = {quorum}

{services}
[operators.{user}]
id = "{owner}"
name = "Dana Ruiz"
"""

_SERVICE = """\
[[targets.casework.services]]
name = "{name}"
health_url = "http://127.0.0.1:{port}/health"
metrics_url = "http://127.0.0.1:{port}/metrics.json"
command = ["{python}", "-m", "bot.demo.sample_app", "--name", "{name}", "--port", "{port}"]
folder = "{folder}"
application_name = "{name}"
environment = {{ PYTHONPATH = "{root}" }}
environment_from = {{ DATABASE_URL = "CASEWORK_APP_DATABASE_URL" }}

"""


def written(
    world: World,
    *,
    speed: float,
    quorum: int,
    standby: str = "auto",
    workflows: Collection[str] = WORKFLOWS,
    checklist: str = "off",
    files: bool = True,
    follow_up_speed: float = 0.0,
    terms: str = "",
) -> str:
    """The file's text for this world; ``workflows`` are the critical ones that are tried during the watch.

    ``checklist``: ``required`` where runs are started by a plan.  ``files``: the migrations are SQL files.
    ``follow_up_speed``: how fast the two days after a run pass, where that is not as fast as the rest.
    ``terms``: more lines of the target.
    """
    root = Path(__file__).parents[2]
    web = f"http://127.0.0.1:{world.ports[SERVICES[0]]}"
    services = "".join(
        _SERVICE.format(name=name, port=world.ports[name], python=sys.executable, folder=LINK, root=root)
        for name in SERVICES
    )
    return _TARGETS.format(
        channel=cast.ENGINEERING,
        tools=world.postgres.bin_dir(),
        speed=speed,
        follow_up_speed=f"follow_up_speed = {follow_up_speed}\n" if follow_up_speed else "",
        standby=standby,
        checklist=checklist,
        migrations='migrations = "migrations"\n' if files else "",
        terms=terms,
        workflows=", ".join(f'"{name}" = "{web}/{name}"' for name in workflows),
        approvers=cast.APPROVERS_GROUP,
        owner=cast.STARTER,
        on_call=cast.ON_CALL_GROUP,
        quorum=quorum,
        services=services,
        user=os.environ.get("USER") or "root",
    )
