"""Who people are to a run, and who may do what: looked up anew at every click, held against the plan's policy."""

from dataclasses import dataclass, field, replace


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody who acts, as Slack or the command line knew them at that moment.

    ``groups`` are the ids of the user groups they belong to (already resolved, never cached here).
    """

    id: str
    name: str
    groups: frozenset[str] = frozenset()
    guest: bool = False  # users.info is_restricted or is_ultra_restricted
    stranger: bool = False  # from another organisation (Slack Connect)
    inactive: bool = False  # deactivated, or a bot
    zone: str = "UTC"  # the IANA name of the time zone they live by

    def is_one_of(self, allowed: frozenset[str]) -> bool:
        """Is this person named in ``allowed`` (user or group ids), directly or through a group?"""
        return self.id in allowed or bool(self.groups & allowed)


@dataclass(frozen=True, kw_only=True)
class Policy:
    """Who may do what to a target; copied into the plan so that a run keeps its own rules.

    ``approvers``, ``owners`` and ``on_call`` hold user ids and user-group ids.  ``quorum`` is how many
    different approvers a question needs.
    """

    approvers: frozenset[str]
    owners: frozenset[str] = frozenset()
    on_call: frozenset[str] = frozenset()
    quorum: int = 1
    self_approval: bool = False

    def mention(self, level: int) -> frozenset[str]:
        """Whom reminder number ``level`` calls: the approvers, then owners too, then the on-call."""
        return (self.approvers, self.approvers | self.owners, self.approvers | self.owners | self.on_call)[
            min(level, 2)
        ]


@dataclass(frozen=True, kw_only=True)
class Timing:
    """How long things wait, in seconds.  Numbers with a source: the runbook's 15-minute status updates and
    30 minutes of monitoring; the rest are ours."""

    status_every: float = 900.0  # runbook step 1: "Status updates: Every 15 minutes"
    monitor_for: float = 1800.0  # runbook step 7: 30 minutes
    watch_back_for: float = 900.0  # runbook "Rollback Steps", 6: "Monitor for 15 minutes"
    sample_every: float = 30.0
    remind_after: tuple[float, ...] = (300.0, 900.0, 1800.0)  # mention, group, on-call
    question_life: float = 3600.0  # then it is described and asked anew
    grant_life: float = 1200.0  # an approval not used within 20 minutes no longer counts
    nudge_every: float = 900.0  # held, stuck and handed-over runs ask again
    kick_every: float = 60.0  # a running step whose job got lost is queued again
    sustained_for: float = 300.0  # runbook step 7: ">5 minutes"
    deadline_warning: float = 1800.0  # people hear of the rollback deadline half an hour before it passes
    follow_every: float = 300.0  # after completion: the slower pace of the runbook's "Extended Monitoring"
    follow_for: float = 86400.0  # runbook "Extended Monitoring (24 hours)"
    review_after: float = 172800.0  # runbook "Metrics Review (48 hours post-migration)"
    speed: float = 1.0  # how many times faster than life the waits run; only the demo changes it

    def faster(self, speed: float) -> "Timing":
        """The same periods of waiting, ``speed`` times shorter; neither work nor people's time is compressed."""
        return replace(
            self,
            status_every=self.status_every / speed,
            monitor_for=self.monitor_for / speed,
            watch_back_for=self.watch_back_for / speed,
            sample_every=max(self.sample_every / speed, 0.2),
            sustained_for=self.sustained_for / speed,
            follow_every=max(self.follow_every / speed, 0.2),
            follow_for=self.follow_for / speed,
            review_after=self.review_after / speed,
            speed=speed,
        )

    def followed_faster(self, life: "Timing", speed: float) -> "Timing":
        """These, but what comes after a run is ``speed`` times shorter than in ``life``."""
        return replace(
            self,
            follow_every=max(life.follow_every / speed, 0.2),
            follow_for=life.follow_for / speed,
            review_after=life.review_after / speed,
        )


@dataclass(frozen=True, kw_only=True)
class Approval:
    """One person's yes to one digest."""

    person: str
    name: str
    at: float
    digest: str
    via: str = field(default="slack")
