"""How the bot calls other systems over HTTP: one policy of time-outs, repeats, limits and errors for all of them.

The only package beside ``integrations.process`` and ``integrations.spoken`` that every integration may import.
"""
