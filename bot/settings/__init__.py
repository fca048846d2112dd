"""Configuration: secrets from the environment, targets from one TOML file.  Read once, passed down, never imported.

``process`` the process's own settings · ``secrets`` variables and mounted files · ``models`` the targets file ·
``file`` reading it · ``targets`` what the bot makes of it · ``schema`` for editors · ``places``, ``near`` for errors.
"""

from bot.settings.errors import ConfigurationError as ConfigurationError
from bot.settings.file import placed as placed
from bot.settings.file import read_targets as read_targets
from bot.settings.models import Operator as Operator
from bot.settings.models import PolicyConfig as PolicyConfig
from bot.settings.models import RollbackConfig as RollbackConfig
from bot.settings.models import ServiceConfig as ServiceConfig
from bot.settings.models import TargetConfig as TargetConfig
from bot.settings.models import TargetsFile as TargetsFile
from bot.settings.process import Settings as Settings
from bot.settings.process import SlackSettings as SlackSettings
from bot.settings.process import read_settings as read_settings
from bot.settings.secrets import secret as secret
from bot.settings.targets import require_apart as require_apart
from bot.settings.targets import target_of as target_of
from bot.settings.targets import targets_of as targets_of
