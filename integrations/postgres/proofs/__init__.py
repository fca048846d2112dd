"""What the bot proves in the database and in the files before a start (runbook "Pre-Migration Checklist").

``files`` the scripts and their SQL · ``needs`` which rights they take · ``access`` the connection and those rights ·
``backup`` the dump and its room · ``staging`` is it applied there · ``judged`` its risk · ``traffic`` how busy it is.
Everything reads only, in short sessions of its own.
"""
