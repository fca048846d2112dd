"""Pictures for people: charts of measurements as PNG."""
