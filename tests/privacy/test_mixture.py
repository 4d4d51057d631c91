"""A mixture is fitted to tables with and without noise; what it says is held against the truth."""

from __future__ import annotations

import itertools
import math

import numpy as np
import numpy.typing as npt
import pytest
import torch

from synthgan.privacy import mixture as module
from synthgan.privacy.mixture import Mixture, Progress, Table, count_rows, fit_mixture

CPU = torch.device("cpu")
Ints = npt.NDArray[np.int64]


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small tables need neither many codes nor many steps."""
    monkeypatch.setattr(module, "_CODES", 128)
    monkeypatch.setattr(module, "_STEPS", 400)
    monkeypatch.setattr(module, "_RAMP", 40)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def chained_rows(widths: list[int], rows: int) -> Ints:
    """Each column mostly repeats the one before it, cut to its width."""
    source = np.random.default_rng(0)
    columns = [source.integers(0, widths[0], rows)]
    for width in widths[1:]:
        fresh = source.integers(0, width, rows)
        columns.append(np.where(source.random(rows) < 0.7, columns[-1] % width, fresh))
    return np.column_stack(columns)


def count(rows: Ints, widths: list[int], columns: tuple[int, ...]) -> Ints:
    shape = tuple(widths[c] for c in columns)
    index = np.ravel_multi_index(tuple(rows[:, c] for c in columns), shape)
    return np.bincount(index, minlength=math.prod(shape)).reshape(shape)


def tables_of(rows: Ints, widths: list[int], sigma: float = 0.0) -> list[Table]:
    """All tables of one and of two columns, with rounded noise."""
    source = np.random.default_rng(1)
    names = [(c,) for c in range(len(widths))] + list(itertools.combinations(range(len(widths)), 2))
    found = []
    for columns in names:
        counts = count(rows, widths, columns)
        noise = np.rint(source.normal(0, 1, counts.shape) * sigma).astype(np.int64)
        found.append(Table(columns=columns, counts=counts + noise, sigma=sigma))
    return found


def pair(mixture: Mixture, a: int, b: int) -> npt.NDArray[np.float64]:
    """The mixture's own shares of the tokens of two columns."""
    chances: npt.NDArray[np.float64] = (
        mixture.columns[a].T @ mixture.columns[b] / len(mixture.columns[a])
    ).numpy()
    return chances


def distance(mixture: Mixture, rows: Ints, widths: list[int]) -> float:
    """Mean total variation between the mixture's pairs and those of ``rows``."""
    gaps = [
        np.abs(pair(mixture, a, b) - count(rows, widths, (a, b)) / len(rows)).sum() / 2
        for a, b in itertools.combinations(range(len(widths)), 2)
    ]
    return float(np.mean(gaps))


def test_exact_tables_are_met() -> None:
    widths = [2, 3, 5]
    rows = chained_rows(widths, 20_000)
    mixture = fit_mixture(tables_of(rows, widths), widths, rng(), device=CPU)
    assert distance(mixture, rows, widths) < 0.01
    assert mixture.n_hat == pytest.approx(20_000)
    drawn = mixture.rows(50_000, rng(1))
    assert drawn.shape == (50_000, 3)
    assert drawn.dtype == np.int64
    for columns in ((0,), (1,), (2,), (0, 1), (0, 2), (1, 2)):
        gap = count(drawn, widths, columns) / 50_000 - count(rows, widths, columns) / 20_000
        assert np.abs(gap).sum() / 2 < 0.02


def test_the_noise_is_not_learned() -> None:
    widths, steps = [4, 6, 8, 5, 7], list[Progress]()
    rows = chained_rows(widths, 5_000)
    tables = tables_of(rows, widths, sigma=40.0)
    mixture = fit_mixture(tables, widths, rng(), device=CPU, on_step=steps.append)
    noisy = np.mean(
        [
            np.abs(t.counts - count(rows, widths, t.columns)).sum() / 2 / 5_000
            for t in tables
            if len(t.columns) == 2
        ]
    )
    assert distance(mixture, rows, widths) < 0.7 * noisy
    assert steps[-1].step < steps[-1].of / 2  # it stopped because the tables agreed
    assert 0.2 < mixture.error < 1.0


def test_too_much_noise_leaves_about_independent_columns() -> None:
    widths = [5] * 8
    rows = chained_rows(widths, 300)
    mixture = fit_mixture(tables_of(rows, widths, sigma=150.0), widths, rng(), device=CPU)
    alone = [chances.mean(dim=0, keepdim=True) for chances in mixture.columns]
    independent = Mixture(alone, n_hat=1.0, error=math.nan)
    assert distance(mixture, rows, widths) < distance(independent, rows, widths) + 0.05
    assert np.isfinite(mixture.error)


def test_the_same_rng_gives_the_same_rows() -> None:
    widths = [3, 4]
    tables = tables_of(chained_rows(widths, 1_000), widths, sigma=5.0)
    first, again = (
        fit_mixture(tables, widths, rng(3), device=CPU).rows(500, rng(4)) for _ in range(2)
    )
    np.testing.assert_array_equal(first, again)
    other = fit_mixture(tables, widths, rng(5), device=CPU).rows(500, rng(4))
    assert (first != other).any()


def test_the_global_generator_is_left_alone() -> None:
    before = torch.get_rng_state()
    widths = [2, 2]
    mixture = fit_mixture(
        tables_of(chained_rows(widths, 99), widths, 9.0), widths, rng(), device=CPU
    )
    mixture.rows(10, rng())
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("value", [0, -50, 10**12])
def test_garbage_gives_rows_all_the_same(value: int) -> None:
    widths = [3, 2, 4]
    names = [(0,), (1,), (2,), (0, 1), (1, 2)]
    tables = [
        Table(columns=c, counts=np.full([widths[i] for i in c], value), sigma=10.0) for c in names
    ]
    mixture = fit_mixture(tables, widths, rng(), device=CPU)
    drawn = mixture.rows(100, rng())
    assert mixture.n_hat >= 1
    assert (drawn >= 0).all()
    assert (drawn < widths).all()


def test_one_column_and_no_tables() -> None:
    counts = np.array([10, 0, 30, -5])
    mixture = fit_mixture([Table(columns=(0,), counts=counts, sigma=1.0)], [4], rng(), device=CPU)
    share = np.bincount(mixture.rows(20_000, rng())[:, 0], minlength=4) / 20_000
    np.testing.assert_allclose(share, [0.25, 0, 0.75, 0], atol=0.02)
    assert math.isnan(mixture.error)
    nothing = fit_mixture([], [2, 3], rng(), device=CPU).rows(7, rng())
    assert nothing.shape == (7, 2)
    assert fit_mixture([], [], rng(), device=CPU).rows(7, rng()).shape == (7, 0)
    assert mixture.rows(0, rng()).shape == (0, 1)


def test_pairs_may_be_missing_turned_round_or_measured_twice() -> None:
    widths = [3, 4, 5]
    rows = chained_rows(widths, 10_000)
    tables = [
        Table(columns=(1, 0), counts=count(rows, widths, (0, 1)).T.ravel(), sigma=2.0),
        Table(columns=(1, 2), counts=count(rows, widths, (1, 2)), sigma=2.0),
        Table(columns=(1, 2), counts=count(rows, widths, (1, 2)) + 5, sigma=200.0),
    ]
    mixture = fit_mixture(tables, widths, rng(), device=CPU)
    for a, b in ((0, 1), (1, 2)):
        gap = pair(mixture, a, b) - count(rows, widths, (a, b)) / 10_000
        assert np.abs(gap).sum() / 2 < 0.02


def test_a_wide_table_is_fitted_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BLOCK", 12)
    widths = [4, 3, 5, 4, 3, 4]
    rows = chained_rows(widths, 10_000)
    mixture = fit_mixture(tables_of(rows, widths, 20.0), widths, rng(), device=CPU)
    independent = fit_mixture(tables_of(rows, widths, 20.0)[:6], widths, rng(), device=CPU)
    assert distance(mixture, rows, widths) < 0.2 * distance(independent, rows, widths)


def test_rows_are_counted_by_precision() -> None:
    tables = [
        Table(columns=(0,), counts=np.array([60, 40]), sigma=1.0),
        Table(columns=(1,), counts=np.array([900, 900]), sigma=1000.0),
    ]
    assert count_rows(tables) == pytest.approx(100, abs=0.1)
    assert count_rows([]) == 1


def test_tables_that_make_no_sense_are_refused() -> None:
    for columns in ((), (0, 0), (0, 1, 2)):
        with pytest.raises(ValueError, match="a table is of one column"):
            Table(columns=columns, counts=np.zeros(4, np.int64), sigma=1.0)
    with pytest.raises(ValueError, match="sigma"):
        Table(columns=(0,), counts=np.zeros(4, np.int64), sigma=math.nan)
    wrong = Table(columns=(0,), counts=np.zeros(4, np.int64), sigma=1.0)
    with pytest.raises(ValueError, match="reshape"):
        fit_mixture([wrong], [3], rng(), device=CPU)
