"""Whatever goes wrong becomes one line and an exit code; Ctrl-C and SIGTERM are heard."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

import click

from synthgan.errors import SynthganError
from synthgan.progress import say

MENDABLE = 2  # exit code: the caller can do something about it
BUG = 70  # EX_SOFTWARE of sysexits.h
BELOW = 1  # a figure is worse than what was asked for
INTERRUPTED = 130
_LONGEST = 4000  # characters of a message


def fail(text: str, code: int) -> NoReturn:
    """Ends the command with one line on standard error and an exit code."""
    if len(text) > _LONGEST:  # names and values of a stranger's file may be of any length
        text = f"{text[: _LONGEST // 2]} ... {text[-_LONGEST // 2 :]}"
    say(f"synthgan: {text}")
    raise click.exceptions.Exit(code)


@contextmanager
def one_line() -> Iterator[None]:
    """Turns whatever goes wrong inside into one line and an exit code."""
    try:
        yield
    except (click.exceptions.Exit, BrokenPipeError):  # click ends quietly on both
        raise
    except click.UsageError as error:
        hint = f" (see {error.ctx.command_path} --help)" if error.ctx else ""
        fail(f"{error.format_message()}{hint}", MENDABLE)
    except click.ClickException as error:
        fail(error.format_message(), MENDABLE)
    except SynthganError as error:
        fail(str(error), MENDABLE)
    except (KeyboardInterrupt, click.Abort):
        if sys.stderr.isatty():
            click.echo(err=True)  # ends the line that shows ^C
        fail("interrupted; nothing was written", INTERRUPTED)
    except Exception as error:
        if os.environ.get("SYNTHGAN_DEBUG"):
            raise
        fail(*_explained(error))


def _explained(error: Exception) -> tuple[str, int]:
    """What nobody foresaw in one line, and its exit code: the machine lacks something, or a bug."""
    if _lacks_memory(error):
        advice = "a smaller table needs less, or a smaller --batch-size in fit"
        return f"out of memory; {advice}", MENDABLE
    if isinstance(error, OSError) and error.strerror:  # a full disk under standard output
        return error.strerror, MENDABLE
    # the message stays out: it may quote a cell
    name = type(error).__name__
    return f"this is a bug: {name}; SYNTHGAN_DEBUG=1 shows where, please report it", BUG


def _lacks_memory(error: Exception) -> bool:
    """Whether memory was refused, in whatever words: libraries that cannot even be loaded, and
    PyTorch's on a CPU, are no MemoryError."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":  # on a GPU
        return True
    words = ("map segment", "allocate memory", "start new thread", "bad_alloc")
    known = isinstance(error, ImportError | RuntimeError | OSError)
    return known and any(word in str(error) for word in words)


class Stop:
    """Ctrl-C and SIGTERM: both raise KeyboardInterrupt."""

    def __init__(self) -> None:
        self.count = 0
        """How often either came."""
        self.patient = False
        """Whether the first is only counted: what is under way is short and worth finishing."""

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listens until the end of the block."""
        before = {each: signal.signal(each, self._on_signal) for each in _audible()}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
        if self.count > 1 or not self.patient:
            raise KeyboardInterrupt


def _audible() -> list[signal.Signals]:
    """The signals that may be listened to."""
    if threading.current_thread() is not threading.main_thread():
        return []  # Python's rule
    both = (signal.SIGINT, signal.SIGTERM)
    return [each for each in both if signal.getsignal(each) is not signal.SIG_IGN]  # by nohup
