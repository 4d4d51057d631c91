"""What is said of a model after its fit."""

from __future__ import annotations

import shlex
from pathlib import Path

import synthgan
from synthgan.cli.failures import INTERRUPTED, Stop, fail
from synthgan.cli.options import MODEL
from synthgan.progress import count, duration, file_size, phase_ends, say

_FEW_LINES = 8  # of protections, before the rest is only counted


def say_left(stop: Stop, output: Path, checkpoint: synthgan.CheckpointConfig | None) -> None:
    """Says what an interruption left, and ends with its exit code; and if a checkpoint that is
    of no more use could not be removed."""
    left = checkpoint is not None and Path(checkpoint.path).exists()
    if stop.count:
        more = "; go on from there with the same command and --resume --overwrite" if left else ""
        fail(f"interrupted; what was learned until then is in {output}{more}", INTERRUPTED)
    if left:
        assert checkpoint is not None
        say(f"note: {checkpoint.path} could not be removed; it holds what has learned from rows")


def say_of_model(
    model: synthgan.Synthesizer, path: Path, seconds: float, told: synthgan.Schema, source: str
) -> None:
    steps = ", ".join(f"{step.phase} {step.step:,}" for step in phase_ends(model.history))
    say(
        f"learned about {count(model.rows, 'row')} and {count(len(model.schema), 'column')}"
        f" in {duration(seconds)}" + (f" (steps: {steps})" if steps else "")
    )
    rules = len(model.schema.constraints)
    if rules:
        say(f"every row will keep {count(rules, 'rule')} between columns: synthgan info")
    protections = list(model.protections)
    more = len(protections) - _FEW_LINES
    if more > 1:
        protections[_FEW_LINES:] = [f"... and {more} more; see synthgan info"]
    for line in protections:
        say(f"protected: {line}")
    for line in model.notes:
        say(f"note: {line}")
    if model.guarantee is not None:
        say(_declared(told, source))
    say(f"the model is in {path} ({file_size(path)})")
    name = "" if str(path) == MODEL else f"{shlex.quote(str(path))} "
    say(f"next: synthgan sample {name}-n 10000")


def _declared(schema: synthgan.Schema, source: str) -> str:
    """What the guarantee does not cover, as the owner has declared it."""
    counts = {
        "formats": sum(c.format is not None or c.decimals is not None for c in schema),
        "bounds": sum(c.low is not None or c.high is not None for c in schema),
        "categories": sum(c.categories is not None for c in schema),
        "words": sum(c.words is not None for c in schema),
    }
    told = [f"names and kinds of {count(len(schema), 'column')}"]
    told += [f"{what} of {number}" for what, number in counts.items() if number]
    if schema.constraints:
        told.append(count(len(schema.constraints), "rule"))
    return f"taken from {source} as public, which epsilon does not cover: {', '.join(told)}"
