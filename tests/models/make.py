"""Writes the small model file of the present format that tests load: python tests/models/make.py

A released format keeps its file. Make it anew only while no release has that format, and a new
one beside it when FORMAT goes up. The rows that it learns are generated here.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

import synthgan
from synthgan.model.card import FORMAT

FOLDER = Path(__file__).parent


def table() -> pd.DataFrame:
    """200 rows with a column of each kind."""
    rng = np.random.default_rng(0)
    n = 200
    amount = np.round(rng.gamma(2, 50, n), 2)
    frame = pd.DataFrame(
        {
            "key": [f"K-{i:05d}" for i in range(n)],
            "amount": amount,
            "count": pd.Series(rng.poisson(3, n)).where(rng.random(n) > 0.1).astype("Int64"),
            "group": rng.choice(["north", "south", "west"], n, p=[0.6, 0.3, 0.1]),
            "paid": amount > 80,
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 365, n), unit="D"),
            "share": [f"{x:.1f} %" for x in rng.uniform(0, 100, n)],
        }
    )
    # Text and dates as pandas 2 has them by itself.
    return frame.astype({"key": object, "group": object, "share": object, "day": "datetime64[ns]"})


def main() -> None:
    small = synthgan.NetworkConfig(noise_width=2, width=4, head_width=2)
    train = synthgan.TrainConfig(steps=4, adversarial=False, batch_size=50, device="cpu")
    summary = synthgan.SummaryConfig(bins=5)
    config = synthgan.Config(network=small, train=train, summary=summary)
    model = synthgan.fit(table(), config=config)
    model.save(FOLDER / f"format-{FORMAT}.synthgan", overwrite=True)


if __name__ == "__main__":
    main()
