"""Prisma's error codes as sentences: what each means here, and what to do about it.

https://www.prisma.io/docs/orm/reference/error-reference; codes of the Prisma Client (P2…) never come from Migrate.
"""

from dataclasses import dataclass

from bot.advice import CANNOT_CONNECT

_RETRY = "then type /migrate retry"
_SHADOW = "Only `prisma migrate dev` and `migrate diff` need a shadow database"


@dataclass(frozen=True, kw_only=True)
class Code:
    """``meaning`` is half a sentence about the database or the project; ``advice`` says what to do.

    ``reached``: the database was reached, so it may have been changed; without it nothing was.
    """

    meaning: str
    advice: str
    reached: bool = False


CODES = {
    "P1000": Code(
        meaning="the database refuses the role or its password",
        advice=f"Check the variable that the target's dsn_env names; {_RETRY}.",
    ),
    "P1001": Code(meaning="the database's host cannot be reached", advice=CANNOT_CONNECT),
    "P1002": Code(
        meaning="the database was reached and did not answer in time; with Prisma's advisory lock (72707369) in its "
        "words, another `prisma migrate` holds that lock",
        advice=f"End whoever holds the lock (it is named above, where somebody does), {_RETRY}. With a pooler in "
        "between use the direct connection: a lock of a session does not survive one.",
        reached=True,
    ),
    "P1003": Code(
        meaning="there is no such database or schema",
        advice=f"Check the database's name in the target's connection string and prisma.database_schema; {_RETRY}.",
    ),
    "P1008": Code(
        meaning="an operation took too long",
        advice=f"See in /migrate logs which; what was committed before is told above. Mend the cause, {_RETRY}.",
        reached=True,
    ),
    "P1009": Code(
        meaning="the database to be made exists already",
        advice=f"Check the database's name in the target's connection string; {_RETRY}.",
    ),
    "P1010": Code(
        meaning="the role may not use the database",
        advice=f"As the database's owner grant it (GRANT ALL ON DATABASE … and on its schema), {_RETRY}.",
    ),
    "P1011": Code(
        meaning="the TLS connection failed",
        advice="Check sslmode and the certificate in the target's connection string; Prisma reads the root certificate "
        "as sslcert. Then type /migrate retry.",
    ),
    "P1012": Code(
        meaning="the Prisma schema is not valid, or an environment variable it names is missing",
        advice=f"Run `prisma validate`; name every variable of the datasource in prisma.url_variables; {_RETRY}.",
    ),
    "P1013": Code(
        meaning="the connection string is not one that Prisma can read",
        advice="Write it as postgresql://ROLE:PASSWORD@HOST:PORT/DATABASE, special characters percent-encoded.",
    ),
    "P1014": Code(
        meaning="a table or view that the schema speaks of is not in the database",
        advice="See whether an earlier migration was applied; compare with `prisma migrate status`.",
    ),
    "P1015": Code(
        meaning="the schema uses what this version of the database does not have",
        advice="Upgrade the database, or take the feature out of the schema.",
    ),
    "P1016": Code(meaning="a query had the wrong number of parameters", advice="Update Prisma.", reached=True),
    "P1017": Code(
        meaning="the server closed the connection",
        advice="Find out who ended it (a restart, an administrator, a time-out of a pooler); what is in is told above.",
        reached=True,
    ),
    "P3000": Code(
        meaning="the database could not be made", advice="Make it by hand, or grant the role CREATEDB; then retry."
    ),
    "P3001": Code(
        meaning="the migration would lose data", advice="Write it in steps that keep the data (expand and contract)."
    ),
    "P3002": Code(
        meaning="an attempted migration was rolled back",
        advice="Read the database's error in /migrate logs, mend the migration and start again.",
        reached=True,
    ),
    "P3003": Code(
        meaning="the migrations are in a format of an old Prisma",
        advice="Move to `prisma migrate` as its upgrade guide says, before anything is applied here.",
    ),
    "P3004": Code(
        meaning="it is a system database, which Prisma does not change",
        advice="Check the database's name in the target's connection string.",
    ),
    "P3005": Code(
        meaning="the database is not empty and has no list of Prisma's migrations",
        advice="Baseline it first: `prisma migrate resolve --applied NAME` for every migration that is in already "
        "(https://www.prisma.io/docs/orm/prisma-migrate/workflows/baselining). See that it is the right database.",
    ),
    "P3006": Code(
        meaning="a migration does not apply to the shadow database",
        advice=f"{_SHADOW}: use `prisma migrate deploy` against this one, and mend the migration in development.",
    ),
    "P3008": Code(
        meaning="the migration is listed as applied already",
        advice=f"Nothing needs marking. Compare with `prisma migrate status`, {_RETRY}.",
        reached=True,
    ),
    "P3009": Code(
        meaning="a migration failed earlier and is still listed as failed, so nothing new is applied",
        advice="Type /migrate retry: the bot compares the schema with the migration, and proposes what to do about it.",
        reached=True,
    ),
    "P3010": Code(meaning="a migration's name is too long", advice="Shorten the folder's name to 254 bytes at most."),
    "P3011": Code(
        meaning="the migration was never begun here, so it cannot be marked as rolled back",
        advice=f"Nothing needs marking. Compare the name with `prisma migrate status`, {_RETRY}.",
        reached=True,
    ),
    "P3012": Code(
        meaning="the migration did not fail here, so it cannot be marked as rolled back",
        advice="What is applied is taken out by its DOWN script or by going back, not by `migrate resolve`.",
        reached=True,
    ),
    "P3013": Code(
        meaning="the datasource lists several providers", advice='Write provider = "postgresql" in the datasource.'
    ),
    "P3014": Code(
        meaning="the shadow database cannot be made",
        advice=f"{_SHADOW}, and those are for development: run `prisma migrate deploy` here.",
    ),
    "P3015": Code(
        meaning="a migration folder has no migration.sql",
        advice="Put the file back from version control, or remove the empty folder; the question is asked anew.",
    ),
    "P3016": Code(
        meaning="the database could not be reset",
        advice="Nobody resets this database: see which command was configured.",
        reached=True,
    ),
    "P3017": Code(
        meaning="there is no migration folder of that name",
        advice="Put the folder back from version control, with its migration.sql; then type /migrate retry.",
    ),
    "P3018": Code(
        meaning="a migration failed to apply, and nothing new is applied until that is settled",
        advice="Read the database's own error above.",
        reached=True,
    ),
    "P3019": Code(
        meaning="the provider in migration_lock.toml is not the one of the schema",
        advice="These migrations were made for another kind of database. Check prisma.schema and the branch.",
    ),
    "P3020": Code(
        meaning="shadow databases cannot be made automatically here", advice=f"{_SHADOW}: neither is used here."
    ),
    "P3021": Code(
        meaning="foreign keys cannot be made on this database",
        advice="Set relationMode as Prisma's documentation says for this platform.",
    ),
    "P3022": Code(
        meaning="changes of the schema are not allowed on this branch of the platform's database",
        advice="Use the platform's own way of deploying changes.",
    ),
}
