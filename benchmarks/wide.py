"""Does a table with far more columns than most fit, and at what price?

    python benchmarks/wide.py [--columns 1000] [--rows 500] [--minutes 20 | --steps N]

Makes a table of numbers, whole numbers, categories, booleans and numbers with holes, twelve
hidden numbers behind them, and fits it with default settings, for so many minutes at most. Prints
seconds (wall and CPU), the peak of memory, the size of the model file, and how far from the real
ones columns and rank correlations are, beside columns shuffled on their own.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from memory import peak_mib

import synthgan
from synthgan.metrics.columns import independent_columns
from synthgan.metrics.fidelity.shape import shape_error

_HIDDEN = 12


def table(rows: int, columns: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    hidden = rng.normal(size=(rows, _HIDDEN))
    made: dict[str, object] = {}
    for i in range(columns):
        x = 0.7 * hidden[:, i % _HIDDEN] + rng.normal(size=rows)
        made[f"c{i}"] = (
            x.round(2),
            np.rint(10 * x).astype(np.int64),
            np.array(["low", "mid", "high"], dtype=object)[np.digitize(x, [-0.5, 0.5])],
            x > 0.3,
            np.where(rng.random(rows) < 0.1, np.nan, np.exp(x).round(3)),
        )[i % 5]
    return pd.DataFrame(made)


def apart(real: pd.DataFrame, made: pd.DataFrame) -> str:
    names = real.select_dtypes("number").columns[:60]
    one, other = (each[names].corr(method="spearman").to_numpy() for each in (real, made))
    pairs = np.triu_indices(len(names), 1)
    strong = np.abs(one[pairs]) > 0.2
    gap = np.abs(one[pairs] - other[pairs])[strong].mean()
    return f"shape error {shape_error(real, made).mean():.2f} %, rank correlations off by {gap:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--columns", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--steps", type=int)
    chosen = parser.parse_args()
    real = table(chosen.rows, chosen.columns)

    def say(what: str, wall: float, cpu: float) -> None:
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        sys.stdout.write(f"{what}: {wall:.0f} s, CPU {cpu:.0f} s, peak {peak_mib():.0f} MiB\n")
        sys.stdout.flush()

    began = time.perf_counter(), time.process_time()
    schema = synthgan.infer_schema(real)
    say("schema", *began)
    train = synthgan.TrainConfig(max_minutes=chosen.minutes)
    if chosen.steps is not None:
        train = synthgan.TrainConfig(steps=chosen.steps)
    began = time.perf_counter(), time.process_time()
    model = synthgan.fit(real, schema, synthgan.Config(train=train))
    say("fit", *began)
    steps = ", ".join(f"{step.phase} {step.step}" for step in model.history[-1:])
    began = time.perf_counter(), time.process_time()
    made = model.sample(len(real), seed=0)
    say("sample", *began)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.synthgan"
        model.save(path)
        size = path.stat().st_size / 2**20
    sys.stdout.write(f"{model.parameters:,} weights, file {size:.0f} MiB, last step: {steps}\n")
    sys.stdout.write("".join(f"note: {note}\n" for note in model.notes))
    sys.stdout.write(f"synthetic: {apart(real, made)}\n")
    shuffled = independent_columns(real, len(real), np.random.default_rng(0))
    sys.stdout.write(f"shuffled: {apart(real, shuffled)}\n")


if __name__ == "__main__":
    main()
