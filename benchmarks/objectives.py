"""Objectives x tables: the same networks and loop, another game, by one judge.

    python benchmarks/objectives.py                                  the ring of eight Gaussians
    python benchmarks/objectives.py --small --rows 5000 TABLE.parquet ... digits

Training is the game alone, without the warm start, so that nothing else can explain a figure. On
the ring: share of rows within three standard deviations of a mode, and the share of the rarest
and of the most frequent one (of eight; .125 is right), and AUC of the detector that looks on in
training. On tables, judged as in a report, WGAN-GP
comes once more with the auxiliary classifier of the table's target, if that has classes; ``digits``
are scikit-learn's. The last lines are real rows, and columns that are independent. Prints one
Markdown table.
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from tables import Halves, cut

import synthgan
from synthgan.config import ObjectiveName
from synthgan.metrics.fidelity.detection import c2st
from synthgan.metrics.fidelity.pairs import trend_error

_NAMES: tuple[ObjectiveName, ...] = get_args(ObjectiveName)
_SMALL = synthgan.NetworkConfig(
    noise_width=8, width=64, block_width=0, head_width=32, critic_width=64, critic_depth=2
)


def ring(rows: int, rng: np.random.Generator) -> pd.DataFrame:
    """Eight Gaussians with a standard deviation of .1 on a circle of radius 2."""
    angle = 2 * np.pi * rng.integers(0, 8, rows) / 8
    x = 2 * np.cos(angle) + 0.1 * rng.normal(size=rows)
    y = 2 * np.sin(angle) + 0.1 * rng.normal(size=rows)
    return pd.DataFrame({"x": x, "y": y}).round(3)


def modes(table: pd.DataFrame) -> np.ndarray:
    """Share of the rows that lie at each mode of the ring."""
    angles = 2 * np.pi * np.arange(8) / 8
    centres = 2 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    far = np.linalg.norm(table[["x", "y"]].to_numpy()[:, None] - centres, axis=2)
    return np.asarray((far < 0.3).mean(axis=0))


def game(name: ObjectiveName, how: argparse.Namespace) -> synthgan.TrainConfig:
    """The game ``name`` alone."""
    return synthgan.TrainConfig(
        objective=name,
        warm_start=False,
        device="cpu",
        steps=how.steps,
        detection_every=how.steps,
        batch_size=how.batch_size,
        gradient_penalty=how.gradient_penalty,
        generator_lr=how.lr,
        critic_lr=how.lr,
    )


def on_ring(how: argparse.Namespace) -> None:
    table = ring(2000, np.random.default_rng(0))
    print("| objective | at a mode | rarest | most frequent | told apart | critic slope | CPU s |")
    print("|---|---|---|---|---|---|---|")
    for name in _NAMES:
        began = time.process_time()
        config = synthgan.Config(network=_SMALL, train=game(name, how))
        model = synthgan.fit(table, config=config)
        seconds = time.process_time() - began
        found = modes(model.sample(2000, seed=1))
        last = model.history[-1]
        line = f"| {name} | {found.sum():.3f} | {found.min():.3f} | {found.max():.3f} |"
        line = f"{line} {last.detection:.2f} | {last.critic_slope:.2g} |"
        print(f"{line} {seconds:.0f} |", flush=True)


def halves_of(name: str, rows: int | None) -> Halves:
    """A table by its path, or scikit-learn's digits, whose label is the target."""
    if name != "digits":
        return cut(Path(name), rows)
    digits = load_digits()
    table = pd.DataFrame(digits.data.astype(int)).add_prefix("p")
    table.insert(0, "digit", [f"{label}" for label in digits.target])
    held = table.sample(frac=0.2, random_state=0)
    learned = table.drop(held.index).reset_index(drop=True)
    held = held.reset_index(drop=True)
    return Halves(name=name, train=learned, holdout=held, target="digit", task="multiclass")


def on_table(name: str, how: argparse.Namespace) -> None:
    halves = halves_of(name, how.rows)
    schema = synthgan.infer_schema(halves.train, constraints=False)
    games = [(each, game(each, how)) for each in _NAMES]
    if halves.target and schema[halves.target].kind.value in ("category", "boolean"):
        auxiliary = dataclasses.replace(games[0][1], auxiliary=halves.target)
        games.insert(1, (f"{games[0][0]}, auxiliary", auxiliary))
    for label, train in games:
        began = time.process_time()
        config = synthgan.Config(train=train, **({"network": _SMALL} if how.small else {}))
        model = synthgan.fit(halves.train, schema, config)
        seconds = time.process_time() - began
        found = figures(model.sample(len(halves.train), seed=1), halves)
        last = model.history[-1]
        print(
            f"| {halves.name} | {label} | {found} | {last.distinct:.2f} | {last.critic_slope:.2g} "
            f"| {'; '.join(note.split(':')[0][:40] for note in model.notes)} | {seconds:.0f} |",
            flush=True,
        )
    real = halves.train.sample(frac=0.5, random_state=0)
    print(f"| {halves.name} | *real rows* | {figures(real, halves)} | | | | |")
    apart = synthgan.fit_baseline(halves.train, "independent", schema)
    rows = apart.sample(len(halves.train), seed=1)
    print(
        f"| {halves.name} | *independent columns* | {figures(rows, halves)} | | | | |", flush=True
    )


def figures(rows: pd.DataFrame, halves: Halves) -> str:
    """AUC of a detector, and error of dependence between pairs, against rows held out."""
    auc = c2st(halves.holdout, rows).value
    trend = trend_error(halves.holdout, rows)["error"].mean()
    return f"{auc:.3f} | {trend:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", nargs="*")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--small", action="store_true", help="the ring's networks for tables, too")
    parser.add_argument("--batch-size", type=int, default=200)
    parser.add_argument("--gradient-penalty", type=float, default=0.1)
    parser.add_argument("--lr", type=float, default=3e-3)
    how = parser.parse_args()
    if not how.tables:
        on_ring(how)
        return
    print("| table | objective | C2ST AUC | trend error, % | distinct | slope | notes | CPU s |")
    print("|---|---|---|---|---|---|---|---|")
    for name in how.tables:
        on_table(name, how)


if __name__ == "__main__":
    main()
