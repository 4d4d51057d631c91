"""Do fits of small tables learn rows by heart? Several of them, against many rows never seen.

    python benchmarks/small.py TABLE... [--rows 500] [--tables 4] [--json OUT]

Takes disjoint pieces of so many rows out of each table, fits each with default settings, and draws
as many rows. The rows of no piece, 2,000 at most, are held out: with so many of them, the MIA AUC
(who was in the training rows, told by the distance to the nearest synthetic row; .5 is nobody) has
a standard error of about .41 / sqrt(rows), .018 for 500, a fit, and the mean over 4 pieces half of
it. C2ST is taken against the same held-out rows.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

import synthgan
from synthgan.metrics.columns import Columns, independent_columns
from synthgan.metrics.fidelity.detection import c2st
from synthgan.metrics.privacy.distances import membership_auc

_HELD = 2000


def figures(path: Path, rows: int, tables: int) -> list[dict[str, float]]:
    frame = synthgan.read_table(path)
    if len(frame) < rows * tables + rows:
        raise SystemExit(f"{path} has {len(frame):,} rows, too few for {tables} pieces of {rows}")
    order = np.random.default_rng(0).permutation(len(frame))
    held = frame.iloc[order[rows * tables :][:_HELD]].reset_index(drop=True)
    found = []
    for number in range(tables):
        train = frame.iloc[order[rows * number : rows * (number + 1)]].reset_index(drop=True)
        columns = Columns.of(train)
        began = time.process_time()
        model = synthgan.fit(train, config=synthgan.Config(seed=number))
        cpu = time.process_time() - began
        made = model.sample(rows, seed=0)
        shuffled = independent_columns(train, rows, np.random.default_rng(0))
        found.append(
            {
                "MIA": membership_auc(made, train, held, columns=columns).value,
                "MIA shuffled": membership_auc(shuffled, train, held, columns=columns).value,
                "C2ST": c2st(held, made, columns=columns).value,
                "C2ST real": c2st(held, train, columns=columns).value,
                "fit CPU s": cpu,
            }
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("tables_of", nargs="+", type=Path, metavar="TABLE")
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--tables", type=int, default=4)
    parser.add_argument("--json", type=Path, metavar="OUT")
    chosen = parser.parse_args()
    every = {}
    for path in chosen.tables_of:
        every[path.name] = found = figures(path, chosen.rows, chosen.tables)
        for name in found[0]:
            each = np.array([figure[name] for figure in found])
            spread = each.std(ddof=1) / np.sqrt(len(each)) if len(each) > 1 else np.nan
            shown = ", ".join(f"{value:.3f}" for value in each)
            sys.stdout.write(f"{path.name:24}{name:14}{each.mean():.3f} ±{spread:.3f}  ({shown})\n")
        sys.stdout.flush()
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(every, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
