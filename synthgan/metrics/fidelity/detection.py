"""Can a classifier tell synthetic rows from real ones, and by what?

C2ST, the classifier two-sample test, sees what single columns and pairs do not: .5 means that
the classifier cannot tell, 1 that it always can. It is not exactly .5 for real rows against
real rows: hold it against that floor. A linear classifier, the one that most tools report, sees
next to nothing of how columns hang together: columns drawn independently pass it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold

from synthgan._typing import Bools, Floats, Ints
from synthgan.errors import TableError
from synthgan.metrics.columns import Cells, Columns
from synthgan.metrics.measure import Curve, Estimate, Findings, Goal, Measure, auc
from synthgan.metrics.points import Embedding
from synthgan.metrics.tables import Tables
from synthgan.metrics.threads import one_thread

_FOLDS = 5
_LINEAR_FOLDS = 3
_MAX_ROWS = 10_000
_MAX_CELLS = 1_000_000  # of a side: wider tables have fewer rows
_LEAST_IF_WIDE = 5_000
_LEAST_ROWS = 50  # with fewer, the leaves of the trees are too small to cut any
_SHUFFLED_CELLS = 60_000_000  # cells that are scored anew, over the shuffles of all columns
_BATCH = 10_000
_LEVELS_WIDTH = 600
_LEAF = 20  # rows in a leaf of the trees, at least
_STEPS = 100
_ENOUGH = 1e-6  # a smaller step, as a share of the loss, is the last


@one_thread()
def c2st(
    real: pd.DataFrame,
    synthetic: pd.DataFrame,
    *,
    seed: int = 0,
    folds: int = _FOLDS,
    max_rows: int = _MAX_ROWS,
    columns: Columns | None = None,
) -> Estimate:
    """AUC of gradient-boosted trees that tell ``synthetic`` from ``real`` rows; .5 is best.

    Classifier two-sample test (Lopez-Paz and Oquab 2017): equally many rows of either table
    (``max_rows`` at most), every row scored by a classifier that did not see it, ``folds``
    folds. ``real`` should be rows that the generator never saw. Pass ``columns`` of the
    training rows so that levels which the holdout happens to lack are known. The interval's
    variance is DeLong's and that of the mean of the folds' AUCs; it leaves out what another draw
    from the same generator would change (about .01).
    """
    columns = columns or Columns.of(real)
    rows = min(len(real), len(synthetic), max_rows)
    if rows < folds:
        raise TableError(f"C2ST needs at least {folds} rows of each table, got {rows}")
    sides = [columns.read(f.sample(rows, random_state=seed)) for f in (real, synthetic)]
    return _Trees.of(columns, sides[0], sides[1], folds=folds, seed=seed).auc


@one_thread()
def detection_findings(tables: Tables) -> Findings:
    """Detectors of synthetic rows: their AUC, their ROC curves, and what they go by.

    ``c2st``: boosted trees, as :func:`c2st`. ``c2st_linear``: ridge-penalised logistic
    regression on standardised numbers, missing-cell flags and one-hot levels, 3 folds (SDMetrics'
    LogisticDetection reports 2 - 2 AUC of such a classifier). Both look at the same rows,
    10,000 of a side at most (5,000 of 200 columns); intervals have DeLong's variance and that of
    the mean of the folds' AUCs.

    ``giveaway``, a line for each column, the worst first: permutation importance (Breiman 2001)
    in the boosted trees, that is by how many points of AUC (0 to 100) they get worse at
    synthetic rows that they did not see when the cells of that column are shuffled among rows.
    Columns that say the same share what they give away. Curves: ``roc_c2st`` for synthetic
    rows, ``roc_c2st_floor`` for real ones, ``roc_c2st_baseline`` for independent columns.
    """
    rng = tables.rng("c2st")
    affordable = int(np.clip(_MAX_CELLS // len(tables.columns.names), _LEAST_IF_WIDE, _MAX_ROWS))
    rows = min(len(tables.reference), len(tables.synthetic), affordable)
    if rows < _LEAST_ROWS:
        return Findings(measures=tuple(_undefined(key, rows) for key in _NAMES))
    against = tables.reference.pick(rows, rng)
    made, real, independent = (
        side.pick(rows, rng) for side in (tables.synthetic, tables.real, tables.independent)
    )
    trees = [
        _Trees.of(tables.columns, against, side, folds=_FOLDS, seed=tables.seed)
        for side in (made, real, independent)
    ]
    embedding = Embedding(tables.columns, tables.train, levels_width=_LEVELS_WIDTH)
    figures = {
        "c2st": [each.auc for each in trees],
        "c2st_linear": [
            _linear(embedding, against, side, tables.seed) for side in (made, real, independent)
        ],
    }
    lines = [_line(key, found, rows) for key, found in figures.items()]
    clues = _giveaways(tables.columns.names, trees[0], rows, tables.rng("giveaway"))
    names = (
        ("roc_c2st", "synthetic against real"),
        ("roc_c2st_floor", "real against real"),
        ("roc_c2st_baseline", "independent columns against real"),
    )
    curves = tuple(
        Curve.roc(key, name, each.labels, each.scores)
        for (key, name), each in zip(names, trees, strict=True)
    )
    return Findings(measures=(*lines, *clues), curves=curves)


_NAMES = {
    "c2st": "AUC of the detector (boosted trees)",
    "c2st_linear": "AUC of the detector (logistic regression)",
}


def _line(key: str, figures: list[Estimate], rows: int) -> Measure:
    return Measure(
        key=key,
        name=_NAMES[key],
        estimate=figures[0],
        goal=Goal.HALF,
        floor=figures[1],
        baseline=figures[2],
        rows=rows,
        note=f"{rows:,} rows of either side",
    )


def _undefined(key: str, rows: int) -> Measure:
    return Measure(
        key=key,
        name=_NAMES[key],
        estimate=Estimate.undefined(),
        goal=Goal.HALF,
        rows=rows,
        note=f"needs {_LEAST_ROWS} rows of either side",
    )


# --- boosted trees ----------------------------------------------------------------------


@dataclass(frozen=True, eq=False, kw_only=True)
class _Trees:
    """Boosted trees, one model a fold, and what they say of the rows that they did not see."""

    x: Floats
    """(rows, columns)."""
    labels: Bools
    """(rows,): True for synthetic."""
    scores: Floats
    """(rows,)."""
    folds: list[tuple[HistGradientBoostingClassifier, Ints]]
    """Each model and the rows that it did not see."""

    @classmethod
    def of(
        cls, columns: Columns, real: Cells, synthetic: Cells, *, folds: int, seed: int
    ) -> _Trees:
        parts = [columns.matrix(side) for side in (real, synthetic)]
        x = np.vstack([part[0] for part in parts])
        labels = np.repeat([False, True], [len(real), len(synthetic)])
        scores = np.empty(len(x))
        fitted = []
        for seen, unseen in _splits(labels, folds, seed):
            model = HistGradientBoostingClassifier(
                categorical_features=parts[0][1], random_state=seed
            ).fit(_filled(x[seen]), labels[seen])
            scores[unseen] = model.predict_proba(x[unseen])[:, 1]
            fitted.append((model, unseen))
        return cls(x=x, labels=labels, scores=scores, folds=fitted)

    @property
    def auc(self) -> Estimate:
        return _estimate(self.labels, self.scores, [unseen for _, unseen in self.folds])


def _filled(x: Floats) -> Floats:
    """``x`` with zeros in columns that hold less than a leaf: no tree can cut these.

    Scikit-learn 1.9 stops at columns without any number.
    """
    x[:, np.count_nonzero(~np.isnan(x), axis=0) < _LEAF] = 0.0
    return x


def _splits(labels: Bools, folds: int, seed: int) -> list[tuple[Ints, Ints]]:
    """Rows to learn from and rows to score, for each fold."""
    cut = StratifiedKFold(folds, shuffle=True, random_state=seed)
    return list(cut.split(np.zeros((len(labels), 1)), labels))


def _estimate(labels: Bools, scores: Floats, folds: list[Ints]) -> Estimate:
    """AUC of all rows; its variance is DeLong's and that of the mean of the folds' AUCs.

    DeLong takes rows for independent, but the models that score them share most of what they
    learned from: of real rows against real ones, .5 lay beyond DeLong's interval in one run of
    seven (see Bengio and Grandvalet 2004: no estimate from one cross-validation is unbiased).
    """
    value, influence = auc(labels, scores)
    areas = [auc(labels[unseen], scores[unseen])[0] for unseen in folds]
    between = float(np.std(areas, ddof=1)) / math.sqrt(len(areas))
    return Estimate.from_influence(value, np.append(influence, between), least=0.0, most=1.0)


def _giveaways(
    names: tuple[str, ...], trees: _Trees, rows: int, rng: np.random.Generator
) -> list[Measure]:
    """How much each column helps the trees, the most helpful first."""
    share = min(1.0, _SHUFFLED_CELLS / (trees.x.size * len(names)))
    folds = [
        (model, rng.permutation(unseen)[: math.ceil(share * len(unseen))])
        for model, unseen in trees.folds
    ]
    places = np.concatenate([places for _, places in folds])
    shuffled = np.hstack([_shuffled_scores(model, trees.x[rows], rng) for model, rows in folds])
    full, pull = auc(trees.labels[places], trees.scores[places])
    measures = []
    for name, scores in zip(names, shuffled, strict=True):
        value, other = auc(trees.labels[places], scores)
        measures.append(
            Measure(
                key="giveaway",
                name="What gives synthetic rows away",
                estimate=Estimate.from_influence(full - value, pull - other).scaled(100),
                goal=Goal.LOW,
                unit="points",
                columns=(name,),
                rows=rows,
                note="AUC that the detector loses when the column is shuffled",
            )
        )
    return sorted(measures, key=lambda each: -each.estimate.value)


def _shuffled_scores(
    model: HistGradientBoostingClassifier, x: Floats, rng: np.random.Generator
) -> Floats:
    """(columns, rows): what ``model`` says of rows ``x`` with each column shuffled in turn."""
    rows, columns = x.shape
    scores = np.empty((columns, rows))
    size = max(_BATCH // rows, 1)  # columns at once: a call has its price
    for start in range(0, columns, size):
        told = np.tile(x, (min(size, columns - start), 1, 1))
        for i, table in enumerate(told, start):
            table[:, i] = rng.permutation(table[:, i])
        chances = model.predict_proba(told.reshape(-1, columns))[:, 1]
        scores[start : start + size] = chances.reshape(-1, rows)
    return scores


# --- logistic regression ----------------------------------------------------------------


def _linear(embedding: Embedding, real: Cells, synthetic: Cells, seed: int) -> Estimate:
    """AUC of the logistic regression, each row scored by one that did not see it."""
    x = np.vstack([_features(embedding, side) for side in (real, synthetic)])
    labels = np.repeat([False, True], [len(real), len(synthetic)])
    scores = np.empty(len(x))
    folds = _splits(labels, _LINEAR_FOLDS, seed)
    for seen, unseen in folds:
        scores[unseen] = _logistic(x[seen], labels[seen])(x[unseen])
    return _estimate(labels, scores, [unseen for _, unseen in folds])


def _features(embedding: Embedding, cells: Cells) -> Floats:
    """Points, and a flag for missing cells in each column of numbers: these lie at the mean."""
    holes = [np.isnan(numbers) for numbers in cells.numbers.values()]
    return np.column_stack([embedding(cells), *holes]).astype(np.float64)


def _logistic(x: Floats, labels: Bools) -> Callable[[Floats], Floats]:
    """Fits a logistic regression with half the squared weights as penalty; gives log-odds.

    By hand, since scikit-learn warns whenever 100 steps are not enough; the AUC has long
    settled by then.
    """
    target = labels.astype(np.float64)
    sign = 1 - 2 * target

    def loss(weights: Floats) -> tuple[float, Floats]:
        odds = x @ weights[:-1] + weights[-1]
        miss = expit(odds) - target
        pull = np.append(x.T @ miss + weights[:-1], miss.sum())
        penalty = float(weights[:-1] @ weights[:-1]) / 2
        return float(np.logaddexp(0, sign * odds).sum()) + penalty, pull

    start = np.zeros(x.shape[1] + 1)
    options = {"maxiter": _STEPS, "ftol": _ENOUGH}
    weights = minimize(loss, start, jac=True, method="L-BFGS-B", options=options).x
    return lambda unseen: unseen @ weights[:-1] + weights[-1]
