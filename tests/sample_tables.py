"""Generated tables for tests, and one model that many tests can share."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

import synthgan


def people(rows: int = 600, seed: int = 0) -> pd.DataFrame:
    """A mixed table with dependent columns, holes in all kinds of them, and a rare level."""
    rng = np.random.default_rng(seed)
    age = rng.integers(18, 90, rows)
    rich = rng.random(rows) < 0.1 + 0.5 * (age > 45)
    job = np.where(rich, rng.choice(["boss", "smith"], rows), rng.choice(["clerk", "smith"], rows))
    wealth = np.where(rng.random(rows) < 0.4, 0.0, np.exp(rng.normal(8 + rich, 1, rows)).round(2))
    frame = pd.DataFrame(
        {
            "age": age,
            "job": job.astype(object),
            "wealth": wealth,
            "rich": np.where(rich, "yes", "no").astype(object),
            "since": pd.Timestamp("2001-01-01") + pd.to_timedelta(rng.integers(0, 8000, rows), "D"),
            "score": rng.normal(0, 1, rows).round(3) + rich,
            "member": rich ^ (rng.random(rows) < 0.1),
        }
    )
    frame["score"] = frame["score"].round(3).where(rng.random(rows) > 0.1)
    frame["job"] = frame["job"].where(rng.random(rows) > 0.05, None)
    frame.loc[:1, "job"] = "astronaut"
    return frame


def quick(steps: int = 30, **train: object) -> synthgan.Config:
    """Settings that learn little and take a second."""
    settings: dict[str, object] = {"device": "cpu", **train}
    return synthgan.Config(
        network=synthgan.NetworkConfig(
            noise_width=8, width=32, block_width=24, head_width=16, critic_width=32, critic_depth=2
        ),
        train=synthgan.TrainConfig(steps=steps, batch_size=100, **settings),  # type: ignore[arg-type]
    )


@cache
def quick_model() -> synthgan.Synthesizer:
    """A model of :func:`people`; not to be changed, as it is shared."""
    return synthgan.fit(people(), config=quick(120))
