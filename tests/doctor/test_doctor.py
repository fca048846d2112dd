"""Nothing that is configured wrongly survives the doctor: each row is what is wrong, who says so, and the fix."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import pytest
import pytest_asyncio

from bot.demo.postgres import EmbeddedPostgres
from bot.doctor.examine import examine
from bot.doctor.findings import Findings, Part, Report, Verdict, ok
from bot.doctor.shown import as_json, lines, payload
from bot.store_checkup import look_at_store
from bot.views.limits import message_problems
from tests.doctor.cases import CASES
from tests.doctor.ward import Ward, ward
from tests.integrations.outside.conftest import Certificate
from tests.integrations.outside.conftest import certificate as certificate

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("doctor")]
FAIL, WARN = Verdict.FAIL, Verdict.WARN
Reports = Callable[[str], Awaitable[Report]]

#: (case, target, system): its checks, each with the verdict and words of the reason or the fix
CASES_AND_WORDS: Mapping[tuple[str, str, str], tuple[tuple[str, Verdict, str], ...]] = {
    ("nothing_set", "", "configuration"): (
        ("is read", FAIL, "Set the environment variable DATABASE_URL, or DATABASE_URL_FILE."),
        ("is read", FAIL, "line 8: targets.one.dumpjobs: There is no such setting. Did you mean dump_jobs?"),
        ("is read", FAIL, "Did you mean quorum?"),
    ),
    ("no_file", "", "configuration"): (("is read", FAIL, "Set TARGETS_FILE, or copy docs/targets.example.toml."),),
    ("broken_file", "", "configuration"): (("is read", FAIL, "is not valid TOML"),),
    ("secrets", "", "configuration"): (
        ("is read", FAIL, "DOC_TWO_URL, which is not set. Set it, or DOC_TWO_URL_FILE."),
        ("is read", FAIL, "Targets four and five are the same database. Keep one of them."),
    ),
    ("secrets", "one", "mail"): (
        ("is read", FAIL, "targets.one.mail.password_env names the environment variable MAIL_PASSWORD"),
    ),
    ("secrets", "three", "status page"): (("is read", FAIL, "PAGE_KEY_FILE names"),),
    ("no_file", "", "store"): (("connection", FAIL, "Make the database and the role"),),
    ("broken_file", "", "store"): (("connection", FAIL, "Mend the user and password in DATABASE_URL."),),
    ("secrets", "", "store"): (("schema", FAIL, "Run: python -m bot release"),),
    ("apps", "", "store"): (("schema", FAIL, "runs.deadman_until is not there. Run: python -m bot release"),),
    ("locked_out", "", "store"): (("writes", FAIL, "Point DATABASE_URL at the primary"),),
    ("services", "", "store"): (("sessions", WARN, "As a superuser: ALTER ROLE … CONNECTION LIMIT"),),
    ("mails", "", "store"): (("connection", FAIL, "Write DATABASE_URL as postgresql://USER:PASSWORD@HOST/DATABASE."),),
    ("mails", "", "Slack"): (("address", FAIL, "Unset SLACK__BASE_URL, or write an https:// address."),),
    ("databases", "tls", "PostgreSQL"): (("connection", FAIL, "server does not support SSL"),),
    ("listening", "", "store"): (
        ("own database", FAIL, "Make an empty database for the bot, and set DATABASE_URL to it."),
    ),
    ("no_file", "", "Slack"): (("bot token", WARN, "Set SLACK__BOT_TOKEN and SLACK__APP_TOKEN."),),
    ("broken_file", "", "Slack"): (("way in", FAIL, "Set SLACK__APP_TOKEN (Basic Information → App-Level Tokens"),),
    ("secrets", "", "Slack"): (
        ("bot token", FAIL, "Copy the Bot User OAuth Token (xoxb-…)"),
        ("app token", FAIL, "Make an app-level token with connections:write"),
    ),
    ("apps", "", "Slack"): (
        ("scopes", FAIL, "The token lacks usergroups:read. Paste manifest.yml"),
        ("app token", FAIL, "Slack says invalid_auth. Make an app-level token"),
        ("way in", WARN, "Unset the one that you do not want."),
    ),
    ("listening", "", "Slack"): (
        ("scopes", WARN, "more than it needs: admin. Paste manifest.yml"),
        ("signing secret", FAIL, "Copy the Signing Secret from Basic Information"),
    ),
    ("locked_out", "", "Slack"): (("bot token", FAIL, "Slack says invalid_auth. Copy the Bot User OAuth Token"),),
    ("apps", "one", "channel and people"): (
        ("approvers", FAIL, "Add the scope to the app's manifest and install it again."),
    ),
    ("people", "one", "channel and people"): (
        ("channel", FAIL, 'Write channel = "C…"'),
        ("approvers", FAIL, "U0LEFT001 has no active account. Take U0LEFT001 out of approvers"),
        ("approvers", FAIL, "U0NOBODY1 is not a member of this workspace. Take U0NOBODY1 out"),
        ("quorum", FAIL, "only 0 approvers for a quorum of 1"),
    ),
    ("people", "two", "channel and people"): (
        ("channel", FAIL, "Check the channel's id in the targets file"),
        ("approvers", FAIL, "is a guest, and guests decide nothing. Take"),
        ("approvers", FAIL, "There is no user group S0NOPE001. Mend approvers of [targets.two.policy]."),
    ),
    ("people", "three", "channel and people"): (
        ("channel", FAIL, "Invite the bot to the channel: /invite"),
        ("approvers", FAIL, "The user group S0EMPTY01 has no active member. Add people to it"),
        ("approvers", FAIL, "U0SAM0001 is not a member of this workspace."),
    ),
    ("people", "four", "channel and people"): (
        ("approvers", FAIL, "“@dba” is neither a person's id nor a user group's. Write ids"),
        ("quorum", FAIL, "Add approvers, or write quorum = 1 under [targets.four.policy]."),
        ("on_call", WARN, 'Write on_call = ["S…"] under [targets.four.policy].'),
    ),
    ("people", "five", "channel and people"): (("quorum", WARN, "Add an approver to [targets.five.policy]."),),
    ("databases", "one", "PostgreSQL"): (("connection", FAIL, "password authentication failed"),),
    ("databases", "three", "PostgreSQL"): (
        ("connection", FAIL, "Check that the database is running, the connection string is right"),
    ),
    ("databases", "two", "PostgreSQL"): (
        ("CREATEDB", FAIL, 'standby = "template" needs a new database'),
        ("privileges", FAIL, "As the database's owner: GRANT CREATE ON DATABASE … TO doc_poor."),
        ("privileges", WARN, "As a superuser: ALTER ROLE doc_poor CREATEDB."),
        ("privileges", WARN, "As a superuser: GRANT pg_signal_backend TO doc_poor."),
        ("pg_monitor", WARN, "As a superuser: GRANT pg_monitor TO doc_poor."),
        ("orphan check “lost”", FAIL, 'relation "gone" does not exist. Mend it in orphan_checks'),
    ),
    ("databases", "two", "backup"): (("backup", FAIL, "GRANT SELECT ON … TO doc_poor."),),
    ("databases", "four", "backup"): (("backup", FAIL, "or set client_tools to their folder."),),
    ("databases", "readonly", "PostgreSQL"): (
        ("privileges", FAIL, "ALTER ROLE doc_owner RESET default_transaction_read_only"),
    ),
    ("databases", "super", "PostgreSQL"): (("role", WARN, "Use the role that owns the application's tables."),),
    ("databases", "super", "staging"): (
        ("is another database", FAIL, "Name the staging database's variable as dsn_env"),
    ),
    ("folders", "one", "files"): (
        ("migrations", FAIL, "Make it, or mend migrations of [targets.one]."),
        ("verify_command", FAIL, "no-such-program is not on the bot's PATH. Install it"),
        ("backups", FAIL, "file is a file. Name a folder as backups of [targets.one]."),
    ),
    ("folders", "one", "freezes"): (("calendar", FAIL, "Put the calendar there, or mend the freeze settings."),),
    ("folders", "two", "files"): (
        ("migrations", WARN, "has no .sql files, so nothing can be planned. Put them there"),
        ("state", FAIL, "is within the migrations. Name another folder as state"),
    ),
    ("folders", "two", "freezes"): (("calendar", FAIL, "It is named by [targets.two.freeze]."),),
    ("folders", "three", "Prisma"): (
        ("schema", FAIL, "Mend prisma.schema."),
        ("folder", FAIL, "Mend folder of [targets.three.prisma]."),
    ),
    ("folders", "four", "Prisma"): (("schema", FAIL, 'url_variables = ["OTHER_URL", …]'),),
    ("folders", "five", "staging"): (("connection", FAIL, "It is named by dsn_env of [targets.five.staging]."),),
    ("services", "one", "health"): (
        ("health of page", FAIL, "without the runbook's JSON. Have it answer a 200"),
        ("health of ill", FAIL, "answers 503, not healthy. Mend the service"),
        ("health of away", FAIL, "Write the address that answers itself as health_url."),
        ("health of gone", FAIL, "answers 404, without the runbook's JSON."),
        ("metrics of page", WARN, "or mend metrics_url."),
        ("workflow “search”", FAIL, "answers 404. Mend it, or its address in workflows of [targets.one]."),
    ),
    ("services", "two", "health"): (("health of silent", FAIL, "Start the service, or mend its health_url."),),
    ("services", "two", "services"): (
        ("command of silent", FAIL, "Install it, make it executable, or mend command"),
        ("command of bare", FAIL, 'Write command = ["…"]'),
        ("command of moved", FAIL, "Mend folder of the service moved in [[targets.two.services]]."),
    ),
    ("outside", "one", "status page"): (("API key", FAIL, "Make a key (API info), and set STACK_KEY."),),
    ("outside", "two", "status page"): (
        ("page", FAIL, "Copy the Page ID from API info to page of [targets.two.status_page]."),
    ),
    ("outside", "three", "status page"): (("components", FAIL, "there are: cmp1 (Web)."),),
    ("outside", "four", "status page"): (("components", FAIL, "The page has no resource 9. Mend components"),),
    ("outside", "five", "status page"): (("API key", FAIL, "Make an Uptime API token, and set PAGE_KEY."),),
    ("outside", "one", "PagerDuty"): (
        ("API key", FAIL, "Make a REST API key (Integrations → API Access Keys), and set PAGE_KEY."),
    ),
    ("outside", "two", "PagerDuty"): (
        ("service PNOPE01", FAIL, "Copy the id from the service's address to services"),
        ("email", FAIL, "PagerDuty has no user who@example.com"),
        ("Events key", FAIL, "Copy the Integration Key (Service → Integrations → Events API v2)"),
    ),
    ("hosting", "one", "Render"): (
        ("API key", FAIL, "Make an API key in Render's account settings, and set PAGE_KEY."),
    ),
    ("hosting", "two", "Render"): (
        ("service web", FAIL, "Render knows no srv-nope0. Copy the id"),
        ("postgres", FAIL, "is the database casework, not doc_two"),
    ),
    ("hosting", "three", "Render"): (
        ("service web", WARN, "It is suspended now. Resume it on Render"),
        ("job_service", FAIL, "Render knows no srv-nope1."),
    ),
    ("hosting", "four", "Render"): (("service web", FAIL, "It is suspended by billing"),),
    ("hosting", "five", "Render"): (("API", FAIL, "Check the network of the bot's host and the address"),),
    ("mails", "one", "mail"): (
        ("TLS", FAIL, "Name its authority's certificate as ca_file of [targets.one.mail], or mend host."),
    ),
    ("mails", "two", "mail"): (("login", FAIL, "Mend username of [targets.two.mail] and the variable PAGE_KEY."),),
    ("mails", "three", "mail"): (("TLS", FAIL, "does not offer STARTTLS. Write security"),),
    ("mails", "four", "mail"): (("connection", FAIL, "Mend host and port of [targets.four.mail]"),),
    ("mails", "five", "mail"): (("TLS", FAIL, 'Write security = "starttls" and port = 587 in [targets.five.mail]'),),
    ("mails", "six", "mail"): (
        ("ca_file", FAIL, "Name a PEM file with certificates as ca_file of [targets.six.mail]."),
    ),
}
ROWS = [(*where, *row) for where, rows in CASES_AND_WORDS.items() for row in rows]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there(
    pg: EmbeddedPostgres, certificate: Certificate, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Ward]:
    """Every system, for all cases."""
    async with ward(pg, tmp_path_factory.mktemp("ward"), certificate) as made:
        yield made


@pytest.fixture(scope="module")
def reports(there: Ward) -> Reports:
    """What the doctor says of a case; each is played once."""
    known: dict[str, Report] = {}

    async def of(case: str) -> Report:
        if case not in known:
            environment = await CASES[case](there)
            there.files[case] = (there.folder / "targets.toml").read_text()
            known[case] = await there.examined(environment)
        return known[case]

    return of


@pytest.mark.parametrize(("case", "target", "system", "check", "verdict", "words"), ROWS)
async def test_what_is_wrong_is_found_with_its_fix(
    reports: Reports, case: str, target: str, system: str, check: str, verdict: Verdict, words: str
) -> None:
    """The right system says it, as gravely as it is, with what to do."""
    report = await reports(case)
    found = [
        (each.check, each.verdict, f"{each.why} {each.fix}")
        for section in report.sections
        if (section.target, section.system) == (target, system)
        for each in section.findings
    ]
    assert any((check, verdict) == each[:2] and words in each[2] for each in found), found
    assert (verdict is FAIL) <= (not report.well)


async def test_where_all_is_well_it_says_so_of_everything(reports: Reports) -> None:
    """Each system that is configured was looked at, and none of them is warned about."""
    report = await reports("well")
    assert [] == [
        (section.target, section.system, each)
        for section in report.sections
        for each in section.findings
        if each.verdict is not Verdict.OK
    ]
    assert report.well
    seen = {section.system for section in report.sections}
    assert {
        "configuration", "store", "Slack", "channel and people", "PostgreSQL", "backup", "files", "Prisma", "staging",
        "freezes", "health", "services", "Render", "mail", "status page", "PagerDuty",
    } == seen  # fmt: skip


@pytest.mark.parametrize("case", sorted(CASES))
async def test_every_problem_has_a_fix_and_no_secret_is_shown(reports: Reports, case: str) -> None:
    """On the console, for programs and in Slack, where it fits into one message."""
    report = await reports(case)
    assert [] == [each for section in report.sections for each in section.findings
                  if each.verdict is not Verdict.OK and not each.fix]  # fmt: skip
    message = payload(report)
    assert not message_problems(message)
    assert "s3cret" not in "\n".join((*lines(report), as_json(report), str(message)))
    assert report.well == json.loads(as_json(report))["ok"]


@pytest.mark.parametrize(("case", "code"), [("well", 0), ("nothing_set", 1)])
async def test_the_command_line_ends_with_the_verdict(there: Ward, reports: Reports, case: str, code: int) -> None:
    """``python -m bot doctor --json``: what a deployment can go by."""
    await reports(case)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SLACK__", "DATABASE_URL"))}
    environment = there.usual() if case == "well" else {"TARGETS_FILE": str(there.folder / "targets.toml")}
    there.rewrite(case)
    ended = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "bot", "doctor", "--json"],
        env=kept | environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    said = json.loads(ended.stdout)
    assert (code, code == 0) == (ended.returncode, said["ok"])
    assert {"check", "verdict", "why", "fix"} == said["sections"][0]["findings"][0].keys()
    assert "s3cret" not in ended.stdout + ended.stderr


@pytest.mark.parametrize(("ahead", "verdict"), [(0.0, Verdict.OK), (5.0, WARN), (-60.0, FAIL)])
async def test_clocks_that_differ_are_told(there: Ward, ahead: float, verdict: Verdict) -> None:
    """Deadlines are reckoned with both."""
    found = await look_at_store(there.dsn("doc_store"), {}, now=lambda: time.time() + ahead)
    (clock,) = [each for each in found if each.check == "clock"]
    assert verdict is clock.verdict
    assert ("timedatectl set-ntp true" in clock.fix) is (verdict is not Verdict.OK)


async def test_what_hangs_or_breaks_is_told_and_hides_nothing_else() -> None:
    """Each look has its own time; the text of an unexpected error could quote a secret."""

    async def hangs() -> Findings:
        await asyncio.Event().wait()
        return []

    async def breaks() -> Findings:
        raise RuntimeError("s3cret")

    async def works() -> Findings:
        return [ok("it", "works")]

    looks = {"hangs": hangs, "breaks": breaks, "works": works}
    report = await examine(Part(system=name, look=look, seconds=0.05) for name, look in looks.items())
    hung, broke, fine = (section.findings[0] for section in report.sections)
    assert (FAIL, FAIL, Verdict.OK) == (hung.verdict, broke.verdict, fine.verdict)
    assert "could not be looked at within" in hung.why and "RuntimeError" in broke.why and "s3cret" not in broke.why


async def test_the_doctor_changes_nothing(there: Ward, reports: Reports) -> None:
    """No write was sent to any system over HTTP, no mail, nothing into a database, no folder made."""
    for case in CASES:
        await reports(case)
    asked = [each for fake in (there.render, there.page, there.stack, there.pager) for each in fake.requests]
    assert asked and [] == [each for each in asked if not each.startswith("GET ")]
    assert [] == [*there.mail.received, *there.plain_mail.received]
    called = {method for method, _, _ in there.workspace.log}
    assert called <= {
        "auth.test", "apps.connections.open", "conversations.history", "users.info", "usergroups.users.list",
    }  # fmt: skip
    assert not (there.folder / "backups").exists() and not (there.folder / "state").exists()
