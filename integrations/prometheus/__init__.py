"""Metrics of the services from a Prometheus, by its query API."""
