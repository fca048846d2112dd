"""The names by which Slack and the bot know each other's buttons, modals and fields: one place only.

A button's ``action_id`` and a modal's ``callback_id`` are ``migrate.<verb>``, of several buttons for one verb in a row
``migrate.<verb>.<which>``; a field's block is named by ``Field``
and its element ``migrate.<field>``.  Find a field by its action id: the blocks that depend on the target carry a hash
of it (``files:…``) once another one was chosen: Slack keeps what was picked under an unchanged name.
"""

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum

_PREFIX = "migrate."
_VALUE_LIMIT = 2000  # /block-elements/button
_OPTION_LIMIT = 150  # /composition-objects/option


class Verb(StrEnum):
    """Everything that can be asked for, by command, button or modal."""

    HELP = "help"
    START = "start"
    STATUS = "status"
    APPROVE = "approve"
    REJECT = "reject"
    HOLD = "hold"
    RESUME = "resume"
    RETRY = "retry"
    FIX = "fix"
    ABORT = "abort"
    ROLLBACK = "rollback"
    TAKEOVER = "takeover"
    CLOSE = "close"
    RUNG = "rung"
    EXTEND = "extend"
    CLEANUP = "cleanup"
    LOGS = "logs"
    HISTORY = "history"
    REPORT = "report"
    NO_SPIKE = "no_spike"
    SPIKE = "spike"
    ANOMALIES = "anomalies"
    ANALYZE = "analyze"
    WORKS = "works"
    BROKEN = "broken"
    KEEP_WAITING = "keep_waiting"
    CANCEL_BLOCKER = "cancel_blocker"
    PLAN = "plan"
    EDIT = "edit"
    POSTPONE = "postpone"
    CANCEL = "cancel"
    CHECKLIST = "checklist"
    TICK = "tick"
    UNTICK = "untick"
    WAIVE = "waive"
    AGREE = "agree"
    REVIEW = "review"
    DRILL = "drill"
    GO = "go"
    NO_GO = "no_go"
    DOCTOR = "doctor"
    TROUBLESHOOT = "troubleshoot"
    HANDOVER = "handover"
    ACCEPT = "accept"

    @property
    def id(self) -> str:
        """Its ``action_id``, and the ``callback_id`` of its modal."""
        return _PREFIX + self.value


class Field(StrEnum):
    """The fields of the modals: ``block_id`` is the value, ``action_id`` is ``.id``.

    ``NAME`` ``PURPOSE`` ``REASON`` ``WORD``: plain_text_input. ``MINUTES`` ``ENVELOPE_ROWS`` ``ENVELOPE_MINUTES``
    ``DEADLINE`` (hours): number_input (text of a number).
    ``TARGET`` (dispatches block_actions when changed) ``RISK`` ``DOWNTIME`` (``yes``/``no``): static_select.
    ``FILES``: multi_static_select whose values are ``choice(file name)``; ``ITEMS``: likewise, of checklist items.
    ``ITEM`` ``PLAN`` ``REHEARSE`` (``yes``/``no``): static_select. ``WINDOW``: datetimepicker (epoch seconds).
    ``EXECUTOR`` ``ON_CALL`` ``SUPPORT`` ``RECEIVER``: users_select. ``LENGTH`` (minutes): number_input.
    ``FEATURES`` ``STAKEHOLDERS`` ``EVIDENCE`` ``NOTE``: plain_text_input.
    """

    NAME = "name"
    TARGET = "target"
    PURPOSE = "purpose"
    FILES = "files"
    DOWNTIME = "downtime"
    MINUTES = "minutes"
    RISK = "risk"
    DEADLINE = "deadline"
    ENVELOPE_ROWS = "envelope_rows"
    ENVELOPE_MINUTES = "envelope_minutes"
    REASON = "reason"
    WORD = "word"
    WINDOW = "window"
    LENGTH = "length"
    EXECUTOR = "executor"
    ON_CALL = "on_call"
    SUPPORT = "support"
    FEATURES = "features"
    STAKEHOLDERS = "stakeholders"
    REHEARSE = "rehearse"
    ITEMS = "items"
    ITEM = "item"
    EVIDENCE = "evidence"
    NOTE = "note"
    PLAN = "plan"
    RECEIVER = "receiver"

    @property
    def id(self) -> str:
        """Its ``action_id``."""
        return _PREFIX + self.value


@dataclass(frozen=True, kw_only=True)
class ActionValue:
    """What a button was drawn for: the run, and the question (number, digest) or blocker (digest) it answers.

    In the list of ways back ``digest`` is the rung, because an option has room for little; of a check by hand it is the
    check's name, and of what may help a failed step which of them.  Of a plan before its start
    ``run`` is the plan's id, and ``digest`` the files that were shown or the item of the checklist.
    """

    run: str = ""
    number: int = 0
    digest: str = ""


class BadValue(ValueError):
    """A button's value that this version cannot read: an old message, or not ours."""

    def __init__(self) -> None:
        super().__init__("This button was drawn by another version of the bot. Type /migrate status for a fresh one.")


def verb_of(action_id: str) -> Verb | None:
    """The verb of an ``action_id`` or ``callback_id``; ``None`` when it is not one of ours."""
    name = action_id.removeprefix(_PREFIX).partition(".")[0]
    return Verb(name) if action_id.startswith(_PREFIX) and name in set(Verb) else None


def encode_value(value: ActionValue) -> str:
    """Compact JSON for a button's ``value`` or a modal's ``private_metadata``."""
    body = {"run": value.run, "n": value.number, "digest": value.digest}
    return json.dumps({name: each for name, each in body.items() if each}, separators=(",", ":"))


def decode_value(text: str) -> ActionValue:
    """The value back; raises ``BadValue`` for anything ``encode_value`` could not have written."""
    if len(text) > _VALUE_LIMIT:
        raise BadValue
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        raise BadValue from None
    if not isinstance(body, dict) or not body.keys() <= {"run", "n", "digest"}:
        raise BadValue
    run, number, digest = body.get("run", ""), body.get("n", 0), body.get("digest", "")
    if not isinstance(run, str) or not isinstance(digest, str) or type(number) is not int:
        raise BadValue
    return ActionValue(run=run, number=number, digest=digest)


def choice(name: str) -> str:
    """An option's value for a name: the name, or its hash where Slack's 150 characters do not suffice."""
    return name if 0 < len(name) <= _OPTION_LIMIT else f"sha256:{hashlib.sha256(name.encode()).hexdigest()}"
