"""Whether the time between two dates comes out right: stays in hospital within a year.

    python benchmarks/stays.py [--rows 3000] [--steps N]

The table is made up: a stay lasts some days, longer in one ward, and decides its cost. It is
fitted twice: with the rules that are found, among them that nobody leaves before they come, so
that the difference of the dates is learned, and with none. Printed are lengths of stays in days,
their correlation with the cost, and the rows in which somebody leaves before they come.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np
import pandas as pd

import synthgan


def stays(rows: int) -> pd.DataFrame:
    """A year of stays (rows x 4 columns), admissions to the minute."""
    rng = np.random.default_rng(0)
    intensive = rng.random(rows) < 0.2
    minutes = rng.integers(0, 365 * 1440, rows)
    admitted = pd.Timestamp("2023-01-01") + pd.to_timedelta(minutes, "min")
    days = rng.gamma(2, 2.2, rows) * np.where(intensive, 2, 1) + 0.2
    return pd.DataFrame(
        {
            "admitted": admitted,
            "discharged": (admitted + pd.to_timedelta(days, "D")).floor("min"),
            "ward": np.where(intensive, "intensive", "other"),
            "cost": np.round(days * 310),
        }
    )


def line(name: str, frame: pd.DataFrame) -> str:
    """Mean, spread and the longest of the stays, by ward, and what they go with."""
    days = (frame["discharged"] - frame["admitted"]).dt.total_seconds() / 86400
    wards = days.groupby(frame["ward"]).mean()
    numbers = (days.mean(), days.std(), days.max(), wards["intensive"], wards["other"])
    cells = [*(f"{number:.1f}" for number in numbers), f"{days.corr(frame['cost']):.3f}"]
    return ",".join([name, *cells, f"{(days < 0).mean():.1%}"])


def main() -> None:
    """Reads the command line, prints three lines."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=3000, help="of the table (3000)")
    parser.add_argument("--steps", type=int, help="fit with so many steps; without it, fully")
    options = parser.parse_args()
    config = synthgan.Config(train=synthgan.TrainConfig(steps=options.steps))
    frame = stays(options.rows)
    schema = synthgan.infer_schema(frame)
    print("rows,mean,spread,longest,intensive,other,correlation with cost,ends before it begins")
    print(line("real", frame), flush=True)
    for name, rules in (("with the rule", schema.constraints), ("without", ())):
        model = synthgan.fit(frame, replace(schema, constraints=rules), config)
        print(line(name, model.sample(options.rows, seed=1)), flush=True)


if __name__ == "__main__":
    main()
