"""The cases: in each, several things are wrong at once, of which none hides another.

A case changes the ward and gives the environment in which the doctor is called.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from bot.demo import cast
from bot.demo.workspace import Seed
from tests.doctor.ward import EMPTY, LEFT, OUTSIDE, PASSWORD, STRANGER, Ward, seed, target

Case = Callable[[Ward], Awaitable[Mapping[str, str]]]
CLOSED = "127.0.0.1:1"


def service(ward: Ward, path: str, *, name: str = "web", more: str = 'command = ["sh"]') -> str:
    return f'[[targets.{{t}}.services]]\nname = "{name}"\nhealth_url = "{ward.web}{path}"\n{more}\n'


def mail(ward: Ward, name: str, **changes: object) -> str:
    """A [mail] that is let in, unless it is changed; ``None`` leaves a line out."""
    lines: dict[str, object] = {
        "host": "localhost", "port": ward.mail.port, "security": "starttls", "username": "bot",
        "password_env": "MAIL_PASSWORD", "ca_file": str(ward.certificate.certificate),
        "sender": "migrations@example.com", "team": ["devops@example.com"], **changes,
    }  # fmt: skip
    said = [f"{key} = {value!r}".replace("'", '"') for key, value in lines.items() if value is not None]
    return "\n".join((f"[targets.{name}.mail]", *said, ""))


def page(
    name: str, url: str, *, number: str = "page1", key: str = "PAGE_KEY", part: str = "cmp1", kind: str = ""
) -> str:
    more = f'kind = "{kind}"\n' if kind else ""
    return (
        f'[targets.{name}.status_page]\n{more}page = "{number}"\nkey_env = "{key}"\nurl = "{url}"\n'
        f'components = {{ web = "{part}" }}\n'
    )


def pager(ward: Ward, name: str, *, more: str = "", service_id: str = "PAPP001", email: str = "migrate@example.com",
          routing: str = "PD_ROUTING_KEY", key: str = "PD_API_KEY") -> str:  # fmt: skip
    return (
        f'[targets.{name}.pagerduty]\nrouting_key_env = "{routing}"\nchange_key_env = "PD_CHANGE_KEY"\n'
        f'api_key_env = "{key}"\nemail = "{email}"\nservices = ["{service_id}"]\nschedules = ["PSCHED1"]\n'
        f'events_url = "{ward.pager.url}/v2"\napi_url = "{ward.pager.url}"\n{more}\n'
    )


def render(ward: Ward, name: str, services: Mapping[str, str], *, more: str = "", key: str = "RENDER_API_KEY") -> str:
    ids = "\n".join(f'{each} = "{number}"' for each, number in services.items())
    return (
        f'[targets.{name}.render]\nurl = "{ward.render.url}"\napi_key_env = "{key}"\n{more}\n'
        f"[targets.{name}.render.services]\n{ids}\n"
    )


def prisma(name: str, schema: str, folder: str, command: str = '["sh", "prisma"]') -> str:
    return f'[targets.{name}.prisma]\nschema = "{schema}"\nfolder = "{folder}"\ncommand = {command}\n'


async def well(ward: Ward) -> Mapping[str, str]:
    """Everything is configured, and nothing is wrong with it."""
    web = ward.render.world.add("web", "r1")
    (ward.folder / "app" / "migrations" / "1_init").mkdir(parents=True)
    (ward.folder / "app" / "migrations" / "1_init" / "migration.sql").write_text("select 1;")
    (ward.folder / "app" / "schema.prisma").write_text('datasource db {\n  url = env("DATABASE_URL")\n}\n')
    (ward.folder / "freeze.ics").write_text("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//\r\nEND:VCALENDAR\r\n")
    local = service(ward, "/well", more=f'command = ["sh"]\nmetrics_url = "{ward.web}/metrics"')
    ward.write(
        target(
            "one",
            "doc_one",
            more=f'workflows = {{ search = "{ward.web}/well" }}\norphan_checks = {{ none = "select 0" }}\n'
            'verify_command = ["sh", "-c", "true"]',
            tables="\n".join(
                (
                    local.format(t="one"),
                    mail(ward, "one"),
                    page("one", ward.page.url),
                    pager(ward, "one"),
                    '[targets.one.staging]\ndsn_env = "DOC_STAGING_URL"\n[targets.one.freeze]\nics = "freeze.ics"',
                )
            ),
        ),
        target(
            "cloud",
            "casework",
            migrations="",
            tables="\n".join(
                (
                    service(ward, "/well", more="").format(t="cloud"),
                    render(ward, "cloud", {"web": web.id}, more=f'postgres = "{ward.render.estate.postgres}"'),
                    prisma("cloud", "app/schema.prisma", "app"),
                    page("cloud", ward.stack.url, number="77", key="STACK_KEY", part="901", kind="betterstack"),
                )
            ),
        ),
    )
    return ward.usual()


async def nothing_set(ward: Ward) -> Mapping[str, str]:
    """No environment at all, and a file with spelling mistakes."""
    ward.write(target("one", "doc_one", more="dumpjobs = 3", policy="quorm = 2"))
    return {"TARGETS_FILE": str(ward.folder / "targets.toml")}


async def no_file(ward: Ward) -> Mapping[str, str]:
    """The targets file is elsewhere, the store is somewhere else, and Slack is forgotten."""
    return {"TARGETS_FILE": str(ward.folder / "gone.toml"), "DATABASE_URL": ward.dsn("doc_nowhere")}


async def broken_file(ward: Ward) -> Mapping[str, str]:
    """The file is no TOML; the store's user is unknown; only half of Slack is there."""
    ward.write("[targets.one\n")
    dsn = ward.dsn("doc_store").replace(PASSWORD, "wrong-s3cret")
    half = {"SLACK__BOT_TOKEN": ward.workspace.core.seed.bot_token, "SLACK__BASE_URL": ward.workspace.api_url}
    return {"TARGETS_FILE": str(ward.folder / "targets.toml"), "DATABASE_URL": dsn, **half}


async def secrets(ward: Ward) -> Mapping[str, str]:
    """Secrets that are named and not there; the store was never released; the bot token is a person's."""
    empty = ward.folder / "empty"
    empty.write_text("\n")
    ward.write(
        target("one", "doc_one", tables=mail(ward, "one")),
        target("two", "doc_two", tables=pager(ward, "two")),
        target("three", "doc_three", tables=page("three", ward.page.url)),
        target("four", "doc_four"),
        target("five", "doc_four"),
    )
    return ward.usual() | {
        "DATABASE_URL": ward.dsn("doc_bare"),
        "DOC_TWO_URL": "",
        "MAIL_PASSWORD": "",
        "PAGE_KEY": "",
        "PAGE_KEY_FILE": str(empty),
        "SLACK__BOT_TOKEN": "xoxp-s3cret",
        "SLACK__APP_TOKEN": "xoxb-s3cret",
    }


async def apps(ward: Ward) -> Mapping[str, str]:
    """Scopes are missing, the app token is none of Slack's, both ways in are set; the store is an old one."""
    ward.workspace.core.seed = _with_scopes(tuple(each for each in seed().scopes or () if each != "usergroups:read"))
    ward.write(target("one", "doc_one"))
    return ward.usual() | {
        "DATABASE_URL": ward.dsn("doc_old"),
        "SLACK__APP_TOKEN": "xapp-unknown-s3cret",
        "SLACK__SIGNING_SECRET": "0123456789abcdef0123456789abcdef",
    }


async def listening(ward: Ward) -> Mapping[str, str]:
    """More scopes than needed, a signing secret that is none, and the store in the target's own database."""
    ward.workspace.core.seed = _with_scopes((*(seed().scopes or ()), "admin"))
    ward.write(target("one", "doc_one"))
    return ward.usual() | {
        "DATABASE_URL": ward.dsn("doc_one"),
        "SLACK__APP_TOKEN": "",
        "SLACK__SIGNING_SECRET": "xapp-1-s3cret",
    }


async def locked_out(ward: Ward) -> Mapping[str, str]:
    """The bot token was revoked; the store takes no writes."""
    ward.write(target("one", "doc_one"))
    return ward.usual() | {"SLACK__BOT_TOKEN": "xoxb-old-s3cret", "DATABASE_URL": ward.dsn("doc_readonly")}


def _with_scopes(granted: tuple[str, ...]) -> Seed:
    return replace(seed(), scopes=granted)


async def people(ward: Ward) -> Mapping[str, str]:
    """Channels and people that are not what they should be."""
    ward.workspace.core.seed = seed()
    ward.write(
        target("one", "doc_one", channel="#engineering", approvers=f'["{LEFT}", "U0NOBODY1"]'),
        target("two", "doc_two", channel="C0NOPE001", approvers=f'["{cast.GUEST}", "S0NOPE001"]'),
        target("three", "doc_three", channel=OUTSIDE, approvers=f'["{EMPTY}", "{STRANGER}"]'),
        target("four", "doc_four", approvers='["@dba"]', policy="quorum = 3"),
        target("five", "doc_five", approvers=f'["{cast.APPROVERS_GROUP}"]', policy="quorum = 2"),
    )
    return ward.usual()


async def databases(ward: Ward) -> Mapping[str, str]:
    """Databases that cannot be reached, or do not let the role do what it must."""
    ward.write(
        target("one", "doc_one"),
        target("two", "doc_two", more='standby = "template"\norphan_checks = { lost = "select count(*) from gone" }'),
        target("three", "doc_three"),
        target("four", "doc_four", more='client_tools = "nowhere"'),
        target("tls", "casework"),
        target("readonly", "doc_readonly"),
        target("super", "doc_five", tables='[targets.super.staging]\ndsn_env = "DOC_STAGING_URL"'),
    )
    return ward.usual() | {
        "DOC_ONE_URL": ward.dsn("doc_one").replace(PASSWORD, "wrong-s3cret"),
        "DOC_TWO_URL": ward.dsn("doc_two", "doc_poor"),
        "DOC_THREE_URL": f"postgresql://doc_owner:{PASSWORD}@{CLOSED}/doc_three",
        "DOC_FIVE_URL": ward.pg.dsn("doc_five"),
        "CASEWORK_URL": f"{ward.dsn('casework')}?sslmode=require",
        "DOC_STAGING_URL": ward.dsn("doc_five").replace("127.0.0.1", "localhost"),
    }


async def folders(ward: Ward) -> Mapping[str, str]:
    """Files and folders, programs and calendars that are not there."""
    (ward.folder / "bare").mkdir()
    (ward.folder / "file").write_text("")
    (ward.folder / "bad.ics").write_text("no calendar")
    (ward.folder / "other.prisma").write_text('datasource db {\n  url = env("OTHER_URL")\n}\n')
    inside = target("two", "doc_two", migrations='migrations = "bare"')
    ward.write(
        target(
            "one",
            "doc_one",
            migrations='migrations = "gone"',
            more='verify_command = ["no-such-program"]',
            tables='[targets.one.freeze]\nics = "gone.ics"',
        ).replace('backups = "backups/one"', 'backups = "file/dumps"'),
        inside.replace('state = "state/two"', 'state = "bare/state"') + '[targets.two.freeze]\nics = "bad.ics"\n',
        target("three", "doc_three", migrations="", tables=prisma("three", "gone.prisma", "gone")),
        target("four", "doc_four", migrations="", tables=prisma("four", "other.prisma", ".", '["npx", "prisma"]')),
        target("five", "doc_five", tables='[targets.five.staging]\ndsn_env = "DOC_STAGING_URL"'),
    )
    return ward.usual() | {"DOC_STAGING_URL": ward.dsn("doc_nowhere")}


async def services(ward: Ward) -> Mapping[str, str]:
    """Services that do not answer as they should, or could not be started again; the store lets few sessions in."""
    looks = {"page": "/page", "ill": "/ill", "away": "/elsewhere", "gone": "/gone"}
    ward.write(
        target(
            "one",
            "doc_one",
            more=f'workflows = {{ search = "{ward.web}/gone" }}',
            tables="".join(
                service(ward, path, name=name, more='command = ["sh"]\nmetrics_url = "{m}"').format(
                    t="one", m=f"{ward.web}/well"
                )
                for name, path in looks.items()
            ),
        ),
        target(
            "two",
            "doc_two",
            tables="".join(
                (
                    service(ward, "/well", name="silent", more='command = ["./run"]')
                    .replace(ward.web, f"http://user:s3cret@{CLOSED}")
                    .format(t="two"),
                    service(ward, "/well", name="bare", more="").format(t="two"),
                    service(ward, "/well", name="moved", more='command = ["sh"]\nfolder = "gone"').format(t="two"),
                )
            ),
        ),
    )
    return ward.usual() | {"DATABASE_URL": ward.dsn("doc_store", "doc_few")}


async def outside(ward: Ward) -> Mapping[str, str]:
    """Keys that are refused, and ids that nobody knows."""
    stack = {"number": "77", "kind": "betterstack"}
    ward.write(
        target("one", "doc_one", tables=page("one", ward.page.url, key="STACK_KEY")
               + pager(ward, "one", key="PAGE_KEY")),
        target("two", "doc_two", tables=page("two", ward.page.url, number="other")
               + pager(ward, "two", service_id="PNOPE01", email="who@example.com", routing="PAGE_KEY")),
        target("three", "doc_three", tables=page("three", ward.page.url, part="nope")),
        target("four", "doc_four", tables=page("four", ward.stack.url, key="STACK_KEY", part="9", **stack)),
        target("five", "doc_five", tables=page("five", ward.stack.url, **stack)),
    )  # fmt: skip
    return ward.usual()


async def hosting(ward: Ward) -> Mapping[str, str]:
    """Render: a wrong key, unknown ids, another database, and what is suspended."""
    world = ward.render.world
    up, down, broke = world.add("up", "r1"), world.add("down", "r1", running=False), world.add("broke", "r1")
    broke.suspended, broke.suspenders = True, ["billing"]
    local = service(ward, "/well", more="")
    ward.write(
        target("one", "doc_one", tables=local.format(t="one") + render(ward, "one", {"web": up.id}, key="PAGE_KEY")),
        target("two", "doc_two", tables=local.format(t="two")
               + render(ward, "two", {"web": "srv-nope0"}, more=f'postgres = "{ward.render.estate.postgres}"')),
        target("three", "doc_three", tables=local.format(t="three")
               + render(ward, "three", {"web": down.id}, more='job_service = "srv-nope1"')),
        target("four", "doc_four", tables=local.format(t="four") + render(ward, "four", {"web": broke.id})),
        target("five", "doc_five", tables=local.format(t="five")
               + render(ward, "five", {"web": up.id}).replace(ward.render.url, f"http://{CLOSED}")),
    )  # fmt: skip
    return ward.usual()


async def mails(ward: Ward) -> Mapping[str, str]:
    """Mail servers that do not let the bot in; what is set as the store is none, and Slack is asked without TLS."""
    plain = {"username": None, "password_env": None}
    ward.write(
        target("one", "doc_one", tables=mail(ward, "one", ca_file=None)),
        target("two", "doc_two", tables=mail(ward, "two", password_env="PAGE_KEY")),
        target("three", "doc_three", tables=mail(ward, "three", port=ward.plain_mail.port, **plain)),
        target("four", "doc_four", tables=mail(ward, "four", port=1)),
        target("five", "doc_five", tables=mail(ward, "five", security="tls")),
        target("six", "casework", tables=mail(ward, "six", ca_file="gone.pem")),
    )
    return ward.usual() | {"DATABASE_URL": "no connection s3cret", "SLACK__BASE_URL": "http://slack.example/api/"}


CASES: Mapping[str, Case] = {
    each.__name__: each
    for each in (
        well, nothing_set, no_file, broken_file, secrets, apps, listening, locked_out, people, databases, folders,
        services, outside, hosting, mails,
    )
}  # fmt: skip
