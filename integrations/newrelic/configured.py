"""New Relic as the targets file has it, with the key from the environment."""

from bot.metrics_settings import NewRelicConfig
from bot.settings import secret
from integrations.newrelic.site import URLS, NewRelicSite
from integrations.newrelic.source import NewRelic


def new_relic(target: str, config: NewRelicConfig) -> NewRelic:
    """The source; raises ``ConfigurationError`` for a key that is not set."""
    site = NewRelicSite(
        account=config.account,
        key=secret(config.api_key_env, f"targets.{target}.newrelic.api_key_env"),
        key_name=config.api_key_env,
        apps=config.apps,
        entities=config.entities,
        where=config.where,
        window=config.window_seconds,
        url=config.url or URLS[config.region],
    )
    return NewRelic(site)
