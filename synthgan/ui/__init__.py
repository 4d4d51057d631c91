"""A page on the own machine: drop a table, correct its schema, fit, draw, judge, download.

It calls the public package and nothing else. Imports point one way: folder, jobs, work, guard,
forms, app, server, serve. Flask and waitress are the extra ``synthgan[ui]``.
"""

from synthgan.ui.app import create_app
from synthgan.ui.serve import serve

__all__ = ["create_app", "serve"]
