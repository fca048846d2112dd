"""Game days: the whole runbook as an exercise on a throw-away copy, with stand-in services and faults on purpose.

Read ``bot.runbook.exercise`` first (faults and score), then ``place`` (where one lives), ``targets`` (how it becomes a
target) and ``games`` (its record); ``bot.jobs.gameday`` plays it.
"""
