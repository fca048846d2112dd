"""Before the start: a plan on its way to its run.  Pure, like everything in this folder.

``checklist`` the 28 items · ``preparation`` the state · ``intents`` what is asked · ``events`` what happened ·
``decide`` and ``apply`` the judgement · ``gate`` what is missing for the start · ``timers`` T-24h, T-1h, T-30m, T-0 ·
``texts`` what is announced.
"""
