"""What every mistake in the configuration becomes."""


class ConfigurationError(Exception):
    """Something in the configuration is missing or wrong; the text says where, and what to write instead.

    ``entry`` is the place in the targets file that it is about, e.g. ``targets.casework.dsn_env``; empty for none.
    """

    def __init__(self, words: str, *, entry: str = "") -> None:
        super().__init__(words)
        self.entry = entry
