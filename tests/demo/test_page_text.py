"""Text on the workspace's page in a real Chromium: mrkdwn, dates, rich text, Markdown, and hostile text."""

from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from tests.demo.page_server import (
    BOT,
    CHANNEL,
    NOON,
    PageServer,
    drawn,
    hello,
    message,
    plain,
    rich,
    said,
    section,
    visit,
)

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("page")]

HOSTILE = "<img src=x onerror=\"window.hit=1\"> <script>window.hit=1</script> <a href='javascript:window.hit=1'>x</a>"
MRKDWN = [
    ("*bold* _italic_ ~gone~ `code`", "<strong>bold</strong> <em>italic</em> <s>gone</s> <code>code</code>"),
    ("*bold _and italic_*", "<strong>bold <em>and italic</em></strong>"),
    ("snake_case_name 2*3*4 a~b~c", "snake_case_name 2*3*4 a~b~c"),
    ("```\nSELECT *a*\n```", "<pre>SELECT *a*</pre>"),
    ("&gt; said\nanswer", "<blockquote>said</blockquote>answer"),
    ("• one\n• two", '<ul class="bullets"><li>one</li><li>two</li></ul>'),
    ("one\ntwo", "one<br>two"),
    ("a &amp; b &lt;c&gt;", "a &amp; b &lt;c&gt;"),
    (
        "<https://example.com/a?b=1&amp;c=2|the log>",
        '<a href="https://example.com/a?b=1&amp;c=2" target="_blank" rel="noopener noreferrer">the log</a>',
    ),
    ("<javascript:alert(1)|x>", "<span>x</span>"),
    (
        "<@U0ANA> <@U0BEN>",
        '<span class="mention mention-me">@Ana Silva</span> <span class="mention">@Ben Okafor</span>',
    ),
    ("<#C0ENG|engineering>", '<span class="mention">#engineering</span>'),
    ("<!subteam^S0DBA>", '<span class="mention mention-me">@dba-approvers</span>'),
    ("<!here>", '<span class="mention">@here</span>'),
    (":no_such_emoji: 10:30:15", ":no_such_emoji: 10:30:15"),
    (":warning:", '<span class="emoji" role="img" aria-label="warning" title=":warning:">⚠️</span>'),
]
DATES = [
    (NOON, "{date_num} {time}", "2026-11-22 12:00 PM"),
    (NOON, "{date_short_pretty} {time}", "today 12:00 PM"),
    (NOON, "until {date_pretty}", "until today"),
    (NOON - 86_400, "{date_pretty} at {time_secs}", "yesterday at 12:00:00 PM"),
    (NOON + 86_400, "by {date_long_pretty}", "by tomorrow"),
    (NOON - 864_000, "{date_long}", "Thursday, November 12, 2026"),
    (NOON - 864_000, "{date_short}", "Nov 12, 2026"),
    (NOON - 864_000, "{date}", "November 12, 2026"),
    (NOON - 864_000, "{date_slash} {nothing}", "11/12/2026 {nothing}"),
    (NOON - 180, "{ago}", "3 minutes ago"),
    (NOON + 7200, "due {ago}", "due in 2 hours"),
]
LIST = {
    "type": "rich_text_list",
    "style": "ordered",
    "elements": [
        {"type": "rich_text_section", "elements": [{"type": "text", "text": word}]} for word in ("dump", "restore")
    ],
}


async def html(node: Locator) -> str:
    """The markup that was made, as the browser writes it."""
    return await node.inner_html()


async def test_mrkdwn(page: Page, server: PageServer) -> None:
    """Each mark of mrkdwn becomes the element that means it, and nothing else does."""
    server.hello = hello([message(text=text) for text, _ in MRKDWN])
    await visit(page, server)

    texts = await page.locator(".content .text").all()
    assert [expected for _, expected in MRKDWN] == [await html(one) for one in texts]


async def test_dates(page: Page, server: PageServer) -> None:
    """`<!date>` is shown in the reader's time zone, with the exact moment in the element."""
    server.hello = hello([message(text=f"<!date^{epoch}^{template}|none>") for epoch, template, _ in DATES])
    await visit(page, server)

    times = page.locator(".content time")
    assert [expected for *_, expected in DATES] == await times.all_inner_texts()
    assert "2026-11-22T12:00:00.000Z" == await times.first.get_attribute("datetime")


async def test_a_date_that_is_none_shows_its_fallback(page: Page, server: PageServer) -> None:
    """A timestamp that is not a number leaves the words the bot wrote for that case."""
    assert "<span>at noon</span>" == await html(await said(page, server, "<!date^soon^{time}|at noon>"))


async def test_hostile_text_is_inert(page: Page, server: PageServer) -> None:
    """Markup in anybody's text is shown as text: it makes no element and runs nothing."""
    menu = {"type": "static_select", "action_id": "a", "options": [{"text": plain(HOSTILE), "value": "v"}]}
    messages = [
        message(text=HOSTILE),
        message([{"type": "header", "text": plain(HOSTILE)}]),
        message([section(f"*{HOSTILE}*\n```{HOSTILE}```\n> {HOSTILE}")]),
        message([{"type": "markdown", "text": f"# {HOSTILE}\n[x](javascript:window.hit=1) {HOSTILE}"}]),
        message([rich({"type": "text", "text": HOSTILE}, {"type": "link", "url": "javascript:window.hit=1"})]),
        message([{"type": "table", "rows": [[{"type": "raw_text", "text": HOSTILE}]]}]),
        message(text="onerror", user="U0BAD"),
        message([{"type": "actions", "block_id": "b", "elements": [menu]}]),
        message(text="x", files=[{"id": "F", "title": HOSTILE, "url": "javascript:window.hit=1", "size": 1}]),
    ]
    server.hello = hello(messages)
    server.hello["users"] += [{"id": "U0BAD", "name": HOSTILE, "real_name": HOSTILE}]
    await visit(page, server)

    await expect(page.locator(".message")).to_contain_text(["onerror"] * len(messages))
    assert 0 == await page.locator("img, main script, a[href^='javascript']").count()
    assert await page.evaluate("window.hit") is None


async def test_rich_text(page: Page, server: PageServer) -> None:
    """Rich text has its styles, lists, quotes, code, and every inline element."""
    inline: list[dict[str, Any]] = [
        {"type": "text", "text": "bold", "style": {"bold": True, "italic": True}},
        {"type": "text", "text": "gone", "style": {"strike": True}},
        {"type": "text", "text": "x=1", "style": {"code": True}},
        {"type": "user", "user_id": "U0BEN"},
        {"type": "usergroup", "usergroup_id": "S0DBA"},
        {"type": "channel", "channel_id": CHANNEL},
        {"type": "broadcast", "range": "here"},
        {"type": "emoji", "name": "tada"},
        {"type": "link", "url": "https://example.com", "text": "site"},
        {"type": "date", "timestamp": NOON, "format": "{time}", "fallback": "noon"},
    ]
    quote = {"type": "rich_text_quote", "elements": [{"type": "text", "text": "quoted"}]}
    pre = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "a < b"}]}
    block = rich(*inline)
    block["elements"] += [LIST, quote, pre]

    content = await drawn(page, server, block)

    await expect(content.locator("em > strong")).to_have_text("bold")
    await expect(content.locator("s")).to_have_text("gone")
    await expect(content.locator("code")).to_have_text("x=1")
    await expect(content.locator(".mention")).to_have_text(["@Ben Okafor", "@dba-approvers", "#engineering", "@here"])
    await expect(content.locator(".emoji")).to_have_text("🎉")
    await expect(content.get_by_role("link")).to_have_attribute("href", "https://example.com")
    await expect(content.locator("time")).to_have_text("12:00 PM")
    await expect(content.locator("ol.rich-list li")).to_have_text(["dump", "restore"])
    await expect(content.locator("blockquote")).to_have_text("quoted")
    await expect(content.locator("pre")).to_have_text("a < b")


async def test_the_markdown_block(page: Page, server: PageServer) -> None:
    """Standard Markdown: headings, emphasis, lists, tasks, code, quotes, links and tables."""
    text = (
        "# Report\n**12** rows, *fast*, ~~slow~~, `code`\n\n- one\n- [x] two\n\n1. first\n\n> quote\n\n"
        "```sql\nSELECT 1;\n```\n\n| Table | Rows |\n|---|---:|\n| orders | 5 |\n\n[log](https://example.com)"
    )
    content = await drawn(page, server, {"type": "markdown", "text": text})

    await expect(content.get_by_role("heading", name="Report")).to_be_visible()
    await expect(content.locator("strong")).to_have_text("12")
    await expect(content.locator("ul li")).to_have_text(["one", "☑ two"])
    await expect(content.locator("ol li")).to_have_text("first")
    await expect(content.locator("blockquote")).to_have_text("quote")
    await expect(content.locator("pre")).to_have_text("SELECT 1;")
    await expect(content.locator("td")).to_have_text(["orders", "5"])
    await expect(content.get_by_role("link", name="log")).to_be_visible()


async def test_the_bots_own_name_is_known(page: Page, server: PageServer) -> None:
    """A mention of the bot reads as its name."""
    await expect((await said(page, server, f"<@{BOT['id']}>")).locator(".mention")).to_have_text("@Migrate")
