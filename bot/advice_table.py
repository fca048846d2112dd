"""The table of troubleshooting: one entry for each kind of error; ``bot.advice`` finds them.

The first four are the runbook's "Common Issues and Resolutions".  Every entry is met for real, or replayed from what
was once met, in ``tests/integrations/postgres/test_troubleshooting.py``.
"""

from dataclasses import dataclass

IN_ONE = "What ran in one transaction is undone; nothing of it stays."
BEGUN = "Nothing had begun."
RETRY = "type /migrate retry"


@dataclass(frozen=True, kw_only=True)
class Advice:
    """``states`` are SQLSTATEs, ``words`` a pattern for errors that come without one; ``changed`` says what is known of
    the database by the error alone, which the run's own evidence may better."""

    name: str
    states: tuple[str, ...] = ()
    words: str = ""
    happened: str
    changed: str = IN_ONE
    do: str


TABLE = (
    Advice(
        name="Foreign key constraint violation",
        states=("23503",),
        words=r"violates foreign key constraint",
        happened="A row refers to a row that is not there.",
        do="Check data integrity before the migration and see that parent rows exist before their children. "
        "Consider adding the foreign key NOT VALID first and validating it separately.",
    ),
    Advice(
        name="Migration timeout",
        states=("57014",),
        words=r"canceling statement due to statement timeout",
        happened="A statement took longer than statement_timeout, or somebody cancelled it.",
        do="Raise the target's statement_timeout (the runbook names 600000 ms), break the migration into smaller "
        "batches, run large data changes as background jobs, or use expand-contract.",
    ),
    Advice(
        name="Application cannot connect",
        states=("08006", "08001", "08003", "08004", "57P02", "57P03"),
        words=r"connection refused|could not connect|could not translate host name|server closed the connection"
        r"|connection to server .*(timed? ?out|no route|unreachable|reset)",
        happened="No connection to the database could be made, or it was lost.",
        changed="What was under way on a lost connection is undone by the server; the bot looks before it goes on.",
        do="Check that the database is running, the connection string is right and the connection pool is not "
        "exhausted; then restart the services.",
    ),
    Advice(
        name="New columns or tables not visible",
        states=("42703", "42P01"),
        words=r"(column|relation) .* does not exist",
        happened="A statement names a column or table that is not there.",
        do="See whether an earlier migration that adds it was applied, and in the right order; afterwards regenerate "
        "the database client, redeploy the application and see that no schema cache is stale.",
    ),
    Advice(
        name="Lock not available",
        states=("55P03",),
        words=r"lock (wait )?timeout|could not obtain lock",
        happened="Another session kept a lock for longer than lock_timeout; the bot has tried as often as is set.",
        do="End that session (it is named, and can be cancelled after approval) or wait for a quieter moment, then "
        f"{RETRY}.",
    ),
    Advice(
        name="Deadlock",
        states=("40P01",),
        words=r"deadlock detected",
        happened="Two sessions waited for each other, and the server ended one of them.",
        do=f"Stop what else writes to these tables, then {RETRY}.",
    ),
    Advice(
        name="Could not serialize",
        states=("40001",),
        happened="Somebody else changed the same rows at the same time.",
        do=f"Stop what else writes to these tables, then {RETRY}.",
    ),
    Advice(
        name="Disk full",
        states=("53100",),
        words=r"No space left on device|could not extend file",
        happened="The server's disk, or that of the backups, is full.",
        do=f"Make room there first, or set the target's backups folder to a larger disk; then {RETRY}.",
    ),
    Advice(
        name="Out of memory",
        states=("53200",),
        words=r"out of memory",
        happened="The server had no memory for the statement.",
        do=f"Lower work_mem or maintenance_work_mem, or split the statement; then {RETRY}.",
    ),
    Advice(
        name="Too many connections",
        states=("53300",),
        words=r"too many (clients|connections)|remaining connection slots",
        happened="Every connection of the server, of the role or of the database is taken.",
        changed=BEGUN,
        do=f"Stop idle clients or raise max_connections, then {RETRY}.",
    ),
    Advice(
        name="Permission denied",
        states=("42501",),
        words=r"permission denied|must be owner",
        happened="The role may not do this.",
        do="Run the migration as the owner of the objects, or grant what is missing.",
    ),
    Advice(
        name="Password or role refused",
        states=("28P01", "28000"),
        words=r"password authentication failed|no pg_hba.conf entry|role .* does not exist",
        happened="The server does not let this role in.",
        changed=BEGUN,
        do="Check the variable that the target's dsn_env names, and the server's pg_hba.conf.",
    ),
    Advice(
        name="No such database",
        states=("3D000",),
        words=r"database .* does not exist",
        happened="The server has no database of that name.",
        changed=BEGUN,
        do="Check the connection string; a switch that was interrupted is finished by the bot itself: look at the run.",
    ),
    Advice(
        name="Column exists already",
        states=("42701",),
        words=r"column .* already exists",
        happened="The column is there already.",
        do="See whether the migration was applied by hand, and mend the file.",
    ),
    Advice(
        name="Table exists already",
        states=("42P07", "42P06", "42710", "42723"),
        words=r"(relation|schema|constraint|type|function) .* already exists",
        happened="What is to be created is there already.",
        do="See whether the migration was applied by hand, and mend the file or the database.",
    ),
    Advice(
        name="Rows without a value",
        states=("23502",),
        words=r"contains null values|violates not-null constraint",
        happened="NOT NULL was asked of rows that have no value.",
        do="Fill the column first, or add it with a default, and only then set NOT NULL.",
    ),
    Advice(
        name="Duplicate values",
        states=("23505",),
        words=r"could not create unique index|duplicate key value",
        happened="Values that are to be unique are there twice.",
        do="Find and merge them before the unique index or constraint is added.",
    ),
    Advice(
        name="Rows break a check",
        states=("23514",),
        words=r"is violated by some row|violates check constraint",
        happened="Rows that are there already break the new check.",
        do="Mend them first, or add the constraint NOT VALID and validate it later.",
    ),
    Advice(
        name="Overlapping rows",
        states=("23P01",),
        happened="Rows break an exclusion constraint.",
        do="Mend them before the constraint is added.",
    ),
    Advice(
        name="Not in a transaction",
        states=("25001",),
        words=r"cannot run inside a transaction block|cannot be executed .*within a pipeline",
        happened="The statement commits by itself, so it cannot be part of a transaction.",
        do="Put the statement into a file of its own.",
    ),
    Advice(
        name="Read-only",
        states=("25006",),
        words=r"in a read-only transaction",
        happened="The server or the role only reads: it is a replica, or default_transaction_read_only is set.",
        do="See that the connection string leads to the primary, and take the setting back.",
    ),
    Advice(
        name="New enum value used too early",
        states=("55P04",),
        words=r"unsafe use of new value",
        happened="A new enum value cannot be used in the transaction that adds it.",
        do="Add it in a file of its own.",
    ),
    Advice(
        name="Ended by an administrator",
        states=("57P01",),
        words=r"terminating connection due to administrator command",
        happened="The session was ended by an administrator or a shutdown.",
        do=f"Find out why, then {RETRY}.",
    ),
    Advice(
        name="Syntax error",
        states=("42601",),
        words=r"syntax error at",
        happened="The server cannot read the statement.",
        do="Mend the file; its approval is asked anew.",
    ),
    Advice(
        name="Unknown function or type",
        states=("42883", "42704"),
        words=r"(function|type|operator) .* does not exist",
        happened="A statement names a function, operator or type that is not there, or for other types of values.",
        do="Create the extension or the function first; see that the search_path is the one it was written for.",
    ),
    Advice(
        name="Others depend on it",
        states=("2BP01",),
        words=r"cannot drop .* because other objects depend on it",
        happened="A view, a key or another object uses what is to be dropped.",
        do="Drop or change those first; CASCADE takes them along and needs an approval more.",
    ),
    Advice(
        name="Value too long",
        states=("22001",),
        words=r"value too long for type",
        happened="Values do not fit into the new, shorter type.",
        do="Shorten them first, or choose a longer type.",
    ),
    Advice(
        name="Number out of range",
        states=("22003",),
        words=r"out of range",
        happened="Numbers do not fit into the new type.",
        do="Find them first, or choose a larger type.",
    ),
    Advice(
        name="Text that is no such value",
        states=("22P02", "22007", "22008"),
        words=r"invalid input (syntax|value)",
        happened="Text cannot be read as the new type.",
        do="Mend those rows first, or write a USING expression that can read them.",
    ),
    Advice(
        name="Encoding",
        states=("22021", "22P05"),
        words=r"invalid byte sequence for encoding|has no equivalent in encoding",
        happened="Bytes of the file or of a value are no text in the database's encoding.",
        do="Save the file as UTF-8, or set client_encoding at its beginning.",
    ),
    Advice(
        name="Types do not fit",
        states=("42804",),
        words=r"cannot be cast automatically|cannot be implemented",
        happened="A column's values, or a key's two sides, are of types that do not fit.",
        do="Say how they are changed: USING column::type.",
    ),
    Advice(
        name="Key without uniqueness",
        states=("42830",),
        words=r"no unique constraint matching given keys",
        happened="A foreign key may only refer to what is unique.",
        do="Add the unique constraint to the table that is referred to first.",
    ),
    Advice(
        name="Object in use",
        states=("55006",),
        words=r"is being accessed by other users|is being used by active queries|pending trigger events",
        happened="Somebody, or an earlier statement of the same transaction, still uses the object.",
        do=f"Put the statement into a file of its own, or wait for the others; then {RETRY}.",
    ),
    Advice(
        name="Not in that state",
        states=("55000",),
        happened="The object lacks what the statement asks of it, such as a unique index for REFRESH … CONCURRENTLY.",
        do="Read the server's words, create what is missing first, and mend the file.",
    ),
    Advice(
        name="Not supported",
        states=("0A000",),
        words=r"is not supported|not implemented",
        happened="PostgreSQL cannot do that, in this version or to such an object.",
        do="Read the server's words; write it another way (drop a view in the way first, say), or upgrade the server.",
    ),
    Advice(
        name="Too much for the server",
        states=("54000", "54001", "54011", "54023"),
        happened="A limit of PostgreSQL was passed, such as the number of columns.",
        do="Split the statement or the table.",
    ),
    Advice(
        name="Invalid index left behind",
        words=r"index .* is invalid|left an invalid index",
        happened="CREATE INDEX CONCURRENTLY failed half-way and left an index that is maintained and never used.",
        changed="The invalid index is there; no row was changed.",
        do=f"The bot drops it before it tries again: {RETRY}.",
    ),
    Advice(
        name="Client tools too old",
        words=r"server version mismatch|unsupported version \(.*\) in file header",
        happened="pg_dump and its kin must be at least as new as the server.",
        changed=BEGUN,
        do="Install client tools at least as new as the server, or set client_tools.",
    ),
    Advice(
        name="No TLS in the client tools",
        words=r"SSL support is not compiled in|sslmode value .* invalid when SSL support",
        happened="The packaged client tools cannot do TLS, and the server wants it.",
        changed=BEGUN,
        do="Install the PostgreSQL client tools: the packaged ones cannot do TLS.",
    ),
)
