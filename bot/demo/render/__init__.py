"""A stand-in for Render's public API: it keeps state, serves real HTTP, and runs real processes where it is told to.

It holds itself to Render's OpenAPI document and to what was recorded of the real service; ``tests/contracts`` checks
both sides of it against that document.
"""
