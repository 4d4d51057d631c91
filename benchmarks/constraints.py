"""What constraints cost: rows with the rules that a table shows, beside rows without them.

    python benchmarks/constraints.py TABLE... [--draws 3] [--steps N] [--rows N]

Each table is split 80/20 in a fixed way and fitted twice, with the constraints that were found
and with none: but for differences of columns in order, which are learned as columns of their own,
rules play no part in training, so that both models have the same weights. Every draw is as large
as the holdout, which C2ST is taken against. "time" is the CPU time of sampling with rules over
that without.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from tables import Halves, cut

import synthgan
from synthgan.metrics.fidelity.detection import c2st


def measure(halves: Halves, draws: int, config: synthgan.Config) -> list[str]:
    """C2ST with rules and without, the ratio of times, and the number of rules."""
    schema = synthgan.infer_schema(halves.train)
    found = {}
    for rules in (schema.constraints, ()):
        model = synthgan.fit(halves.train, replace(schema, constraints=rules), config)
        model.sample(100, seed=0)  # what is done once is done
        started = time.process_time()
        rows = [model.sample(len(halves.holdout), seed=seed) for seed in range(draws)]
        seconds = time.process_time() - started
        found[bool(rules)] = np.mean([c2st(halves.holdout, each).value for each in rows]), seconds
    if len(found) == 1:
        return ["0", "-", "-", "-"]
    (kept, slow), (free, quick) = found[True], found[False]
    return [f"{len(schema.constraints)}", f"{kept:.3f}", f"{free:.3f}", f"{slow / quick:.2f}"]


def main() -> None:
    """Reads the command line, prints a line a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tables", nargs="+", type=Path, metavar="TABLE")
    parser.add_argument("--draws", type=int, default=3, help="samples of each fit (3)")
    parser.add_argument("--steps", type=int, help="fit with so many steps; without it, fully")
    parser.add_argument("--rows", type=int, help="take so many rows of each table")
    options = parser.parse_args()
    config = synthgan.Config(train=synthgan.TrainConfig(steps=options.steps))
    print("table,rules,C2ST with rules,without,time")
    for path in options.tables:
        halves = cut(path, options.rows)
        print(",".join([halves.name, *measure(halves, options.draws, config)]), flush=True)


if __name__ == "__main__":
    main()
