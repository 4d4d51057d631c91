"""Baselines learn what they can, and no more."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sample_tables import people

import synthgan
from synthgan.compare.baselines import BASELINES, BaselineKind
from synthgan.compare.trees import mutual_information


def chained(rows: int = 2000) -> pd.DataFrame:
    """a says b, b says c most often; d is c's copy far from it; e is on its own."""
    rng = np.random.default_rng(0)
    a = rng.integers(0, 3, rows)
    b = np.where(rng.random(rows) < 0.9, a, rng.integers(0, 3, rows))
    e = rng.integers(0, 3, rows)
    table = {"a": a, "e": e, "b": b, "d": a}
    return pd.DataFrame({name: np.array(list("xyz"))[codes] for name, codes in table.items()})


def agreement(frame: pd.DataFrame, one: str, other: str) -> float:
    return float((frame[one] == frame[other]).mean())


@pytest.mark.parametrize("kind", BASELINES)
def test_rows_look_like_the_table(kind: BaselineKind) -> None:
    table = people(500)
    model = synthgan.fit_baseline(table, kind, vae=synthgan.VaeConfig(steps=150, width=32))
    rows = model.sample(400, seed=3)
    pd.testing.assert_series_equal(rows.dtypes, table.dtypes)
    assert list(rows.columns) == list(table.columns)
    assert "astronaut" not in set(rows["job"])  # too rare to be drawn
    assert rows["age"].between(18, 89).all()
    assert abs((rows["wealth"] == 0).mean() - (table["wealth"] == 0).mean()) < 0.12
    assert abs(rows["job"].isna().mean() - table["job"].isna().mean()) < 0.06
    assert abs(rows["age"].mean() - table["age"].mean()) < 6
    assert model.parameters > 50
    pd.testing.assert_frame_equal(rows, model.sample(400, seed=3))
    assert not rows.equals(model.sample(400, seed=4))


def test_each_sees_the_pairs_that_it_can_see() -> None:
    table = chained()
    drawn = {
        kind: synthgan.fit_baseline(table, kind).sample(2000, seed=1)
        for kind in ("independent", "markov-chain", "chow-liu")
    }
    chance = 1 / 3
    for one, other in (("a", "b"), ("a", "d")):
        assert agreement(drawn["independent"], one, other) == pytest.approx(chance, abs=0.06)
        assert agreement(drawn["chow-liu"], one, other) == pytest.approx(
            agreement(table, one, other), abs=0.04
        )
    # A column that knows nothing stands between a and b, and breaks the chain.
    assert agreement(drawn["markov-chain"], "a", "b") == pytest.approx(chance, abs=0.06)
    assert agreement(drawn["markov-chain"], "b", "d") == pytest.approx(
        agreement(table, "b", "d"), abs=0.04
    )


def test_the_copula_keeps_the_correlation_of_numbers() -> None:
    rng = np.random.default_rng(0)
    one = rng.normal(size=1500)
    table = pd.DataFrame({"one": one, "other": np.exp(one + rng.normal(size=1500))})
    rows = synthgan.fit_baseline(table, "copula").sample(3000, seed=0)
    real = table.corr("spearman").iloc[0, 1]
    assert rows.corr("spearman").iloc[0, 1] == pytest.approx(real, abs=0.06)


def test_the_autoencoder_learns_a_dependence() -> None:
    config = synthgan.VaeConfig(steps=400, width=64, batch_size=200, learning_rate=4e-3)
    rows = synthgan.fit_baseline(chained(1000), "vae", vae=config).sample(2000, seed=0)
    assert agreement(rows, "a", "d") > 0.8


def test_mutual_information_of_a_copy_is_the_entropy_and_of_noise_about_nothing() -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 20, 800)
    copy = mutual_information(np.stack([codes, codes], axis=1), (20, 20))
    shares = np.bincount(codes) / 800
    assert copy == pytest.approx(-(shares * np.log(shares)).sum(), abs=0.03)
    noise = [
        mutual_information(np.stack([codes, rng.integers(0, 20, 800)], axis=1), (20, 20))
        for _ in range(5)
    ]
    assert np.mean(noise) < 0.1  # .22 without the correction
    # wide columns are counted in another way
    assert mutual_information(np.stack([codes, codes], axis=1), (2000, 2000)) == pytest.approx(copy)


@pytest.mark.parametrize("kind", BASELINES)
def test_tables_of_constants(kind: BaselineKind) -> None:
    constant = pd.DataFrame({"a": ["x"] * 30, "b": [1.5] * 30})
    pd.testing.assert_frame_equal(
        synthgan.fit_baseline(constant, kind).sample(5, seed=0), constant.head(5)
    )
    one = constant.assign(c=np.arange(30) % 2)
    quick = synthgan.VaeConfig(steps=2)
    assert set(synthgan.fit_baseline(one, kind, vae=quick).sample(40, seed=0)["c"]) == {0, 1}


def test_what_cannot_be_is_refused() -> None:
    table = people(100)
    with pytest.raises(synthgan.ConfigError, match="kind must be one of independent"):
        synthgan.fit_baseline(table, "bayes")  # type: ignore[arg-type]
    private = synthgan.Config(privacy=synthgan.PrivacyConfig(epsilon=1))
    with pytest.raises(synthgan.ConfigError, match="no differential privacy"):
        synthgan.fit_baseline(table, "independent", config=private)
    model = synthgan.fit_baseline(table, "independent")
    for wrong in (0, True, 1.5):
        with pytest.raises(synthgan.ConfigError, match="n must be"):
            model.sample(wrong)  # type: ignore[arg-type]
    with pytest.raises(synthgan.ConfigError, match="seed"):
        model.sample(1, seed=-1)
    for name in ("latent_width", "width", "steps", "batch_size"):
        with pytest.raises(synthgan.ConfigError, match=name):
            synthgan.VaeConfig(**{name: 0})
    with pytest.raises(synthgan.ConfigError, match="learning_rate"):
        synthgan.VaeConfig(learning_rate=0.0)
