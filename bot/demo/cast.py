"""The people of the demo: who may do what in the sample company's workspace."""

from bot.demo.workspace.seed import Channel, Person, Seed, UserGroup

ENGINEERING = "C0ENG0001"
STARTER = "U0DANA001"
FIRST_APPROVER = "U0ALEX001"
SECOND_APPROVER = "U0PRIYA01"
ON_CALL = "U0OMAR001"
OUTSIDER = "U0LEE0001"
GUEST = "U0GUS0001"
APPROVERS_GROUP = "S0DBA0001"
ON_CALL_GROUP = "S0ONCALL1"

PEOPLE = (
    Person(id=STARTER, name="dana", real_name="Dana Ruiz", title="owner"),
    Person(id=FIRST_APPROVER, name="alex", real_name="Alex Chen", title="approver"),
    Person(id=SECOND_APPROVER, name="priya", real_name="Priya Nair", title="approver"),
    Person(id=ON_CALL, name="omar", real_name="Omar Haddad", title="on call"),
    Person(id=OUTSIDER, name="lee", real_name="Lee Brandt", title="outsider"),
    Person(id=GUEST, name="gus", real_name="Gus Moreau", title="guest", is_restricted=True),
)


def person(user_id: str) -> Person:
    """Somebody of the cast."""
    return next(each for each in PEOPLE if each.id == user_id)


def seed() -> Seed:
    """#engineering with its people, the approvers' and the on-call group, and the bot."""
    bot = Person(id="U0MIGRATE", name="migrate", real_name="Migrate", is_bot=True)
    members = (*(each.id for each in PEOPLE), bot.id)
    return Seed(
        bot=bot,
        users=PEOPLE,
        channels=(Channel(id=ENGINEERING, name="engineering", members=members),),
        usergroups=(
            UserGroup(id=APPROVERS_GROUP, handle="dba-approvers", users=(FIRST_APPROVER, SECOND_APPROVER)),
            UserGroup(id=ON_CALL_GROUP, handle="on-call", users=(ON_CALL,)),
        ),
    )
