"""Metrics of the services from New Relic, by NerdGraph."""
