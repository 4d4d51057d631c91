"""Objectives on mixtures that each is known to pass: all modes found, none lost, and rows at them.

What fails is no test but a figure: docs/benchmarks.md, "Objectives".
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import synthgan
from synthgan.config import ObjectiveName

ROWS = 2000


def gaussians(centres: np.ndarray, spread: float) -> pd.DataFrame:
    """Rows around ``centres`` (K, 2), each as likely as any other."""
    rng = np.random.default_rng(0)
    xy = centres[rng.integers(0, len(centres), ROWS)] + rng.normal(0, spread, (ROWS, 2))
    return pd.DataFrame(xy.round(3), columns=["x", "y"])


def near(table: pd.DataFrame, centres: np.ndarray, spread: float) -> np.ndarray:
    """Share of rows within three standard deviations of each centre: (K,)."""
    far = np.linalg.norm(table[["x", "y"]].to_numpy()[:, None] - centres, axis=2)
    return np.asarray((far < 3 * spread).mean(axis=0))


ANGLES = 2 * np.pi * np.arange(8) / 8
RING = 2 * np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)
GRID = np.stack(np.meshgrid(np.arange(5.0) - 2, np.arange(5.0) - 2), axis=-1).reshape(-1, 2)

SHARES = [0.7, 0.2, 0.07, 0.03]
KINDS, MEMBERS, AMOUNTS = list("abbc"), [True, False, True, False], [0.0, 10.0, 10.0, 25.0]


def mixed() -> pd.DataFrame:
    """Four kinds of rows, the rarest 3 %: a category, a number and a boolean that go together."""
    rng = np.random.default_rng(0)
    kind = rng.choice(4, ROWS, p=SHARES)
    amount = np.array(AMOUNTS)[kind] + rng.normal(0, 1, ROWS)
    columns = {"kind": np.array(KINDS)[kind], "amount": amount.round(2)}
    return pd.DataFrame({**columns, "member": np.array(MEMBERS)[kind]})


def of_each_kind(table: pd.DataFrame) -> np.ndarray:
    """Share of rows that are as one kind is, in every column: (4,)."""
    same = [
        (table["kind"] == kind) & (table["member"] == member) & (table["amount"] - at).abs().lt(3)
        for kind, member, at in zip(KINDS, MEMBERS, AMOUNTS, strict=True)
    ]
    return np.array([each.mean() for each in same])


def played(table: pd.DataFrame, name: ObjectiveName) -> synthgan.Synthesizer:
    """A short game, without the warm start."""
    network = synthgan.NetworkConfig(
        noise_width=8, width=48, block_width=0, head_width=24, critic_width=64, critic_depth=2
    )
    train = synthgan.TrainConfig(
        objective=name, warm_start=False, steps=150, batch_size=200, gradient_penalty=0.1,
        generator_lr=1e-2, critic_lr=1e-2, device="cpu",
    )  # fmt: skip
    schema = synthgan.infer_schema(table, constraints=False)
    return synthgan.fit(table, schema, synthgan.Config(network=network, train=train))


def has_not_collapsed(model: synthgan.Synthesizer) -> bool:
    last = model.history[-1]
    assert last.distinct is not None
    assert last.recall is not None
    return min(last.distinct, last.recall) > 0.9 and not any(
        "collapse" in note for note in model.notes
    )


@pytest.mark.parametrize(("name", "at_modes"), [("wgan-gp", 0.8), ("hinge-sn", 0.5)])
def test_a_ring_of_eight(name: ObjectiveName, at_modes: float) -> None:
    """Of independent columns, .38 are at a mode."""
    model = played(gaussians(RING, 0.1), name)
    found = near(model.sample(ROWS, seed=1), RING, 0.1)
    assert found.sum() > at_modes
    assert found.min() > 0.03
    assert has_not_collapsed(model)


@pytest.mark.parametrize("name", ["wgan-clip", "hinge-sn"])
def test_a_grid_of_twenty_five(name: ObjectiveName) -> None:
    """Its columns are independent, so all modes are there from the start: none may be lost."""
    model = played(gaussians(GRID, 0.05), name)
    found = near(model.sample(ROWS, seed=1), GRID, 0.05)
    assert found.sum() > 0.9
    assert found.min() > 0.012
    assert has_not_collapsed(model)


@pytest.mark.parametrize("name", ["wgan-gp", "minimax", "non-saturating"])
def test_a_mixed_table_with_a_rare_kind(name: ObjectiveName) -> None:
    table = mixed()
    rng = np.random.default_rng(1)
    apart = of_each_kind(pd.DataFrame({c: rng.permutation(table[c]) for c in table}))
    assert of_each_kind(table).sum() > 0.98
    assert apart.sum() < 0.5
    found = of_each_kind(played(table, name).sample(ROWS, seed=1))
    assert found.sum() > 0.95
    assert found.min() > max(5 * apart.min(), 0.003)
