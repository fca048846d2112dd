"""Prometheus as the targets file has it, with token or password from the environment."""

from bot.metrics_settings import PrometheusConfig
from bot.settings import secret
from integrations.prometheus.site import AGE, PrometheusSite
from integrations.prometheus.source import Prometheus


def prometheus(target: str, config: PrometheusConfig) -> Prometheus:
    """The source; raises ``ConfigurationError`` for a secret that is not set."""
    entry = f"targets.{target}.prometheus"
    site = PrometheusSite(
        url=config.url,
        selector=config.selector,
        queries={figure.value: query for figure, query in config.queries.items()},
        age=config.age or AGE,
        window=config.window_seconds,
        token=secret(config.token_env, f"{entry}.token_env") if config.token_env else "",
        username=config.username,
        password=secret(config.password_env, f"{entry}.password_env") if config.password_env else "",
        key_name=config.token_env or config.password_env or f"{entry}.url",
    )
    return Prometheus(site)
