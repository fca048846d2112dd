"""Limits of the PostgreSQL steps, in one value: nothing here is read from anywhere else."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Times are seconds, sizes bytes."""

    exact_count_below: int = 2 * 1024**3  # larger tables are estimated, and said so
    backup_time: float = 6 * 3600.0
    lock_wait: float = 30.0  # pg_dump's own wait for its table locks
    sample_every: float = 0.25
    terminate_after: float = 2.0  # a cancelled blocker that is still there is terminated
    orphan_wait: float = 3.0  # a dead attempt's session may end by itself
    orphan_end: float = 15.0  # and must be gone this long after it was terminated
    loud_wait: float = 30.0  # runbook step 4: locks "shouldn't block for >30 seconds"
    connect_check: str = "1s"  # a statement whose client died ends this soon (PostgreSQL 14+)
    verify_time: float = 600.0  # for the target's own validation command
    query_time: float = 60.0  # for each check's query
    salvage_time: float = 120.0  # for all tables together, while people wait for the way back
