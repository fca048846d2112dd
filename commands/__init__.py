"""The Slack surface: the table of verbs.  One file per use case; the command line uses the same table."""

from collections.abc import Mapping

from bot.views.ids import Verb
from commands import answer, look, start, steer
from commands.desk import UseCase

VERBS: Mapping[Verb, UseCase] = {
    Verb.HELP: look.help_,
    Verb.START: start.start,
    Verb.STATUS: look.status,
    Verb.LOGS: look.logs,
    Verb.HISTORY: look.history,
    Verb.APPROVE: answer.approve,
    Verb.REJECT: answer.reject,
    Verb.CANCEL_BLOCKER: answer.cancel_blocker,
    Verb.KEEP_WAITING: answer.keep_waiting,
    Verb.HOLD: steer.reasoned(Verb.HOLD),
    Verb.ABORT: steer.reasoned(Verb.ABORT),
    Verb.ROLLBACK: steer.reasoned(Verb.ROLLBACK),
    Verb.TAKEOVER: steer.reasoned(Verb.TAKEOVER),
    Verb.CLOSE: steer.reasoned(Verb.CLOSE),
    Verb.RESUME: steer.plain(Verb.RESUME),
    Verb.RETRY: steer.plain(Verb.RETRY),
}
