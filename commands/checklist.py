"""The checklist of a plan: look at it, tick, take a tick back, waive with a second person, review the SQL."""

from bot.runbook.preparation import intents as i
from bot.runbook.preparation.checklist import LINES, Item
from bot.runbook.preparation.preparation import Preparation
from bot.runbook.preparation.standing import checklist as statuses
from bot.runbook.refusals import Invalid, NotNow, ReasonNeeded
from bot.runbook.wording import counted
from bot.views.ids import Field
from bot.views.preparation.card import shown_count
from bot.views.preparation.checklist import checklist_modal, waivable, waive_modal
from bot.views.preparation.review import review_modal
from bot.views.text import clip, escape, said
from commands.desk import Desk, Reply, words_after_id
from commands.parse import Request

_NAMES = "Name it as /migrate help does: " + ", ".join(Item)
_LENGTH = 4000  # characters of one message


async def checklist(desk: Desk, request: Request) -> Reply:
    """All 28 items, each with what shows it; at the command line in words."""
    found = await desk.plan(request)
    if request.via == "slack":
        return Reply(modal=checklist_modal(found))
    lines = [
        f"{each.standing} · {LINES[each.item].text} [{each.item}]{f' – {said(each.why[0], 200)}' if each.why else ''}"
        for each in statuses(found)
    ]
    return Reply(text="\n".join((f"{escape(found.draft.plan.name)}: {shown_count(found)}", *lines)))


async def tick(desk: Desk, request: Request) -> Reply:
    """Many items at once from the modal, or ``/migrate tick [P] ITEM[,ITEM] EVIDENCE``."""
    found = await desk.plan(request)
    names, evidence = request.chosen(Field.ITEMS), request.text(Field.EVIDENCE)
    if not request.sent:
        first, _, evidence = words_after_id(request).partition(" ")
        names = tuple(each for each in first.split(",") if each)
    items = tuple(_item(each) for each in names)
    person = await desk.person(request, found.draft.plan.policy)
    after = await desk.planner.handle(found.id, i.TickItems(person=person, items=items, evidence=evidence))
    return _said(after, f"✅ Ticked {counted(len(items), 'item')}: {shown_count(after)}.")


async def untick(desk: Desk, request: Request) -> Reply:
    """``/migrate untick [P] ITEM REASON``: what was said is taken back."""
    found = await desk.plan(request)
    name, _, reason = words_after_id(request).partition(" ")
    person = await desk.person(request, found.draft.plan.policy)
    after = await desk.planner.handle(found.id, i.Untick(person=person, item=_item(name), reason=reason))
    return _said(after, f"ℹ️ Taken back: {shown_count(after)}.")


async def waive(desk: Desk, request: Request) -> Reply:
    """From the modal, or ``/migrate waive [P] ITEM REASON``; without either, the modal."""
    found = await desk.plan(request)
    name, _, reason = words_after_id(request).partition(" ")
    if request.sent:
        name, reason = request.text(Field.ITEM), request.text(Field.REASON)
    if not name:
        if not waivable(found):
            raise NotNow("Every item is shown to be true already.", "Nothing needs to be waived.")
        return Reply(modal=waive_modal(found))
    if not reason.strip():
        raise ReasonNeeded("A waiver is recorded with its reason.", "Type /migrate waive ITEM REASON.")
    person = await desk.person(request, found.draft.plan.policy)
    after = await desk.planner.handle(found.id, i.Waive(person=person, item=_item(name), reason=reason))
    return _said(after, "ℹ️ Asked for: it counts once an approver or owner other than you has agreed.")


async def agree(desk: Desk, request: Request) -> Reply:
    """The second person: by the button, or ``/migrate agree [P] ITEM``."""
    found = await desk.plan(request)
    item = _item(request.value.digest or words_after_id(request))
    person = await desk.person(request, found.draft.plan.policy)
    after = await desk.planner.handle(
        found.id, i.AgreeToWaiver(person=person, item=item, asked_at=request.value.number)
    )
    return _said(after, f"⚠️ Waived: {shown_count(after)}. Your name stands beside it.")


async def review(desk: Desk, request: Request) -> Reply:
    """Show the SQL, and record that it was shown; sent, it is the peer review."""
    found = await desk.plan(request)
    person = await desk.person(request, found.draft.plan.policy)
    if request.sent:
        given = i.Review(person=person, files=request.value.digest or found.files, note=request.text(Field.NOTE))
        after = await desk.planner.handle(found.id, given)
        return _said(after, f"✅ Reviewed: {shown_count(after)}.")
    if not found.files:
        raise NotNow("The bot has not read the migration files yet.", "Wait a moment and press Review again.")
    texts = await desk.planner.texts(found.id)
    await desk.planner.handle(found.id, i.ReadSql(person=person, files=found.files))
    if request.via == "slack":
        return Reply(modal=review_modal(found, texts, may_review=person.id != found.author))
    whole = "\n\n".join(f"-- {name}\n{body}" for name, body in texts)
    return Reply(text=escape(f"{whole}\n\nIf it is right: migrate review {found.id} --field note=…"))


def _item(name: str) -> Item:
    wanted = name.strip().lower()
    if wanted not in set(Item):
        raise Invalid(f"“{name.strip()}” is no item of the checklist." if wanted else "No item was chosen.", _NAMES)
    return Item(wanted)


def _said(found: Preparation, words: str) -> Reply:
    text = clip(f"{words} ({escape(found.draft.plan.name)}, {found.id})", _LENGTH)
    return Reply(text=text, channel=found.draft.plan.channel)
