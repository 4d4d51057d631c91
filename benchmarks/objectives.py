"""Objectives x tables: the same networks and loop, another game, by one judge.

    python benchmarks/objectives.py --steps 300                     the ring of eight Gaussians
    python benchmarks/objectives.py --steps 2000 TABLE.parquet ...  tables, judged as in a report

Training is the game alone, without the warm start, so that nothing else can explain a figure. On
the ring: share of rows within three standard deviations of a mode, and the share of the rarest
and of the most frequent one (of eight; .125 is right). Prints one Markdown table.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
from tables import cut

import synthgan
from synthgan.config import ObjectiveName
from synthgan.report import c2st, trend_error

_NAMES: tuple[ObjectiveName, ...] = get_args(ObjectiveName)
_SMALL = synthgan.NetworkConfig(
    noise_width=8, width=64, head_width=32, critic_width=64, critic_depth=2
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
        batch_size=how.batch_size,
        gradient_penalty=how.gradient_penalty,
        generator_lr=how.lr,
        critic_lr=how.lr,
    )


def on_ring(how: argparse.Namespace) -> None:
    table = ring(2000, np.random.default_rng(0))
    print("| objective | at a mode | rarest | most frequent | critic slope | seconds |")
    print("|---|---|---|---|---|---|")
    for name in _NAMES:
        began = time.process_time()
        config = synthgan.Config(network=_SMALL, train=game(name, how))
        model = synthgan.fit(table, config=config)
        seconds = time.process_time() - began
        found = modes(model.sample(2000, seed=1))
        slope = model.history[-1].critic_slope
        line = f"| {name} | {found.sum():.3f} | {found.min():.3f} | {found.max():.3f} |"
        print(f"{line} {slope or 0:.3g} | {seconds:.0f} |", flush=True)


def on_table(path: Path, how: argparse.Namespace) -> None:
    halves = cut(path, how.rows)
    for name in _NAMES:
        began = time.process_time()
        model = synthgan.fit(halves.train, config=synthgan.Config(train=game(name, how)))
        seconds = time.process_time() - began
        rows = model.sample(len(halves.train), seed=1)
        auc = c2st(rows, halves.holdout).estimate.value
        trend = trend_error(rows, halves.holdout).estimate.value
        notes = len(model.notes)
        print(f"| {halves.name} | {name} | {auc:.3f} | {trend:.2f} | {notes} | {seconds:.0f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", nargs="*", type=Path)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--batch-size", type=int, default=200)
    parser.add_argument("--gradient-penalty", type=float, default=0.1)
    parser.add_argument("--lr", type=float, default=3e-3)
    how = parser.parse_args()
    if not how.tables:
        on_ring(how)
        return
    print("| table | objective | C2ST AUC | trend error, % | notes | CPU s |")
    print("|---|---|---|---|---|---|")
    for path in how.tables:
        on_table(path, how)


if __name__ == "__main__":
    main()
