"""A report as one HTML page that needs nothing else: no script, no font, no picture from anywhere.

Its content security policy says the same to the browser (MDN, "Content-Security-Policy", ``default-src 'none'``).
"""

from collections.abc import Iterator
from html import escape

from bot.views.report.charts import in_words, svg
from bot.views.report.document import Box, Bullets, Chart, Code, Document, Named, Part, Section, Table, Words

_STYLE = """
:root{color-scheme:light dark;--ink:#1b1f24;--paper:#fff;--faint:#59636e;--rule:#d1d9e0;--line:#0a5ac8;--limit:#b3261e}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--paper:#0d1117;--faint:#9aa5b1;--rule:#30363d;--line:#6cb0ff;
--limit:#ff8a80}}
@media print{:root{--ink:#000;--paper:#fff;--faint:#444;--rule:#bbb;--line:#0a5ac8;--limit:#b3261e}
section{break-inside:auto}h2,h3{break-after:avoid}tr,svg,li{break-inside:avoid}body{max-width:none;margin:0}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:60rem;margin:2rem auto;
padding:0 1rem;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%;margin:.5rem 0}th,td{border:1px solid var(--rule);padding:.3rem .5rem;
text-align:left;vertical-align:top;overflow-wrap:break-word}th{color:var(--faint);font-weight:600}
td code{overflow-wrap:anywhere}
pre{border:1px solid var(--rule);padding:.6rem;white-space:pre-wrap;font-size:12px}code{font-size:.9em}
figure{margin:1rem 0}figcaption,.small{color:var(--faint)}ul.to-do{list-style:"☐ "}
svg{width:100%;height:auto}svg .line{fill:none;stroke:var(--line);stroke-width:1.8}svg .dot{fill:var(--line)}
svg .axis{fill:none;stroke:var(--rule)}svg .limit{stroke:var(--limit);stroke-dasharray:5 4}
svg .mark{stroke:var(--faint);stroke-dasharray:2 3}svg .small{fill:var(--faint);font:11px system-ui,sans-serif}
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(document: Document) -> str:
    """The whole page; everything that people wrote is escaped."""
    title = escape(document.title)
    return "\n".join(
        (
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}</title><style>{_STYLE}</style></head><body>",
            f"<h1>{title}</h1>",
            *(_section(each) for each in document.sections),
            "</body></html>\n",
        )
    )


def _section(section: Section) -> str:
    head = f"h{section.level}"
    inside = "\n".join(line for part in section.parts for line in _part(part))
    return f"<section><{head}>{escape(section.title)}</{head}>\n{inside}</section>"


def _part(part: Part) -> Iterator[str]:
    match part:
        case Table(head=head, rows=rows):
            names = "".join(f'<th scope="col">{escape(each)}</th>' for each in head)
            yield f"<table><thead><tr>{names}</tr></thead>"
            yield f"<tbody>{''.join(map(_row, rows))}</tbody></table>"
        case Bullets(items=items, to_do=to_do):
            lines = "".join(f"<li>{_item(each)}</li>" for each in items)
            yield f'<ul class="to-do">{lines}</ul>' if to_do else f"<ul>{lines}</ul>"
        case Box(lines=lines):
            yield f"<pre>{escape(chr(10).join(lines))}</pre>"
        case Words(text=text):
            yield f"<p>{_marked(text)}</p>"
        case Chart():
            caption = f"<figcaption>{escape(part.title)}: {escape(in_words(part))}</figcaption>"
            yield f"<figure>{svg(part) if part.values else ''}{caption}</figure>"


def _row(row: tuple[str, ...]) -> str:
    return f"<tr>{''.join(map(_cell, row))}</tr>"


def _cell(text: str) -> str:
    shown = escape(text)
    return f"<td><code>{shown}</code></td>" if isinstance(text, Code) else f"<td>{shown}</td>"


def _item(item: str | Named) -> str:
    if isinstance(item, Named):
        return f"<code>{escape(item.name)}</code>: {escape(item.value)}"
    return escape(item)


def _marked(text: str) -> str:
    """Our own words; every second piece between backticks is code."""
    return "".join(
        f"<code>{escape(each)}</code>" if odd % 2 else escape(each) for odd, each in enumerate(text.split("`"))
    )
