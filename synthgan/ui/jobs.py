"""Long work in a thread, one at a time, that says how far it is and can be stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import synthgan
from synthgan.errors import SynthganError, TrainingError
from synthgan.progress import duration

_DONE = {"reading": "Read", "fitting": "Fitted", "drawing": "Drawn", "judging": "Judged"}


@dataclass
class Job:
    """What is being done with a table, and how far it is."""

    what: str
    state: str = "running"
    """``running``, ``done`` or ``failed``."""
    line: str = ""
    """Where it is, or how it ended, in words."""
    share: float | None = None
    """How much of the present phase is done, 0 to 1; None: nobody knows."""
    curves: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    """Losses by phase and name: step, loss."""
    stopping: bool = False
    _phase: tuple[str, float] = ("", 0.0)  # of training: its name, and when it began

    @property
    def running(self) -> bool:
        return self.state == "running"

    @property
    def heading(self) -> str:
        """What is being done, or was, in a word or two."""
        if self.state == "done":
            return _DONE.get(self.what, "Done")
        ending = "" if self.running else " stopped" if self.stopping else " failed"
        return f"{self.what.capitalize()}{ending}"

    def tell(self, line: str, done: int = 0, of: int = 0) -> None:
        """Says where it is; raises KeyboardInterrupt if it was asked to stop."""
        self.line, self.share = line, done / of if of else None
        if self.stopping:
            raise KeyboardInterrupt

    def on_step(self, step: synthgan.Step) -> None:
        """Takes a training step in."""
        for name, loss in (
            ("likelihood", step.likelihood_loss),
            ("validation", step.validation_loss),
            ("critic", step.critic_loss),
        ):
            if loss is not None:
                curve = self.curves.setdefault(f"{step.phase}: {name}", [])
                curve.append((step.step, round(loss, 5)))
        now = time.monotonic()
        if self._phase[0] != step.phase:
            self._phase = (step.phase, now)
        left = (now - self._phase[1]) / step.step * (step.of - step.step)
        self.tell(
            f"{step.phase}: {step.step:,} of at most {step.of:,} steps, {_at_most(left)}",
            step.step,
            step.of,
        )

    def as_plain(self) -> dict[str, Any]:
        """As JSON takes it."""
        return {
            "what": self.what,
            "state": self.state,
            "line": self.line,
            "share": self.share,
            "stopping": self.stopping,
            "curves": dict(self.curves),
        }


def _at_most(seconds: float) -> str:
    """How long it may still take, in words."""
    if seconds < 1:
        return "nearly over"
    return f"at most {duration(seconds)} more"


class Desk:
    """Does one job at a time; remembers the last one of each table."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def last(self, table: str) -> Job | None:
        return self._jobs.get(table)

    def start(self, table: str, what: str, work: Callable[[Job], str]) -> None:
        """Begins ``work``, which gives a line on how it ended.

        Raises :class:`TrainingError` while another job runs.
        """
        with self._lock:
            busy = next((name for name, job in self._jobs.items() if job.running), None)
            if busy is not None:
                raise TrainingError(f"{busy!r} is being worked on; wait for it, or stop it first")
            job = self._jobs[table] = Job(what)
            self._thread = threading.Thread(target=_run, args=(job, work), daemon=True)
            self._thread.start()

    def wait(self, seconds: float) -> None:
        """Waits for the end of the job under way."""
        if self._thread is not None:
            self._thread.join(seconds)


def _run(job: Job, work: Callable[[Job], str]) -> None:
    try:
        job.line = work(job)
        job.state = "done"
    except KeyboardInterrupt:
        job.line, job.state = "stopped; nothing was written", "failed"
    except SynthganError as error:
        job.line, job.state = str(error), "failed"
    except MemoryError:
        job.line, job.state = "out of memory; a smaller table needs less", "failed"
    except Exception as error:  # noqa: BLE001 -- a thread has nobody else to tell
        # the message stays out: it may quote a cell
        job.line, job.state = f"this is a bug: {type(error).__name__}", "failed"
