"""The doctor: is everything there that a migration needs?  It looks, and never changes anything.

``findings`` what a look answers · ``examine`` all looks at once, each bounded in time · ``shown`` the answers for a
console, a program, and Slack.  What looks into a system is with its own integration (``checkup.py``).
"""
