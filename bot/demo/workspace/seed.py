"""What a workspace starts with: its team, people, channels, groups, app and tokens."""

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Person:
    """A member as users.info tells of them (docs.slack.dev/reference/objects/user-object).

    `title` is what they do there.  `is_stranger`: from another company, through Slack Connect; `team_id` is
    then that company's.
    """

    id: str
    name: str
    real_name: str
    title: str = ""
    team_id: str = "T0DEMO001"
    tz: str = "Etc/UTC"
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    deleted: bool = False
    is_stranger: bool = False
    is_bot: bool = False

    @property
    def email(self) -> str:
        """Of nobody real (RFC 2606)."""
        return f"{self.name}@example.com"


@dataclass(frozen=True, kw_only=True)
class Channel:
    """A conversation; `members` are user ids. `im_user` is set for a direct message with the bot."""

    id: str
    name: str
    members: tuple[str, ...]
    is_private: bool = False
    is_ext_shared: bool = False
    im_user: str | None = None


@dataclass(frozen=True, kw_only=True)
class UserGroup:
    """A user group such as @dba; `users` are user ids."""

    id: str
    handle: str
    users: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Seed:
    """The whole workspace at its start.

    `scopes`: granted bot scopes; None grants all. `request_url`: deliver over signed HTTP instead of Socket
    Mode. `escape_commands`: the manifest's `should_escape` (mentions in a command become `<@U1|name>`).
    """

    bot: Person
    users: tuple[Person, ...]
    channels: tuple[Channel, ...]
    usergroups: tuple[UserGroup, ...] = ()
    commands: tuple[str, ...] = ("/migrate",)
    team_id: str = "T0DEMO001"
    team_name: str = "Demo"
    team_domain: str = "demo"
    app_id: str = "A0DEMO001"
    bot_id: str = "B0DEMO001"
    bot_token: str = field(default="xoxb-local-workspace", repr=False)
    app_token: str = field(default="xapp-local-workspace", repr=False)
    signing_secret: str = field(default="local-signing-secret", repr=False)
    verification_token: str = field(default="local-verification", repr=False)
    scopes: tuple[str, ...] | None = None
    request_url: str | None = None
    escape_commands: bool = True

    def person(self, user_id: str) -> Person | None:
        """Find a user, the bot included."""
        return next((p for p in (*self.users, self.bot) if p.id == user_id), None)

    @property
    def humans(self) -> tuple[Person, ...]:
        """People who can act here."""
        return tuple(p for p in self.users if not (p.is_bot or p.deleted))

    @property
    def conversations(self) -> dict[str, Channel]:
        """Every channel, and a direct message with the bot for each human, by id."""
        direct = (
            Channel(id=f"D{p.id[1:]}", name=self.bot.name, members=(p.id, self.bot.id), im_user=p.id)
            for p in self.humans
        )
        return {c.id: c for c in (*self.channels, *direct)}
