"""What to do about PostgreSQL's commonest errors; the first four are the runbook's "Common Issues"."""

import re

FOREIGN_KEY = (
    "Check data integrity before the migration and see that parent rows exist before their children. "
    "Consider adding the foreign key NOT VALID first and validating it separately."
)
TIMES_OUT = (
    "Raise the target's statement_timeout (the runbook names 600000 ms), break the migration into smaller batches, "
    "run large data changes as background jobs, or use expand-contract."
)
CANNOT_CONNECT = (
    "Check that the database is running, the connection string is right and the connection pool is not exhausted; "
    "then restart the services."
)
NOT_VISIBLE = (
    "See whether an earlier migration that adds it was applied, and in the right order; afterwards regenerate the "
    "database client, redeploy the application and see that no schema cache is stale."
)
#: SQLSTATE (PostgreSQL documentation, Appendix A) -> what to do.
BY_STATE = {
    "23503": FOREIGN_KEY,
    "57014": TIMES_OUT,
    "08006": CANNOT_CONNECT,
    "08001": CANNOT_CONNECT,
    "42703": NOT_VISIBLE,
    "42P01": NOT_VISIBLE,
    "55P03": "Another session kept the lock: end it or wait for a quieter moment, then type /migrate retry.",
    "42P07": "It exists already: see whether the migration was applied by hand, and mend the file or the database.",
    "42701": "The column exists already: see whether the migration was applied by hand, and mend the file.",
    "23502": "Rows lack a value: fill the column first, or add it with a default, and only then set NOT NULL.",
    "23505": "Duplicate values: find and merge them before the unique index or constraint is added.",
    "23514": "Rows break the check: mend them first, or add the constraint NOT VALID and validate it later.",
    "42501": "The role may not do this: run the migration as the owner of the objects, or grant what is missing.",
    "53100": "The server's disk is full: make room there first. Nothing of the failed transaction stays.",
    "53300": "All connections are taken: stop idle clients or raise max_connections, then type /migrate retry.",
    "25001": "The statement cannot run in a transaction: put it into a file of its own.",
    "40P01": "Two sessions waited for each other: stop what else writes to these tables, then type /migrate retry.",
    "42601": "The SQL has a syntax error: mend the file; its approval is asked anew.",
    "55P04": "A new enum value cannot be used in the transaction that adds it: add it in a file of its own.",
    "57P01": "The session was ended by an administrator or a shutdown: find out why, then type /migrate retry.",
}
_BY_TEXT = (
    (r"server version mismatch", "Install client tools at least as new as the server, or set client_tools."),
    (r"SSL support is not compiled in", "Install the PostgreSQL client tools: the packaged ones cannot do TLS."),
    (r"permission denied", BY_STATE["42501"]),
    (r"No space left on device", "Free some space or set the target's backups folder to a larger disk."),
    (r"lock (wait )?timeout|could not obtain lock", BY_STATE["55P03"]),
    (r"connection refused|could not connect|connection to server", CANNOT_CONNECT),
)


def explain(state: str, text: str = "") -> str:
    """Advice for an SQLSTATE, else for what the text says, else whom to ask."""
    if state in BY_STATE:
        return BY_STATE[state]
    found = (advice for pattern, advice in _BY_TEXT if re.search(pattern, text, re.IGNORECASE))
    return next(found, "Read the step's log; mend the cause, then type /migrate retry.")
