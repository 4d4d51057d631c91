"""``synthgan info``: tells what a model file holds and protects."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

import synthgan
from synthgan.cli.options import model_argument
from synthgan.cli.output import print_columns, print_constraints, print_table, tell_list
from synthgan.cli.tables import is_of_tables, tell_tables
from synthgan.progress import count, diagnostics, file_size, losses, phase_ends, tell

_MAIN_SETTINGS = (
    "seed",
    "train.steps",
    "train.batch_size",
    "network.width",
    "summary.min_category_rows",
    "summary.extreme_rows",
)


@click.command()
@model_argument
@click.option("--history", is_flag=True, help="Losses and diagnostics of training, too.")
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
    if is_of_tables(model):
        tell_tables(model, as_json=as_json, history=history)
        return
    loaded = synthgan.load(model, device="cpu")
    if as_json:
        click.echo(json.dumps(_facts(loaded, model, history=history), indent=2))
        return
    tell(f"{model}: {file_size(model)}, {loaded.parameters:,} weights")
    tell("made by " + ", ".join(f"{name} {made}" for name, made in loaded.versions.items()))
    learned = f"{count(loaded.rows, 'row')} and {count(len(loaded.schema), 'column')}"
    steps = ", ".join(f"{step.phase} {step.step:,}" for step in phase_ends(loaded.history))
    tell(f"learned from about {learned}" + (f" (steps: {steps})" if steps else ""))
    tell("settings: " + ", ".join(_main_settings(loaded.config)))
    click.echo()
    print_columns(loaded.schema)
    print_constraints(loaded.schema)
    tell_list("protected:", loaded.protections)
    if loaded.guarantee is not None:
        _tell_ledger(loaded.guarantee)
    tell_list("notes:", loaded.notes)
    if history and loaded.history:
        _tell_history(loaded.history)


def _tell_history(steps: Sequence[synthgan.Step]) -> None:
    """Losses and diagnostics, a line a step."""
    click.echo()
    looked = any(any(diagnostics(step).values()) for step in steps)
    names = ("phase", "step", "of", "seconds", *losses(steps[0]))
    names += tuple(diagnostics(steps[0])) if looked else ()
    print_table(names, (_history_row(step, looked=looked) for step in steps))


def _tell_ledger(guarantee: synthgan.Guarantee) -> None:
    """The guarantee, and what was spent on what: measurements of one kind are one line."""
    click.echo()
    tell(
        f"epsilon {guarantee.epsilon:.6g}, delta {guarantee.delta:.3g}, neighbours differ by "
        f"{guarantee.difference}; from {len(guarantee.events):,} measurements "
        "(all of them: --json):"
    )
    groups: dict[tuple[str, str, int], list[synthgan.Event]] = {}
    for event in guarantee.events:
        of = ("the table", "single columns", "pairs of columns")[min(len(event.columns), 2)]
        of = "all columns" if event.clip is not None else of
        groups.setdefault((event.kind, of, event.sensitivity), []).append(event)
    whole = sum(event.rho for event in guarantee.events)
    sampled = any(event.clip is not None for event in guarantee.events)
    rows = [
        (
            *(kind, of, f"{sum(event.steps for event in events):,}"),
            *(_span([float(event.variance) for event in events]), f"{sensitivity}"),
            f"{sum(event.delta for event in events):.3g}",
            "" if sampled else f"{float(sum(event.rho for event in events) / whole):.1%}",
        )
        for (kind, of, sensitivity), events in groups.items()
    ]
    names = ("measurement", "of", "times", "variance", "sensitivity", "delta", "share of the cost")
    print_table(names[: 6 if sampled else 7], [row[: 6 if sampled else 7] for row in rows])


def _span(numbers: Sequence[float]) -> str:
    low, high = f"{min(numbers):,.1f}", f"{max(numbers):,.1f}"
    return low if low == high else f"{low} to {high}"


def _history_row(step: synthgan.Step, *, looked: bool) -> tuple[str, ...]:
    return (
        step.phase,
        f"{step.step}",
        f"{step.of}",
        f"{step.seconds:.1f}",
        *losses(step).values(),
        *(diagnostics(step).values() if looked else ()),
    )


def _settings(config: synthgan.Config) -> dict[str, Any]:
    """All settings, as ``train.steps`` and the like."""
    flat: dict[str, Any] = {}
    for name, value in dataclasses.asdict(config).items():
        if isinstance(value, dict):
            flat |= {f"{name}.{part}": each for part, each in value.items()}
        else:
            flat[name] = value
    return flat


def _main_settings(config: synthgan.Config) -> Iterator[str]:
    """The settings that matter most, and those that are not at their default."""
    usual, changed = _settings(synthgan.Config()), _changed_settings(config)
    for name, value in _settings(config).items():
        if name in changed:
            default = f"default {_word(usual[name])}" if name in usual else "not by default"
            yield f"{name} {_word(value)} ({default})"
        elif name in _MAIN_SETTINGS:
            yield f"{name} {_word(value)}"


def _changed_settings(config: synthgan.Config) -> list[str]:
    """Settings that are not at their default, or of a part that is there or not by choice."""
    usual = _settings(synthgan.Config())
    settings = _settings(config).items()
    return [name for name, value in settings if name not in usual or value != usual[name]]


def _word(value: object) -> str:
    return "unset" if value is None else str(value)


def _facts(model: synthgan.Synthesizer, path: Path, *, history: bool) -> dict[str, Any]:
    schema = json.loads(model.schema.to_json())
    facts = {
        "file": str(path),
        "bytes": path.stat().st_size,
        "parameters": model.parameters,
        "versions": dict(model.versions),
        "rows": model.rows,
        "columns": schema["columns"],
        "entity": schema.get("entity"),
        "constraints": schema.get("constraints", []),
        "settings": _settings(model.config),
        "changed_settings": _changed_settings(model.config),
        "guarantee": None if model.guarantee is None else dataclasses.asdict(model.guarantee),
        "protections": list(model.protections),
        "notes": list(model.notes),
        "losses": [dataclasses.asdict(step) for step in phase_ends(model.history)],
    }
    if history:
        facts["history"] = [dataclasses.asdict(step) for step in model.history]
    return facts
