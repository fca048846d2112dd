"""The pure core: what a migration run is, what may happen to it, and in whose words.

No input or output, no clock, no logging; standard library only.  Read in this order:
``steps`` (the runbook as data), ``run`` (the state), ``intents`` and ``events`` (what is asked, what
happened), ``decide`` (intent -> events), ``apply`` (event -> run), ``timers`` (what is due).
"""
