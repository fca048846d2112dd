"""The PostgreSQL steps: backup, apply, verify, and the proof that services have stopped.

Read in this order: ``build`` (what there is), ``connect`` and ``tools`` (how we reach it), ``catalog`` (the schema as
data), ``backup``, ``script`` (one SQL file), ``apply`` with ``ladder`` and ``watch``, ``verify``, ``stopped``.
"""
