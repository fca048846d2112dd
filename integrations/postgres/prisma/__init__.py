"""Runbook step 4, option A: ``prisma migrate deploy`` as an opaque command, and the truth from Prisma's own table.

Read in this order: ``project`` (the folder), ``history`` (``_prisma_migrations`` against it), ``cli`` with ``said`` and
``codes`` (the command and what it says), ``guard`` (the database refuses what was not approved), ``apply``; and for
what went wrong ``model`` (what each statement is to change), ``surgeon`` (what is proven) and ``repair``.
"""
