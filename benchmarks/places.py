"""Do latitude and longitude, learned as two numbers, come out as places?

    python benchmarks/places.py TABLE LATITUDE LONGITUDE [--seeds 1] [--json OUT]

Each fit sees 80 % of the table, all columns, with default settings. As many rows are drawn, and cut
to as many as were held out. Of these and of the held-out rows, the distance to the nearest real
point of the training rows is taken, in kilometres. Reported are its median and upper quantiles, the
share of synthetic points that lie farther than 99 % of held-out ones do (.01 is what real points
have), and the C2ST AUC of the two columns alone, that is of boosted trees that see nothing but the
place. Real rows and columns shuffled on their own stand below.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.spatial import cKDTree
from tables import cut

import synthgan
from synthgan.metrics.columns import Columns, independent_columns
from synthgan.metrics.fidelity.detection import c2st

_EARTH = 6371.0  # kilometres
_FAR = 0.99


def nearest(points: pd.DataFrame, real: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Kilometres from each of ``points`` (latitude, longitude) to the nearest of ``real``."""
    chords, _ = cKDTree(_on_sphere(real)).query(_on_sphere(points))
    return np.asarray(2 * _EARTH * np.arcsin(np.clip(chords / 2, 0, 1)))


def _on_sphere(points: pd.DataFrame) -> npt.NDArray[np.float64]:
    latitude, longitude = np.radians(points.to_numpy(dtype=np.float64)).T
    level = np.cos(latitude)
    return np.column_stack([level * np.cos(longitude), level * np.sin(longitude), np.sin(latitude)])


def figures(
    points: pd.DataFrame, train: pd.DataFrame, holdout: pd.DataFrame, seed: int
) -> dict[str, float]:
    """Of ``points`` in the place of a sample."""
    rows = points.sample(min(len(holdout), len(points)), random_state=seed)
    apart, usual = nearest(rows, train), nearest(holdout, train)
    return {
        "median km": float(np.median(apart)),
        "95 % km": float(np.quantile(apart, 0.95)),
        "99 % km": float(np.quantile(apart, 0.99)),
        "too far": float((apart > np.quantile(usual, _FAR)).mean()),
        "C2ST": c2st(holdout, rows, columns=Columns.of(train)).value,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("latitude")
    parser.add_argument("longitude")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="OUT")
    chosen = parser.parse_args()
    halves = cut(chosen.table)
    names = [chosen.latitude, chosen.longitude]
    train, holdout = halves.train[names], halves.holdout[names]
    shuffled = independent_columns(train, len(train), np.random.default_rng(0))
    found = {"shuffled": figures(shuffled, train, holdout, 0)}
    found["held-out rows"] = figures(holdout, train, holdout, 0) | {
        "C2ST": c2st(holdout, train, columns=Columns.of(train)).value
    }
    for seed in range(chosen.seeds):
        model = synthgan.fit(halves.train, config=synthgan.Config(seed=seed))
        rows = model.sample(len(train), seed=0)[names]
        found[f"synthetic, seed {seed}"] = figures(rows, train, holdout, seed)
    lines = [("rows", *next(iter(found.values())))]
    lines += [(name, *(f"{each:.3f}" for each in row.values())) for name, row in found.items()]
    for line in lines:
        sys.stdout.write("".join(f"{cell:<20}" for cell in line) + "\n")
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
