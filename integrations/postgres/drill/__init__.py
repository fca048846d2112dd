"""The rehearsal of a planned migration on a throw-away copy: everything is measured there before it counts.

Read ``rehearsal`` first (what is done in which order), then ``practice`` (what it is called), ``alone`` (one at a time,
nothing left behind), ``copy`` and ``source`` (what the copy is made of), ``measure`` with ``held`` (one file, statement
by statement) and ``proofs`` (verification and the ways back).  ``reach`` is why some files are not rehearsed.
"""
