"""A stand-in Slack on this machine, for the demo and for end-to-end tests."""

from bot.demo.workspace.seed import Channel, Person, Seed, UserGroup
from bot.demo.workspace.server import Workspace

__all__ = ["Channel", "Person", "Seed", "UserGroup", "Workspace"]
