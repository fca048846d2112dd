"""Everything the bot may say no to, as a tree of typed errors whose text is for the person.

Refusal
├── Unauthorised
│   ├── NotAMember          guests, strangers, deactivated accounts
│   ├── NotAnApprover
│   ├── NotAnOwner
│   ├── SelfApproval
│   ├── NotTheKeeper
│   └── NotAsked            a check is answered by whom it is asked of
├── Stale                   the world moved on since the button was drawn, or the worker lost its claim
│   ├── AlreadyAnswered
│   ├── AlreadyApproved
│   └── DigestChanged
├── NotNow                  the intent makes sense, but not in this state
│   ├── StepRunning
│   ├── WouldLeaveUndone
│   ├── RungImpossible
│   ├── NotReady            the plan lacks something for its start, listed
│   └── AlreadyFinal
├── Invalid                 what was typed cannot be taken
│   ├── WrongWord
│   └── ReasonNeeded
└── TargetBusy              another run holds the database

Each says what is refused and, in ``next_action``, what to do instead.
"""


class Refusal(Exception):
    """A no with a way forward.  ``str()`` is the text for the person; ``people`` are who can help."""

    def __init__(self, what: str, next_action: str, *, people: frozenset[str] = frozenset()) -> None:
        super().__init__(f"{what} {next_action}")
        self.what = what
        self.next_action = next_action
        self.people = people


class Unauthorised(Refusal):
    """This person may not do this."""


class NotAMember(Unauthorised):
    """Guests, people of other organisations and deactivated accounts decide nothing."""


class NotAnApprover(Unauthorised):
    """Not among those the target's policy names."""


class NotAnOwner(Unauthorised):
    """Only owners and approvers steer a run."""


class SelfApproval(Unauthorised):
    """The person who started a run does not approve it."""


class NotTheKeeper(Unauthorised):
    """Only the person who holds a handed-over run, or an owner, ends it."""


class NotAsked(Unauthorised):
    """A check by hand is answered by the people it names, or by those who steer."""


class Stale(Refusal):
    """What was answered is no longer the question."""


class AlreadyAnswered(Stale):
    """Somebody else was first."""


class AlreadyApproved(Stale):
    """The same person's second yes is not a second approval."""


class DigestChanged(Stale):
    """What would run is not what was shown."""


class NotNow(Refusal):
    """It makes sense, but not in the present state."""


class StepRunning(NotNow):
    """A step that cannot be interrupted is running."""


class WouldLeaveUndone(NotNow):
    """Ending now would leave the database changed or the services down."""


class RungImpossible(NotNow):
    """That way back cannot be gone now."""


class NotReady(NotNow):
    """The plan cannot start yet; ``missing`` says exactly what is missing, line by line."""

    def __init__(self, what: str, next_action: str, missing: tuple[str, ...]) -> None:
        super().__init__(what, next_action)
        self.missing = missing
        self.args = ("\n".join((what, *(f"• {each}" for each in missing), next_action)),)


class AlreadyFinal(NotNow):
    """The run is over."""


class Invalid(Refusal):
    """What was typed cannot be taken."""


class WrongWord(Invalid):
    """The typed confirmation does not match."""


class ReasonNeeded(Invalid):
    """A no, a hold and an abort are recorded with a reason."""


class TargetBusy(Refusal):
    """One active run per database."""
