"""The part of the composition root that names the sources of metrics."""

from collections.abc import Iterator, Mapping

from bot.ports import Source
from bot.settings import TargetConfig, TargetsFile
from integrations.newrelic.configured import new_relic
from integrations.prometheus.configured import prometheus
from integrations.render.site import Site
from integrations.render.source import RenderMetrics


def sources_of(file: TargetsFile, sites: Mapping[str, Site]) -> dict[str, tuple[Source, ...]]:
    """The systems that have metrics of each target; raises ``ConfigurationError`` where a key is missing."""
    return {name: tuple(_sources(name, config, sites.get(name))) for name, config in file.targets.items()}


def _sources(target: str, config: TargetConfig, site: Site | None) -> Iterator[Source]:
    if config.newrelic is not None:
        yield new_relic(target, config.newrelic)
    if config.prometheus is not None:
        yield prometheus(target, config.prometheus)
    if site is not None and config.render is not None and config.render.metrics:
        yield RenderMetrics(site)
