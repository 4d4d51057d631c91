"""The command line: parse, call, print. It has no logic and no defaults of its own.

What a user asked for is on standard output; progress and messages are on standard error.
Every failure is one line there and an exit code: 2 for what the caller can mend, 1 for a bug,
130 after Ctrl-C. Nothing heavy is imported before a command runs, so that ``--help`` is quick.
"""

from __future__ import annotations

import dataclasses
import io
import json
import os
import shlex
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

import click

import synthgan
from synthgan.errors import SchemaError, SynthganError, TableError

if TYPE_CHECKING:
    import pandas as pd
    from rich.progress import Progress

_FEW_LINES = 8  # of protections, before the rest is only counted
_LINE_EVERY = (1.0, 10.0)  # seconds between plain progress lines: at least, at most
_MAIN_SETTINGS = (
    "seed",
    "train.steps",
    "train.batch_size",
    "network.width",
    "summary.min_category_rows",
    "summary.extreme_rows",
)


# --- failures and signals ---------------------------------------------------------------


def _printable(text: str) -> str:
    """``text`` on one line, without anything that a terminal would obey."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def _say(text: str) -> None:
    click.echo(_printable(text), err=True)


def _fail(text: str, code: int) -> NoReturn:
    _say(f"synthgan: {text}")
    raise click.exceptions.Exit(code)


@contextmanager
def _one_line() -> Iterator[None]:
    """Turns whatever goes wrong inside into one line and an exit code."""
    try:
        yield
    except (click.exceptions.Exit, click.Abort, BrokenPipeError):
        raise
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        hint = f" (see {context.command_path} --help)" if context else ""
        _fail(f"{error.format_message()}{hint}", 2)
    except SynthganError as error:
        _fail(str(error), 2)
    except KeyboardInterrupt:
        if sys.stderr.isatty():
            click.echo(err=True)  # ends the line that shows ^C
        _fail("interrupted; nothing was written", 130)
    except Exception as error:
        if os.environ.get("SYNTHGAN_DEBUG"):
            raise
        name = type(error).__name__
        if isinstance(error, MemoryError) or name == "OutOfMemoryError":  # PyTorch's, on a GPU
            _fail("out of memory; a smaller table needs less, or a smaller --batch-size in fit", 2)
        # the message stays out: it may quote a cell
        _fail(f"this is a bug: {name}; SYNTHGAN_DEBUG=1 shows where, please report it", 1)


class _Stop:
    """Ctrl-C and SIGTERM: both raise KeyboardInterrupt."""

    def __init__(self) -> None:
        self.count = 0
        """How often either came."""
        self.patient = False
        """Whether the first is only counted: what is under way is short and worth finishing."""

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listens until the end of the block."""
        heard: tuple[signal.Signals, ...] = (signal.SIGINT, signal.SIGTERM)
        if threading.current_thread() is not threading.main_thread():
            heard = ()  # only the main thread may
        before = {each: signal.getsignal(each) for each in heard}
        for each in heard:
            if before[each] is not signal.SIG_IGN:  # as under nohup
                signal.signal(each, self._on_signal)
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
        if self.count > 1 or not self.patient:
            raise KeyboardInterrupt


class _Commands(click.Group):
    """The commands, with failures told in one line and never as a traceback."""

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        with _one_line():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        ctx.obj = _Stop()
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")  # names may be beyond its alphabet
        with _one_line(), ctx.obj.listening():
            return super().invoke(ctx)


# --- progress ---------------------------------------------------------------------------


class _Progress:
    """How far a job is, on standard error: bars on a terminal, else a line now and then."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._bars = _bars() if not quiet and sys.stderr.isatty() else None
        self._bar: Any = None
        self._name, self._unit, self._total = "", "", 1
        self._said = (0, 0.0)  # units done and the time, at the last plain line
        self._late: threading.Timer | None = None

    def __enter__(self) -> _Progress:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._late is not None:
            self._late.cancel()
        if self._bars is not None:
            self._bars.stop()

    def wait(self, name: str, detail: str) -> None:
        """Begins a phase that is over nobody knows when."""
        self._end_phase()
        if self._bars is not None:
            self._bar = self._bars.add_task(name, total=None, detail=_printable(detail))
        elif not self._quiet:  # not at once: bad input is to be answered by one line
            self._late = threading.Timer(_LINE_EVERY[1], _say, (f"{name} {detail}",))
            self._late.daemon = True
            self._late.start()

    def phase(self, name: str, total: int, unit: str, *, line: str = "") -> None:
        """Begins a phase of ``total`` units; ``line`` says so where there are no bars."""
        self._end_phase()
        self._name, self._unit, self._total = name, unit, total
        self._said = (0, time.monotonic())
        if self._bars is not None:
            self._bar = self._bars.add_task(name, total=total, detail="")
        elif line and not self._quiet:
            _say(line)

    def update(self, done: int, *details: str) -> None:
        """Says that ``done`` units of the phase are done."""
        text = ", ".join((f"{done:,} of {self._total:,} {self._unit}", *details))
        if self._bars is not None:
            self._bars.update(self._bar, completed=done, detail=text)
        elif not self._quiet and self._is_due(done):
            _say(f"{self._name}: {text}")
            self._said = (done, time.monotonic())

    def _is_due(self, done: int) -> bool:
        before, then = self._said
        waited = time.monotonic() - then
        tenth = 10 * done // self._total > 10 * before // self._total
        return waited >= _LINE_EVERY[1] or (tenth and waited >= _LINE_EVERY[0])

    def _end_phase(self) -> None:
        if self._late is not None:
            self._late.cancel()
        if self._bars is not None and self._bar is not None:
            self._bars.update(self._bar, total=1, completed=1)


def _bars() -> Progress:
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


class _Training:
    """Shows training steps on a progress display."""

    def __init__(self, progress: _Progress) -> None:
        self._progress = progress
        self._last: synthgan.Step | None = None
        self._began = 0.0
        self._validation: float | None = None

    def __call__(self, step: synthgan.Step) -> None:
        if self._last is None or self._last.phase != step.phase:
            self._began = self._last.seconds if self._last else 0.0
            line = f"{step.phase}: at most {step.of:,} steps"
            self._progress.phase(step.phase, step.of, "steps", line=line)
        if step.validation_loss is not None:
            self._validation = step.validation_loss
        losses = _losses(dataclasses.replace(step, validation_loss=self._validation))
        left = (step.seconds - self._began) / step.step * (step.of - step.step)
        self._progress.update(
            step.step,
            *(f"{name} {loss}" for name, loss in losses.items() if loss),
            f"over in at most {_duration(left)}",
        )
        self._last = step


def _losses(step: synthgan.Step) -> dict[str, str]:
    """The losses of a step, by name; empty where there is none."""
    named = {
        "likelihood": step.likelihood_loss,
        "critic": step.critic_loss,
        "generator": step.generator_loss,
        "validation": step.validation_loss,
    }
    return {name: "" if loss is None else f"{loss:.3f}" for name, loss in named.items()}


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


# --- synthgan ---------------------------------------------------------------------------

_PATH = click.Path(path_type=Path)


@click.group(cls=_Commands, invoke_without_command=True)
@click.version_option(package_name="synthgan", prog_name="synthgan", message="%(prog)s %(version)s")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Learns a table and gives synthetic rows with the same columns and patterns.

    \b
    Examples:
      synthgan fit data.csv               learns it, leaves model.synthgan
      synthgan sample -n 10000            leaves synthetic.csv
      synthgan fit --help                 all about one command
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def _given(**options: Any) -> dict[str, Any]:
    """The options that were given: defaults are not this module's business."""
    return {name: value for name, value in options.items() if value is not None}


# --- synthgan fit -----------------------------------------------------------------------


@main.command()
@click.argument("data", type=_PATH)
@click.option(
    "-o",
    "--output",
    type=_PATH,
    default="model.synthgan",
    help="Model file to write; without it, model.synthgan in the current folder.",
)
@click.option(
    "--schema",
    type=_PATH,
    help="What the columns are, as 'synthgan schema' writes it; without it, told from the values.",
)
@click.option("--steps", type=int, help="Training steps at most; without it, the rows decide.")
@click.option(
    "--max-minutes",
    type=float,
    help="Training time at most; what was learned until then is kept. Without it, no limit.",
)
@click.option("--batch-size", type=int, help="Rows a training step; without it, a good size.")
@click.option("--device", help="cpu, cuda, cuda:1 or mps; without it, the fastest that there is.")
@click.option(
    "--seed", type=int, help="Another seed gives another model; without it, always the same one."
)
@click.option("--overwrite", is_flag=True, help="Replace the model file if there is one.")
@click.option("--quiet", is_flag=True, help="Print errors only.")
@click.pass_obj
def fit(
    stop: _Stop,
    /,
    data: Path,
    output: Path,
    schema: Path | None,
    overwrite: bool,
    quiet: bool,
    **settings: Any,
) -> None:
    """Learns a table (CSV, Parquet or Feather) and writes a model file.

    Ctrl-C (or SIGTERM) in training stops it: the best model until then is saved, and the exit
    code is 130. A second one, or one before training began, leaves nothing. If the model
    cannot be written where it was wanted, it is saved to the current, the home or the
    temporary folder instead, and the exit code is 2.

    \b
    Examples:
      synthgan fit data.csv
      synthgan fit data.parquet -o people.synthgan --max-minutes 10
      synthgan fit data.csv.gz --schema schema.json --overwrite
      synthgan fit data.csv --device cuda --seed 7 --quiet
    """
    seed = settings.pop("seed")
    config = synthgan.Config(train=synthgan.TrainConfig(**_given(**settings)), **_given(seed=seed))
    known = None if schema is None else _read_schema(schema)
    synthgan.check_target(output, overwrite=overwrite)
    began = time.monotonic()
    with _Progress(quiet=quiet) as progress:
        progress.wait("reading", str(data))
        model = synthgan.fit(data, known, config, on_step=_Training(progress))
        stop.patient = True
    _save(model, output, overwrite=overwrite)
    if not quiet:
        _say_fitted(model, output, time.monotonic() - began)
    if stop.count:
        _fail(f"interrupted; what was learned until then is in {output}", 130)


def _read_schema(path: Path) -> synthgan.Schema:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SchemaError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SchemaError(f"{path} is no schema: it is not UTF-8 text") from None
    return synthgan.Schema.from_json(text)


def _save(model: synthgan.Synthesizer, wanted: Path, *, overwrite: bool) -> None:
    """Saves a model; if that fails, saves it elsewhere and raises TableError saying where."""
    try:
        model.save(wanted, overwrite=overwrite)
        return
    except TableError as error:
        reason = str(error)
    name = time.strftime("model-%Y%m%d-%H%M%S.synthgan")
    for folder in (Path.cwd, Path.home, lambda: Path(tempfile.gettempdir())):
        try:
            rescue = folder() / name
            model.save(rescue)
        except (TableError, OSError, RuntimeError):  # full, forbidden, or there is none
            continue
        raise TableError(f"{reason}; the model is not lost, it was saved to {rescue}")
    raise TableError(f"{reason}; nor could the current, home or temporary folder take the model")


def _say_fitted(model: synthgan.Synthesizer, path: Path, seconds: float) -> None:
    ends = _phase_ends(model.history)
    steps = ", ".join(f"{phase} {step.step:,}" for phase, step in ends.items())
    _say(
        f"learned about {model.rows:,} rows and {len(model.schema)} columns"
        f" in {_duration(seconds)}" + (f" (steps: {steps})" if steps else "")
    )
    lines = [f"protected: {line}" for line in model.protections]
    more = len(lines) - _FEW_LINES
    if more > 1:
        lines[_FEW_LINES:] = [f"protected: ... and {more} more; see synthgan info"]
    for line in (*lines, *(f"note: {note}" for note in model.notes)):
        _say(line)
    _say(f"the model is in {path} ({_size(path)})")
    name = "" if str(path) == "model.synthgan" else f"{shlex.quote(str(path))} "
    _say(f"next: synthgan sample {name}-n 10000")


def _phase_ends(history: Iterable[synthgan.Step]) -> dict[str, synthgan.Step]:
    """The last step of each phase, with the last validation loss of the phase."""
    ends: dict[str, synthgan.Step] = {}
    for step in history:
        before = ends.get(step.phase)
        if step.validation_loss is None and before is not None:
            step = dataclasses.replace(step, validation_loss=before.validation_loss)
        ends[step.phase] = step
    return ends


def _size(path: Path) -> str:
    size = path.stat().st_size
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"


# --- synthgan sample --------------------------------------------------------------------


@main.command()
@click.argument("model", type=_PATH, default="model.synthgan")
@click.option("-n", "--rows", "n", type=click.IntRange(min=1), required=True, help="How many rows.")
@click.option(
    "-o",
    "--output",
    type=_PATH,
    default="synthetic.csv",
    help="File to write; its ending is its format (.csv, .tsv, .parquet, .feather; .csv.gz and "
    "the like), - is standard output. Without it, synthetic.csv in the current folder.",
)
@click.option(
    "--where",
    help="""Only rows such as 'income == ">50K" and age >= 30'; without it, rows of all kinds.""",
)
@click.option("--seed", type=int, help="The same seed gives the same rows; without it, fresh ones.")
@click.option("--device", help="cpu, cuda, cuda:1 or mps; without it, the fastest that there is.")
@click.option("--overwrite", is_flag=True, help="Replace the output file if there is one.")
@click.option("--quiet", is_flag=True, help="Print errors only.")
def sample(
    model: Path, n: int, output: Path, device: str | None, overwrite: bool, quiet: bool, **how: Any
) -> None:
    """Draws synthetic rows from a model file.

    Without MODEL, the model file is model.synthgan in the current folder.

    \b
    Examples:
      synthgan sample -n 10000
      synthgan sample people.synthgan -n 1000000 -o people.parquet --seed 7
      synthgan sample -n 500 --where 'income == ">50K" and age >= 30' -o rich.csv
      synthgan sample -n 100 -o - --quiet | head
    """
    chunks = synthgan.load(model, **_given(device=device)).iter_samples(n, **_given(**how))
    try:
        with _Progress(quiet=quiet) as progress:
            progress.phase("drawing", n, "rows")
            rows = synthgan.write_table(_counted(chunks, progress), output, overwrite=overwrite)
    except KeyboardInterrupt:
        if str(output) == "-":
            _fail("interrupted", 130)
        raise
    if not quiet and str(output) != "-":
        _say(f"{rows:,} synthetic rows are in {output}")


def _counted(chunks: Iterator[pd.DataFrame], progress: _Progress) -> Iterator[pd.DataFrame]:
    """The chunks; each is shown as done once the next one is asked for."""
    done = 0
    for chunk in chunks:
        yield chunk
        done += len(chunk)
        progress.update(done)


# --- synthgan schema --------------------------------------------------------------------


@main.command()
@click.argument("data", type=_PATH)
@click.option(
    "-o",
    "--output",
    type=_PATH,
    default="schema.json",
    help="File to write, - is standard output; without it, schema.json in the current folder.",
)
@click.option("--overwrite", is_flag=True, help="Replace the output file if there is one.")
def schema(data: Path, output: Path, overwrite: bool) -> None:
    """Tells what the columns of a table are.

    Prints them, and writes them as JSON, to be edited and given to 'synthgan fit --schema'.

    \b
    Examples:
      synthgan schema data.csv
      synthgan schema data.csv -o - | less
      synthgan fit data.csv --schema schema.json
    """
    to_stdout = str(output) == "-"
    if not to_stdout:
        synthgan.check_target(output, overwrite=overwrite)
    found = synthgan.infer_schema(synthgan.read_table(data))
    text = (found.to_json() + "\n").encode()
    if to_stdout:
        click.echo(text, nl=False)
        return
    try:
        output.write_bytes(text)
    except OSError as error:
        raise TableError(f"{output} cannot be written: {error.strerror}") from None
    _print_columns(found)
    _say(
        f"the schema is in {output}; edit it, then: synthgan fit {shlex.quote(str(data))}"
        f" --schema {shlex.quote(str(output))}"
    )


def _print_columns(schema: synthgan.Schema) -> None:
    rows = [
        (
            column.name,
            column.kind.value,
            "can be missing" if column.nullable else "",
            column.dtype,
            _spelling(column),
        )
        for column in schema
    ]
    _print_table(("column", "kind", "", "dtype", "written as"), rows)


def _spelling(column: synthgan.Column) -> str:
    """How the cells of a column are written, in words."""
    if column.format is not None:
        return column.format
    if column.decimals is not None:
        return f"{column.decimals} decimals"
    return "" if column.resolution is None else f"down to {column.resolution}"


def _print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for name in header:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text(_printable(cell)) for cell in row))
    # a file or a pipe has no width to fold at
    console = Console(width=None if sys.stdout.isatty() else 100_000)
    with console.capture() as capture:
        console.print(table)
    click.echo("\n".join(line.rstrip() for line in capture.get().splitlines()))


# --- synthgan info ----------------------------------------------------------------------


@main.command()
@click.argument("model", type=_PATH, default="model.synthgan")
@click.option("--history", is_flag=True, help="The losses in training, too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def info(model: Path, history: bool, as_json: bool) -> None:
    """Tells what a model file holds and protects.

    Without MODEL, the model file is model.synthgan in the current folder.

    \b
    Examples:
      synthgan info
      synthgan info people.synthgan --history
      synthgan info people.synthgan --json | jq .columns
    """
    loaded = synthgan.load(model, device="cpu")
    if as_json:
        click.echo(json.dumps(_facts(loaded, model, history=history), indent=2))
        return
    _tell(f"{model}: {_size(model)}, {loaded.parameters:,} weights")
    _tell("made by " + ", ".join(f"{name} {made}" for name, made in loaded.versions.items()))
    _tell(f"learned from about {loaded.rows:,} rows and {len(loaded.schema)} columns")
    _tell("settings: " + ", ".join(_main_settings(loaded.config)))
    click.echo()
    _print_columns(loaded.schema)
    _tell_list("protected:", loaded.protections)
    _tell_list("notes:", loaded.notes)
    steps = loaded.history if history else tuple(_phase_ends(loaded.history).values())
    if steps:
        click.echo()
        names = ("phase", "step", "of", "seconds", *_losses(steps[0]))
        _print_table(names, map(_history_row, steps))


def _tell(text: str) -> None:
    click.echo(_printable(text))


def _tell_list(title: str, lines: Sequence[str]) -> None:
    if lines:
        click.echo()
        _tell(title)
    for line in lines:
        _tell(f"  {line}")


def _history_row(step: synthgan.Step) -> tuple[str, ...]:
    return (
        step.phase,
        f"{step.step}",
        f"{step.of}",
        f"{step.seconds:.1f}",
        *_losses(step).values(),
    )


def _settings(config: synthgan.Config) -> dict[str, Any]:
    """All settings, as ``train.steps`` and the like."""
    flat: dict[str, Any] = {}
    for name, value in dataclasses.asdict(config).items():
        parts = value if isinstance(value, dict) else {"": value}
        flat |= {f"{name}.{part}".rstrip("."): each for part, each in parts.items()}
    return flat


def _main_settings(config: synthgan.Config) -> Iterator[str]:
    """The settings that matter most, and those that are not at their default."""
    usual = _settings(synthgan.Config())
    for name, value in _settings(config).items():
        changed = "" if value == usual[name] else f" (default {_word(usual[name])})"
        if changed or name in _MAIN_SETTINGS:
            yield f"{name} {_word(value)}{changed}"


def _word(value: object) -> str:
    return "unset" if value is None else str(value)


def _facts(model: synthgan.Synthesizer, path: Path, *, history: bool) -> dict[str, Any]:
    settings, usual = _settings(model.config), _settings(synthgan.Config())
    facts = {
        "file": str(path),
        "bytes": path.stat().st_size,
        "parameters": model.parameters,
        "versions": dict(model.versions),
        "rows": model.rows,
        "columns": json.loads(model.schema.to_json())["columns"],
        "settings": settings,
        "changed_settings": [name for name in settings if settings[name] != usual[name]],
        "protections": list(model.protections),
        "notes": list(model.notes),
        "losses": [dataclasses.asdict(step) for step in _phase_ends(model.history).values()],
    }
    if history:
        facts["history"] = [dataclasses.asdict(step) for step in model.history]
    return facts
