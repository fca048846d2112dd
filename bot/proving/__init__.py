"""What the bot proves of a plan by itself: the checklist's items that it can look at.

``subject`` what is looked at and what a look answers · ``prover`` all looks at once, each bounded in time ·
``window``, ``on_call``, ``platform`` the looks that need nothing but ports · ``traffic`` how busy an hour usually is.
What looks into a database or a file is with its own integration.
"""
