"""Ctrl-C and SIGTERM wait for the end of the step that they come in.

A checkpoint must not be taken in the middle of a step, nor may one of several processes leave
the others alone in it.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

_Handler = Callable[[int, "FrameType | None"], object]


class Interrupts:
    """The first SIGINT or SIGTERM is kept for :meth:`deliver`; a second one goes through."""

    def __init__(self) -> None:
        self.asked = False
        """Whether training is to stop."""
        self._signal: int | None = None
        self._before: dict[int, _Handler] = {}

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """Holds them back until :meth:`deliver`, at the latest at the end of the block."""
        if threading.current_thread() is threading.main_thread():  # Python's rule
            for number in map(int, (signal.SIGINT, signal.SIGTERM)):
                before = signal.getsignal(number)
                if callable(before):  # else the system handles or ignores it
                    self._before[number] = before
                    signal.signal(number, self._on_signal)
        try:
            yield
        finally:
            for number, handler in self._before.items():
                signal.signal(number, handler)
        if self.asked:
            self.deliver()

    def deliver(self) -> NoReturn:
        """Restores the previous handler, passes it the signal, and raises KeyboardInterrupt."""
        if self._signal is not None:
            self._before[self._signal](self._signal, None)
        raise KeyboardInterrupt

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._signal is not None:
            self._before[number](number, frame)
        self.asked, self._signal = True, number
