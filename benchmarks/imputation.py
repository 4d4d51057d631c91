"""Fills holes that were made on purpose, and compares with what was there.

    python benchmarks/imputation.py TABLE... [--rows 5000] [--shares 0.1 0.3 0.5] [--json OUT]

Each table is split in halves: models learn one (whole), holes are made in the other. MCAR: cells
are taken out at random. MAR: more of them in rows where a column that stays whole is large.
"error" is the root mean square error of numbers in standard deviations and the error rate of
categories, averaged over columns; "energy" is the energy distance between filled-in and true
numbers, in standard deviations (Szekely and Rizzo 2013), that a single typical value makes large;
"coverage" is how often the 90 % interval of 20 draws holds the true number.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import energy_distance
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer

import synthgan
from synthgan.metrics.columns import Columns

_DRAWS = 20

Fill = Callable[[pd.DataFrame, int], list[pd.DataFrame]]
"""Fills a table so many times."""


def make_holes(
    frame: pd.DataFrame, share: float, how: str, rng: np.random.Generator
) -> pd.DataFrame:
    """``frame`` without a ``share`` of its cells; under MAR its first number column stays whole."""
    chance = np.full(len(frame), share)
    whole = None
    if how == "MAR":
        whole = next(iter(frame.select_dtypes("number")))
        rank = frame[whole].rank(pct=True).fillna(0.5).to_numpy()
        chance = np.clip(2 * share * rank, 0, 0.95)
    return pd.DataFrame(
        {
            name: cells if name == whole else cells.mask(rng.random(len(frame)) < chance)
            for name, cells in frame.items()
        }
    )


# --- methods ----------------------------------------------------------------------------


class Coded:
    """Categories as columns of 0 and 1, for imputers that know nothing but numbers."""

    def __init__(self, train: pd.DataFrame, columns: Columns) -> None:
        self.numbers = [c.name for c in columns.layout if c.kind.is_numeric]
        others = [c.name for c in columns.layout if not c.kind.is_numeric]
        self.levels = {name: train[name].dropna().astype(object).unique() for name in others}
        self.scale = train[self.numbers].std().replace(0, 1)
        self.middle = train[self.numbers].mean()

    def matrix(self, frame: pd.DataFrame) -> np.ndarray:
        """Standardised numbers, then a column for each level."""
        numbers = (frame[self.numbers].astype(float) - self.middle) / self.scale
        parts = [numbers.to_numpy()]
        for name, levels in self.levels.items():
            cells = frame[name].astype(object)
            is_level = np.stack([(cells == level).to_numpy() for level in levels], axis=1)
            parts.append(np.where(cells.isna().to_numpy()[:, None], np.nan, is_level))
        return np.hstack(parts)

    def frame(self, matrix: np.ndarray, like: pd.DataFrame) -> pd.DataFrame:
        """The reverse; of the levels the one with the largest value."""
        end = len(self.numbers)
        numbers = matrix[:, :end] * self.scale.to_numpy() + self.middle.to_numpy()
        found = pd.DataFrame(numbers, columns=self.numbers, index=like.index)
        for name, levels in self.levels.items():
            start, end = end, end + len(levels)
            found[name] = levels[matrix[:, start:end].argmax(axis=1)]
        return found


def synthgan_draws(train: pd.DataFrame, columns: Columns) -> Fill:
    """This package: draws."""
    model = synthgan.fit(train)

    def fill(holes: pd.DataFrame, n: int) -> list[pd.DataFrame]:
        filled = model.impute(holes, n, seed=0)
        return [filled] if n == 1 else [filled.loc[draw] for draw in range(n)]

    fill.model = model  # type: ignore[attr-defined]
    return fill


def median_mode(train: pd.DataFrame, columns: Columns) -> Fill:
    """The median of numbers, the most frequent category."""
    typical = {
        c.name: train[c.name].median() if c.kind.is_numeric else train[c.name].mode()[0]
        for c in columns.layout
    }
    return lambda holes, n: [holes.astype(object).fillna(typical)]


def knn(train: pd.DataFrame, columns: Columns) -> Fill:
    """scikit-learn's KNNImputer."""
    coded = Coded(train, columns)
    imputer = KNNImputer(n_neighbors=5, keep_empty_features=True).fit(coded.matrix(train))
    return lambda holes, n: [coded.frame(imputer.transform(coded.matrix(holes)), holes)]


def iterative(train: pd.DataFrame, columns: Columns) -> Fill:
    """scikit-learn's IterativeImputer (Bayesian ridge), several draws from its posterior."""
    coded = Coded(train, columns)

    def fill(holes: pd.DataFrame, n: int) -> list[pd.DataFrame]:
        matrix = coded.matrix(holes)
        imputer = IterativeImputer(
            sample_posterior=n > 1, random_state=0, max_iter=5, keep_empty_features=True
        ).fit(np.vstack([coded.matrix(train), matrix]))
        return [coded.frame(imputer.transform(matrix), holes) for _ in range(n)]

    return fill


METHODS = {
    "synthgan": synthgan_draws,
    "median, mode": median_mode,
    "KNNImputer": knn,
    "IterativeImputer": iterative,
}


# --- figures ----------------------------------------------------------------------------


def judge(
    draws: list[pd.DataFrame], truth: pd.DataFrame, holes: pd.DataFrame, columns: Columns
) -> dict[str, float]:
    """Figures of filled-in tables; the first is the one that error and energy are taken of."""
    errors, rates, energies, covered = [], [], [], []
    for column in columns.layout:
        name = column.name
        made = (holes[name].isna() & truth[name].notna()).to_numpy()
        if not made.any():
            continue
        true = truth[name][made]
        if not column.kind.is_numeric:
            rates.append(float((draws[0][name][made].astype(str) != true.astype(str)).mean()))
            continue
        spread = float(truth[name].std()) or 1.0
        values = np.stack([each[name][made].astype(float).to_numpy() for each in draws]) / spread
        goal = true.astype(float).to_numpy() / spread
        errors.append(float(np.sqrt(np.mean((values[0] - goal) ** 2))))
        energies.append(float(energy_distance(values[0], goal)))
        if len(draws) > 1:
            low, high = np.quantile(values, [0.05, 0.95], axis=0)
            covered.append(float(((goal >= low) & (goal <= high)).mean()))
    return {
        "error, numbers": float(np.mean(errors)) if errors else np.nan,
        "error, categories": float(np.mean(rates)) if rates else np.nan,
        "energy": float(np.mean(energies)) if energies else np.nan,
        "coverage": float(np.mean(covered)) if covered else np.nan,
    }


def run(path: Path, rows: int, shares: list[float]) -> Iterator[dict[str, object]]:
    """All methods on one table."""
    frame = synthgan.read_table(path).reset_index(drop=True)
    frame = frame.sample(min(rows, len(frame)), random_state=0).reset_index(drop=True)
    middle = len(frame) // 2
    train, truth = frame.iloc[:middle], frame.iloc[middle:].reset_index(drop=True)
    columns = Columns.of(train)
    for name, method in METHODS.items():
        started = time.perf_counter()
        fill = method(train, columns)
        fitted = time.perf_counter() - started
        for how in ("MCAR", "MAR"):
            for share in shares:
                holes = make_holes(truth, share, how, np.random.default_rng(0))
                started = time.perf_counter()
                one = fill(holes, 1)
                seconds = time.perf_counter() - started
                found: dict[str, object] = {
                    "table": path.stem, "method": name, "holes": how, "share": share,
                    "fit": fitted, "seconds": seconds,
                }  # fmt: skip
                drawn = name in ("synthgan", "IterativeImputer")
                figures = judge(one, truth, holes, columns)
                if drawn:
                    figures["coverage"] = judge(fill(holes, _DRAWS), truth, holes, columns)[
                        "coverage"
                    ]
                yield found | figures
                if name == "synthgan":
                    model: synthgan.Synthesizer = fill.model  # type: ignore[attr-defined]
                    typical = model.impute(holes, _DRAWS, how="typical", seed=0)
                    figures = judge([typical], truth, holes, columns)
                    yield found | {"method": "synthgan, typical"} | figures


def show(found: dict[str, object]) -> None:
    """One line."""
    figures = ("error, numbers", "error, categories", "energy", "coverage", "seconds")
    cells = "  ".join(f"{name} {found[name]:.3f}" for name in figures)
    print(f"{found['table']:<12}{found['method']:<18}{found['holes']:<5}{found['share']:<5}{cells}")
    sys.stdout.flush()


def main() -> None:
    """Prints a line for each table, method, kind and share of holes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("tables", nargs="+", type=Path, metavar="TABLE")
    parser.add_argument("--rows", type=int, default=5_000, help="take so many rows (5,000)")
    parser.add_argument("--shares", nargs="+", type=float, default=[0.1, 0.3, 0.5])
    parser.add_argument("--json", type=Path, metavar="OUT", help="write all figures to this file")
    chosen = parser.parse_args()
    results = []
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore")
        for path in chosen.tables:
            for found in run(path, chosen.rows, chosen.shares):
                results.append(found)
                show(found)
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
