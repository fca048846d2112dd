"""From the targets file to the sites of the targets that are on Render."""

from bot.render_settings import RenderConfig
from bot.settings import TargetsFile, secret
from integrations.render.site import Patience, Site


def sites_of(file: TargetsFile) -> dict[str, Site]:
    """The targets that are on Render, with their keys."""
    return {name: site_of(name, config.render) for name, config in file.targets.items() if config.render is not None}


def site_of(target: str, config: RenderConfig) -> Site:
    """One of them; raises ``ConfigurationError`` without its key."""
    return Site(
        services=config.services,
        key=secret(config.api_key_env, f"targets.{target}.render.api_key_env"),
        key_name=config.api_key_env,
        postgres=config.postgres,
        job_service=config.job_service or "",
        export=config.export,
        url=config.url,
        patience=Patience(look=config.look_seconds),
    )
