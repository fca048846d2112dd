"""A report as Markdown."""

import re
from collections.abc import Iterator

from bot.runbook.wording import one_line
from bot.views.report.charts import in_words
from bot.views.report.document import Box, Bullets, Chart, Code, Document, Named, Part, Table, Words

_WIDEST = 2000  # characters of one cell


def markdown(document: Document) -> str:
    """The whole text.  Nothing that people wrote ends a cell, opens a link or is taken for HTML."""
    parts = [f"# {cell(document.title)}"]
    for section in document.sections:
        parts.append(f"{'#' * section.level} {cell(section.title)}")
        parts += ["\n".join(_part(each)) for each in section.parts]
    return "\n\n".join(parts) + "\n"


def _part(part: Part) -> Iterator[str]:
    match part:
        case Table(head=head, rows=rows):
            yield f"| {' | '.join(head)} |"
            yield f"|{'---|' * len(head)}"
            yield from (f"| {' | '.join(map(cell, row))} |" for row in rows)
        case Bullets(items=items, to_do=to_do):
            yield from (f"- {'[ ] ' if to_do else ''}{_item(each)}" for each in items)
        case Box(lines=lines):  # in a fence that no line can close
            yield from ("~~~~", *(each.replace("~~~~", "~ ~ ~ ~") for each in lines), "~~~~")
        case Words(text=text):
            yield text
        case Chart():
            yield f"{part.title}: {in_words(part)}"


def _item(item: str | Named) -> str:
    return f"`{cell(item.name)}`: {cell(item.value)}" if isinstance(item, Named) else cell(item)


def cell(text: str) -> str:
    """People's words on one line, with nothing in them that Markdown would act on."""
    if isinstance(text, Code):
        return f"`{one_line(text, _WIDEST).replace('`', 'ˋ').replace('|', 'ǀ')}`"
    plain = one_line(text, _WIDEST).replace("`", "ˋ")
    return re.sub(r"[|\[~]", r"\\\g<0>", plain).replace("<", "&lt;")
