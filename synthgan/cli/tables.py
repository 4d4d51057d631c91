"""What ``fit``, ``sample``, ``info`` and ``evaluate`` do with a parent table and its child."""

from __future__ import annotations

import dataclasses
import json
import math
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

import synthgan
from synthgan.cli.failures import BELOW, Stop, fail
from synthgan.cli.options import given
from synthgan.cli.output import print_columns, print_constraints, print_table, tell_list
from synthgan.files import COMPRESSIONS, FORMATS
from synthgan.progress import (
    Progress,
    Training,
    count,
    count_are,
    duration,
    file_size,
    phase_ends,
    say,
    tell,
)

_OF_ONE_TABLE = ("schema", "checkpoint_every", "resume", "memory_limit", "declare")
_FILES = (*FORMATS, *COMPRESSIONS)


def tables_to_fit(
    data: Sequence[str], key: str | None, others: dict[str, Any]
) -> tuple[dict[str, str], synthgan.ForeignKey]:
    """The two files by the names of their tables, and how these belong together.

    ``others`` are options that must not be given.
    """
    for name in _OF_ONE_TABLE:
        if others[name]:
            raise click.UsageError(f"--{name.replace('_', '-')} is for the fit of one table")
    if len(data) != 2 or key is None:
        raise click.UsageError(
            "two tables and how they belong together are needed, such as customers.csv orders.csv "
            f"--key customers.id=orders.customer_id; got {len(data)} and "
            f"{'no key' if key is None else 'a key'}"
        )
    if synthgan.launched_shard() is not None:
        raise click.UsageError("two tables are fitted in one process: start it without torchrun")
    return _named(data, key)


def _named(data: Sequence[str], key: str) -> tuple[dict[str, str], synthgan.ForeignKey]:
    names = [Path(each).name.split(".")[0] for each in data]
    if names[0] == names[1]:
        raise click.UsageError(f"both tables are called {names[0]!r}; rename one of the files")
    return dict(zip(names, data, strict=True)), synthgan.ForeignKey.parse(key, names)


def learn_tables(
    stop: Stop,
    tables: dict[str, str],
    key: synthgan.ForeignKey,
    config: synthgan.Config,
    hints: synthgan.Hints,
    *,
    quiet: bool,
) -> synthgan.TablesSynthesizer:
    """Learns two tables, and shows how far that is."""
    with Progress(quiet=quiet) as progress:
        progress.wait("reading", " and ".join(tables.values()))
        training = _TablesTraining(progress)
        model = synthgan.fit_tables(tables, key, hints=hints, config=config, on_step=training)
        stop.patient = True
    return model


class _TablesTraining:
    """Shows training steps, table by table."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._table, self._training = "", Training(progress)

    def __call__(self, table: str, step: synthgan.Step) -> None:
        if table != self._table:
            self._table, self._training = table, Training(self._progress, f"learning {table}")
        self._training(step)


def say_fitted(model: synthgan.TablesSynthesizer, path: Path, seconds: float) -> None:
    of = " and ".join(f"{count(rows, 'row')} of {name}" for name, rows in model.rows.items())
    say(f"learned about {of} in {duration(seconds)}")
    for line in model.notes:
        say(f"note: {line}")
    name = shlex.quote(str(path))
    say(f"what is protected: synthgan info {name}")
    say(f"the model is in {path} ({file_size(path)})")
    say(f"next: synthgan sample {name} -n 1000 -o synthetic/")


def is_of_tables(path: Path) -> bool:
    """Whether a model file is of two tables; one that is not there is not."""
    return path.exists() and bool(synthgan.tables_in(path))


def sample_tables(
    path: Path, n: int | None, output: str, how: dict[str, Any], *, overwrite: bool, quiet: bool
) -> None:
    """Draws both tables and writes them to a folder."""
    for name, option in (
        ("given_file", "given"),
        ("balance", "balance"),
        ("shard", "shard"),
        ("parts", "parts"),
        ("safe_csv", "safe-csv"),
        ("delimiter", "delimiter"),
    ):
        if how[name]:
            raise click.UsageError(f"--{option} is for models of one table")
    folder = "synthetic" if output == "synthetic.csv" else output
    if folder == "-" or folder.lower().endswith(_FILES):
        raise click.UsageError(
            "the model is of two tables, which go to a folder: give one with -o, such as -o "
            "synthetic/, and their format with --format"
        )
    model = synthgan.load_tables(path, **given(device=how["device"]))
    asked = given(where=how["where"], seed=how["seed"], locale=how["locale"])
    with Progress(quiet=quiet) as progress:
        progress.wait("drawing", " and ".join(model.key.tables))
        tables = model.sample(n, extrapolate=how["extrapolate"], **asked)
        ending = "." + (how["ending"] or "csv").lstrip(".")
        paths = synthgan.write_tables(tables, folder, ending=ending, overwrite=overwrite)
    if not quiet:
        for table, written in zip(tables.values(), paths, strict=True):
            say(f"{count_are(len(table), 'synthetic row')} in {written}")


def tell_tables(path: Path, *, as_json: bool, history: bool) -> None:
    """Tells what the model file of two tables holds and protects."""
    model = synthgan.load_tables(path, device="cpu")
    if as_json:
        click.echo(json.dumps(_facts(model, path, history=history), indent=2))
        return
    tell(f"{path}: {file_size(path)}, {model.parameters:,} weights, two tables: {model.key}")
    tell("made by " + ", ".join(f"{name} {made}" for name, made in model.versions.items()))
    for name, schema in model.schemas.items():
        click.echo()
        tell(f"{name}: learned from about {count(model.rows[name], 'row')}")
        print_columns(schema)
        print_constraints(schema)
    tell_list("protected:", model.protections)
    tell_list("notes:", model.notes)


def judge_tables(data: Sequence[str], key: str, how: dict[str, Any]) -> None:
    """Judges the links between a synthetic parent and its child, and prints the figures.

    ``data``: the real parent and child, then the folder of the synthetic ones, or both files.
    """
    if len(data) not in (3, 4):
        raise click.UsageError(
            "with --key, the real parent and child are needed, and the folder of the synthetic "
            "ones or both files, such as customers.csv orders.csv synthetic/; got "
            f"{len(data)} of them"
        )
    files, foreign = _named(data[:2], key)
    folder = Path(data[2])
    made: Sequence[str | Path] = (
        data[2:] if len(data) == 4 else [_table_in(folder, each) for each in files]
    )
    limits = how["fail_under"]
    with Progress(quiet=how["quiet"]) as progress:
        progress.wait("reading and judging", " and ".join(files))
        real = {name: synthgan.read_table(path) for name, path in files.items()}
        drawn = {name: synthgan.read_table(path) for name, path in zip(files, made, strict=True)}
        found = synthgan.evaluate_tables(drawn, real=real, key=foreign, **given(seed=how["seed"]))
    unknown = [name for name in limits if name not in found]
    if unknown:
        raise click.UsageError(f"{unknown[0]} is no figure of two tables; {', '.join(found)} are")
    if not how["quiet"]:
        rows = [
            (each.name, *map(_percent, (each.estimate, each.floor, each.baseline)))
            for each in found.values()
        ]
        print_table(("measure", "figure", "real rows", "keys shuffled"), rows)
    below = [
        f"{name} is {_percent(found[name].estimate)}, below {limit:g}"
        for name, limit in limits.items()
        if not found[name].estimate.value >= limit
    ]
    if below:
        fail("; ".join(below), BELOW)


def _percent(estimate: synthgan.Estimate | None) -> str:
    is_told = estimate is not None and not math.isnan(estimate.value)
    return f"{estimate.value:.2f} %" if estimate is not None and is_told else "not defined"


def _table_in(folder: Path, name: str) -> Path:
    """The one file of ``folder`` that is called ``name``."""
    if not folder.is_dir():
        raise click.UsageError(
            f"{folder} is no folder: name the one that 'synthgan sample' has written to, or both "
            "synthetic files"
        )
    found = [
        each
        for each in sorted(folder.iterdir())
        if each.name.split(".")[0] == name and each.name.lower().endswith(_FILES)
    ]
    if len(found) != 1:
        raise click.UsageError(f"{folder} must hold one file of {name!r}; it holds {len(found)}")
    return found[0]


def _facts(model: synthgan.TablesSynthesizer, path: Path, *, history: bool) -> dict[str, Any]:
    schemas = {name: json.loads(schema.to_json()) for name, schema in model.schemas.items()}
    steps = {t: each if history else phase_ends(each) for t, each in model.history.items()}
    return {
        "file": str(path),
        "bytes": path.stat().st_size,
        "parameters": model.parameters,
        "versions": dict(model.versions),
        "key": dataclasses.asdict(model.key),
        "tables": {
            name: {
                "rows": model.rows[name],
                "columns": schema["columns"],
                "constraints": schema.get("constraints", []),
                "losses": [dataclasses.asdict(step) for step in steps[name]],
            }
            for name, schema in schemas.items()
        },
        "protections": list(model.protections),
        "notes": list(model.notes),
    }
