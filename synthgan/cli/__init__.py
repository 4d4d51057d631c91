"""The command line: parse, call, print. It has no logic and no defaults of its own.

What a user asked for is on standard output; progress and messages are on standard error.
Every failure is one line there and an exit code: 2 for what the caller can mend, 70 for a bug,
130 after Ctrl-C; 1 is for a figure beyond its limit, or an audit that does not pass. Nothing heavy
is imported before a command runs, so that ``--help`` is quick.

Each command has a file of its name; imports point one way: output, failures, options, the
commands, app.
"""

from synthgan.cli.app import main

__all__ = ["main"]
