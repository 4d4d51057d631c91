"""Tables, cut into what a model learns and what it never sees, the same way each time."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

import synthgan


@dataclass(frozen=True, kw_only=True)
class Halves:
    """One table in two parts, and what its sidecar says of it."""

    name: str
    train: pd.DataFrame
    holdout: pd.DataFrame
    target: str | None
    task: str | None


def cut(path: Path, rows: int | None = None) -> Halves:
    """80 % of ``path`` to learn from and 20 % held out; ``rows`` takes so many rows of it.

    The target and its task stand in NAME.json beside the table, if anywhere.
    """
    name = path.name.split(".")[0]
    sidecar = path.with_name(f"{name}.json")
    about = json.loads(sidecar.read_text(encoding="utf-8")) if sidecar.exists() else {}
    frame = synthgan.read_table(path)
    if rows is not None and rows < len(frame):
        frame = frame.sample(rows, random_state=0)
    frame = frame.reset_index(drop=True)
    holdout = frame.sample(frac=0.2, random_state=0)
    return Halves(
        name=name,
        train=frame.drop(holdout.index).reset_index(drop=True),
        holdout=holdout.reset_index(drop=True),
        target=about.get("target"),
        task=about.get("task"),
    )
