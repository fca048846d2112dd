"""Point-in-time recovery where no platform is wired in: exact instructions for people, and what the bot cannot know."""

from bot.target import Target
from integrations.postgres.connect import masked


class ByHandRecovery:
    """``PointInTime`` for any hosting: possible as far as the bot knows, and entirely in people's hands."""

    async def offer(self, target: Target, moment: str) -> tuple[bool, str]:
        """The steps, numbered; whether the platform keeps enough write-ahead log is for people to see."""
        services = ", ".join(each.name for each in target.services) or "the services"
        steps = (
            f"in the hosting platform's console, recover {masked(target.dsn)} to {moment} into a NEW instance",
            "wait until it is up and compare it: schema before the migration, newest rows before that moment",
            f"stop {services} if they run; set their database URL (DATABASE_URL) to the new instance",
            f"start {services}, look at their health, and keep the old instance until the investigation is over",
            "close the run with a sentence on how it ended",
        )
        numbered = "; ".join(f"{number}) {text}" for number, text in enumerate(steps, start=1))
        return True, f"by hand: {numbered}. The bot cannot know whether the platform keeps so much history"
