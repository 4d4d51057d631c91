"""How far a job is, on standard error: bars on a terminal, else a line now and then."""

from __future__ import annotations

import dataclasses
import itertools
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from synthgan.serialization import added

if TYPE_CHECKING:
    import rich.progress


def printable(text: str) -> str:
    """``text`` on one line, with what is not printable spelt as in Python."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def say(text: str) -> None:
    """Prints a message: one line on standard error."""
    click.echo(printable(text), err=True)


def tell(text: str) -> None:
    """Prints what was asked for: one line on standard output."""
    click.echo(printable(text))


def count(number: int, what: str) -> str:
    """So many of ``what``, which is a word for one of them."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def count_are(number: int, what: str) -> str:
    """``3 rows are``, ``1 row is``."""
    return f"{count(number, what)} {'is' if number == 1 else 'are'}"


def duration(seconds: float) -> str:
    """A time in words, to the second or the minute."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def file_size(path: Path) -> str:
    """The size of a file in words."""
    size = path.stat().st_size
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"


_LINE_EVERY = (1.0, 10.0)  # seconds between plain progress lines: at least, at most
_LATE = 3.0  # seconds after which a wait is said: bad input is answered by one line before
_FEW = 20  # units of a phase that are said one by one
_HEIGHTS = "▁▂▃▄▅▆▇█"
_CURVE = 10  # letters of a curve


class Progress:
    """A display of phases, one after the other; nothing at all where ``quiet``."""

    def __init__(self, *, quiet: bool) -> None:
        # Of processes that torchrun has started one speaks, also before PyTorch is there to ask.
        quiet = quiet or os.environ.get("RANK", "0") != "0"
        self._quiet = quiet
        self._bars = _bars() if not quiet and sys.stderr.isatty() else None
        self._bar: Any = None
        self._name, self._unit, self._total = "", "", 1
        self._said = (0, 0.0)  # units done and the time, at the last plain line
        self._late: threading.Timer | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Progress:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._now()
        if self._bars is not None:
            self._bars.live.transient = error[0] is not None  # an error is one line
            self._bars.stop()

    def hush(self) -> None:
        """Shows nothing from now on."""
        self._now()
        self._quiet = True
        if self._bars is not None:
            self._bars.live.transient = True
            self._bars.stop()
            self._bars = None

    def wait(self, name: str, detail: str) -> None:
        """Begins a phase of unknown length."""
        self._end_phase()
        if self._bars is not None:
            self._bar = self._bars.add_task(name, total=None, detail=printable(detail))
        else:
            self._later(_LATE, f"{name} {detail}")

    def remark(self, line: str) -> None:
        """Says a line above the bars, if it says anything."""
        if line and self._bars is not None:
            self._bars.console.print(printable(line), markup=False, highlight=False)
        elif line and not self._quiet:
            say(line)

    def phase(self, name: str, total: int, unit: str, *, line: str = "") -> None:
        """Begins a phase of ``total`` units; ``line`` says so where there are no bars."""
        self._end_phase()
        self._name, self._unit, self._total = name, unit, total
        self._said = (0, time.monotonic())
        if self._bars is not None:
            self._bar = self._bars.add_task(name, total=total, detail="")
        elif line and not self._quiet:
            say(line)

    def update(self, done: int, *details: str, curves: str = "") -> None:
        """Says that ``done`` units of the phase are done; ``curves`` only where there are bars."""
        unit = self._unit.removesuffix("s") if self._total == 1 else self._unit
        text = ", ".join((f"{done:,} of {self._total:,} {unit}", *details))
        if self._bars is not None:
            if curves and self._bars.console.encoding.startswith("utf"):
                text = f"{text}\n{curves}"
            self._bars.update(self._bar, completed=done, detail=text)
        elif not self._quiet:
            self._now()
            before, then = self._said
            waited, line = time.monotonic() - then, f"{self._name}: {text}"
            parts = self._total if self._total <= _FEW else 10
            is_due = parts * done // self._total > parts * before // self._total
            if waited >= _LINE_EVERY[1] or (is_due and waited >= _LINE_EVERY[0]):
                say(line)
                self._said = (done, time.monotonic())
                self._later(_LINE_EVERY[1], line)
            elif is_due:  # said if nothing else comes: the next unit may take long
                self._later(_LINE_EVERY[0], line)

    def _later(self, seconds: float, line: str, since: float | None = None) -> None:
        """Says a line after a time, and again now and then, as long as nothing happens."""
        if self._quiet:
            return
        began = time.monotonic() if since is None else since

        def say_it() -> None:
            with self._lock:
                if self._late is timer:  # else something has happened meanwhile
                    waited = time.monotonic() - began
                    is_long = waited >= _LINE_EVERY[1]
                    say(f"{line} (for {duration(waited)} now)" if is_long else line)
                    self._later(_LINE_EVERY[1], line, began)

        timer = self._late = threading.Timer(seconds, say_it)
        timer.daemon = True
        timer.start()

    def _now(self) -> None:
        """Something happens."""
        with self._lock:
            if self._late is not None:
                self._late.cancel()
                self._late = None

    def _end_phase(self) -> None:
        self._now()
        if self._bars is not None and self._bar is not None:
            self._bars.update(self._bar, total=1, completed=1)


def _bars() -> rich.progress.Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
    from rich.table import Column

    return Progress(
        SpinnerColumn(finished_text=" "),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=16),
        TextColumn("{task.fields[detail]}", markup=False, table_column=Column(overflow="fold")),
        console=Console(stderr=True),
    )


class Reading:
    """Shows how far a table that is read in chunks has been read."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._doing = ""

    def __call__(self, doing: str, done: int, of: int) -> None:
        if doing != self._doing:
            self._doing = doing
            self._progress.phase(doing, of, "rows")
        self._progress.update(done)


# --- training ---------------------------------------------------------------------------


class Training:
    """Shows training steps on a progress display, after an ``opening`` line if there is one."""

    def __init__(self, progress: Progress, opening: str = "") -> None:
        self._progress, self._opening = progress, opening
        self._last: Step | None = None
        self._told: dict[str, list[float]] = {}  # of the phase, by name
        self._began = self._then = time.monotonic()  # of the phase, and the last call

    def __call__(self, step: Step) -> None:
        if self._last is None:
            self._progress.remark(self._opening)
        if self._last is None or self._last.phase != step.phase:
            self._began, self._told = self._then, {}
            line = f"{step.phase}: at most {count(step.of, 'step')}"
            self._progress.phase(step.phase, step.of, "steps", line=line)
        for name, value in {**_losses(step), **_diagnostics(step)}.items():
            if value is not None:
                self._told.setdefault(name, []).append(value)
        self._last = step = _with_validation(step, self._last)
        self._then = time.monotonic()
        left = (self._then - self._began) / step.step * (step.of - step.step)
        self._progress.update(
            step.step,
            *(f"{name} {loss}" for name, loss in losses(step).items() if loss),
            *([] if step.detection is None else [f"distinguished {step.detection:.2f}"]),
            f"over in at most {duration(left)}",
            curves=", ".join(
                f"{name} {curve(values)}" for name, values in self._told.items() if values[1:]
            ),
        )


@contextmanager
def show_progress() -> Iterator[Callable[[Step], None]]:
    """Shows on standard error how far a fit is, as the command line does: bars on a terminal,
    else a line now and then::

        with synthgan.show_progress() as on_step:
            model = synthgan.fit(df, on_step=on_step)

    A block is for one fit.
    """
    with Progress(quiet=False) as progress:
        progress.wait("reading", "the table")
        yield Training(progress)


def losses(step: Step) -> dict[str, str]:
    """The losses of a step, by name; empty where there is none."""
    return {name: "" if loss is None else f"{loss:.3f}" for name, loss in _losses(step).items()}


def _losses(step: Step) -> dict[str, float | None]:
    return {
        "likelihood": step.likelihood_loss,
        "critic": step.critic_loss,
        "generator": step.generator_loss,
        "validation": step.validation_loss,
    }


def diagnostics(step: Step) -> dict[str, str]:
    """How the game between generator and critic stands, by name; empty if not measured."""
    named = _diagnostics(step)
    return {name: "" if value is None else f"{value:.3g}" for name, value in named.items()}


def _diagnostics(step: Step) -> dict[str, float | None]:
    return {
        "critic slope": step.critic_slope,
        "critic gap": step.critic_gap,
        "generator gradient": step.generator_gradient,
        "distinct rows": step.distinct,
        "recall": step.recall,
        "distinguished": step.detection,
    }


def curve(values: Sequence[float]) -> str:
    """``values`` (at least one) from left to right as bars between their least and their most.

    At most ten letters, each the mean of as many values as any other, or one more.
    """
    letters = min(len(values), _CURVE)
    cuts = [len(values) * place // letters for place in range(letters + 1)]
    means = [sum(values[a:b]) / (b - a) for a, b in itertools.pairwise(cuts)]
    least, most = min(means), max(means)
    scale = (len(_HEIGHTS) - 1) / (most - least) if most > least else 0.0
    return "".join(_HEIGHTS[round((mean - least) * scale)] for mean in means)


def phase_ends(history: Iterable[Step]) -> list[Step]:
    """The last step of each phase, with the last validation loss of the phase."""
    ends: dict[str, Step] = {}
    for step in history:
        ends[step.phase] = _with_validation(step, ends.get(step.phase))
    return list(ends.values())


def _with_validation(step: Step, before: Step | None) -> Step:
    """The step; where nothing was validated in it, with the loss of the step before it."""
    if step.validation_loss is not None or before is None or before.phase != step.phase:
        return step
    return dataclasses.replace(step, validation_loss=before.validation_loss)


Phase = Literal["mixture", "warm start", "adversarial"]
"""A private fit begins with a mixture that agrees with noisy counts, or (critic engine) is
adversarial first."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """Where training is, every few steps. Losses are means over the steps since the last one."""

    phase: Phase
    step: int
    """Steps done in this phase: of the mixture or the generator."""
    of: int
    """Steps that this phase takes at most."""
    seconds: float
    """Wall time since training began."""
    likelihood_loss: float | None = None
    """Negative log-likelihood of training rows, nats a row (hidden cells only)."""
    critic_loss: float | None = None
    """The critic's loss without its penalty. Of WGAN-GP E D(fake) - E D(real): minus the critic's
    estimate of the Wasserstein distance."""
    generator_loss: float | None = None
    """The generator's. Of WGAN-GP - E D(fake)."""
    validation_loss: float | None = None
    """Negative log-likelihood of the rows set aside, nats a row, where it was measured."""
    critic_slope: float | None = None
    """Mean norm of the critic's gradient between real and drawn rows, where it was measured;
    WGAN-GP asks for 1."""
    critic_gap: float | None = None
    """E D(training rows) - E D(rows set aside); far above 0 where the critic learns by heart."""
    generator_gradient: float | None = None
    """Norm of the generator's gradient; near 0 where the critic leaves it nothing to learn."""
    distinct: float | None = None
    """Share of distinct rows among some hundred drawn; low where modes have collapsed."""
    recall: float | None = field(default=None, metadata=added(None))
    """Share of training rows that drawn ones come near; low where kinds of rows are missing."""
    detection: float | None = None
    """AUC of a classifier that tells some hundred drawn rows from rows set aside, where it was
    asked for; .5 where it cannot."""


OnStep = Callable[[Step], None]
