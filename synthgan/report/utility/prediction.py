"""Does a model trained on the synthetic table work on real rows?

TSTR (train on synthetic, test on real) beside TRTR (train on real, test on real), the same
boosted trees with the same settings scored on the same holdout: what the synthetic table
costs is the ratio, and its interval knows that both were scored on the same rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from synthgan.errors import TableError
from synthgan.report.columns import Cells, Columns
from synthgan.report.measure import Bools, Estimate, Floats, Ints, Objects, auc
from synthgan.schema import Kind

Task = Literal["binary", "multiclass", "regression"]

_MOST_CLASSES = 100
_COUNTED = 10  # whole numbers with at most so many values are taken for classes


@dataclass(frozen=True, kw_only=True)
class Utility:
    """What a target's prediction is worth; intervals are over the holdout's rows."""

    task: Task
    tstr: Estimate
    """Trained on synthetic, tested on real: AUC (mean over classes, one against the rest)
    or R2."""
    trtr: Estimate
    """Trained on real, tested on real: the same score."""
    ratio: Estimate
    """TSTR / TRTR; NaN where TRTR is not above 0."""


def infer_task(frame: pd.DataFrame, target: str, *, columns: Columns | None = None) -> Task:
    """What to predict ``target`` as.

    Regression for dates, for fractions and for more than ten different whole numbers, else
    classification.
    """
    columns = columns or Columns.of(frame)
    cells = columns.read(frame)
    values = _target(cells, target)[1]
    if any(column.name == target and column.kind is Kind.DATETIME for column in columns.layout):
        return "regression"
    distinct = pd.unique(values)
    if len(distinct) == 2:
        return "binary"
    if target in cells.categories:
        return "multiclass"
    whole = bool(np.all(np.equal(np.mod(distinct.astype(np.float64), 1), 0)))
    return "multiclass" if whole and len(distinct) <= _COUNTED else "regression"


def tstr(
    synthetic: pd.DataFrame,
    train: pd.DataFrame,
    holdout: pd.DataFrame,
    target: str,
    task: Task | None = None,
    *,
    seed: int = 0,
    columns: Columns | None = None,
) -> Utility:
    """Predicts ``target`` from the other columns: trained on ``synthetic``, on ``train``.

    Both models are scored on ``holdout``, which neither they nor the generator saw. Rows
    without a target are left out. Without ``task``, :func:`infer_task` decides. Raises
    :class:`TableError` for an unknown target, or one that does not vary in ``holdout``.
    """
    columns = columns or Columns.of(train)
    task = task or infer_task(train, target, columns=columns)
    tables = [columns.read(frame) for frame in (synthetic, train, holdout)]
    if task == "regression":
        scores = _regression(columns, tables, target, seed)
    else:
        scores = _classification(columns, tables, target, seed)
    least = -math.inf if task == "regression" else 0.0
    (made, made_pull), (real, real_pull) = scores
    ratio = Estimate(math.nan, math.nan, math.nan)
    if real > 0:
        ratio = Estimate.from_influence(
            made / real, (made_pull - made / real * real_pull) / real, least=least
        )
    return Utility(
        task=task,
        tstr=Estimate.from_influence(made, made_pull, least=least, most=1.0),
        trtr=Estimate.from_influence(real, real_pull, least=least, most=1.0),
        ratio=ratio,
    )


_Score = tuple[float, Floats]
"""A score and the influence of each holdout row on it."""


def _regression(
    columns: Columns, tables: list[Cells], target: str, seed: int
) -> tuple[_Score, _Score]:
    if target not in tables[0].numbers:
        raise TableError(f"regression needs numbers, but target {target!r} holds categories")
    x, is_code, y = zip(*(_problem(columns, cells, target) for cells in tables), strict=True)
    if np.ptp(y[2]) == 0:
        raise TableError(f"target {target!r} has one value only in the holdout: nothing to predict")
    model = HistGradientBoostingRegressor(categorical_features=is_code[0], random_state=seed)
    made, real = (_r2(y[2], model.fit(x[i], y[i]).predict(x[2])) for i in (0, 1))
    return made, real


def _r2(truth: Floats, guess: Floats) -> _Score:
    errors, spread = np.square(truth - guess), np.square(truth - truth.mean())
    value = float(1 - errors.mean() / spread.mean())
    return value, ((1 - value) * spread - errors) / spread.sum()


def _classification(
    columns: Columns, tables: list[Cells], target: str, seed: int
) -> tuple[_Score, _Score]:
    x, is_code, y = zip(*(_problem(columns, cells, target) for cells in tables), strict=True)
    classes, codes = np.unique(np.concatenate(y), return_inverse=True)
    ends = np.cumsum([len(part) for part in y])
    labels = np.split(codes, ends[:-1])
    if len(classes) > _MOST_CLASSES:
        raise TableError(
            f"target {target!r} has {len(classes)} classes, more than {_MOST_CLASSES}; "
            "name another target, or task 'regression' if it is a number"
        )
    if len(np.unique(labels[2])) < 2:
        raise TableError(f"target {target!r} has one class only in the holdout: nothing to predict")
    made, real = (
        _macro_auc(labels[2], _probabilities(x[i], labels[i], x[2], len(classes), is_code[0], seed))
        for i in (0, 1)
    )
    return made, real


def _probabilities(
    x: Floats, labels: Ints, unseen: Floats, classes: int, is_code: list[bool], seed: int
) -> Floats:
    """P(class) of each unseen row; 0 for classes that training did not hold."""
    counts = np.bincount(labels, minlength=classes)
    kept = counts[labels] >= 2  # early stopping splits by class, which takes two rows each
    scores = np.zeros((len(unseen), classes))
    if len(np.unique(labels[kept])) < 2:
        return scores  # nothing to learn from: every AUC is .5
    model = HistGradientBoostingClassifier(categorical_features=is_code, random_state=seed)
    model.fit(x[kept], labels[kept])
    scores[:, model.classes_] = model.predict_proba(unseen)
    return scores


def _macro_auc(labels: Ints, scores: Floats) -> _Score:
    """Mean over the classes that occur of the AUC of one against the rest."""
    parts = [auc(labels == k, scores[:, k]) for k in np.unique(labels)]
    return float(np.mean([part[0] for part in parts])), np.mean([part[1] for part in parts], axis=0)


def _problem(
    columns: Columns, cells: Cells, target: str
) -> tuple[Floats, list[bool], Floats | Objects]:
    """Features (rows, columns), which of them are codes, and target of the rows that have one."""
    present, values = _target(cells, target)
    x, is_code = columns.matrix(cells, drop=(target,))
    if not is_code:
        raise TableError(f"target {target!r} is the only column: nothing to predict it from")
    return x[present], is_code, values


def _target(cells: Cells, target: str) -> tuple[Bools, Floats | Objects]:
    """Which rows have a target, and those rows' targets."""
    if target in cells.numbers:
        numbers = cells.numbers[target]
        present = ~np.isnan(numbers)
        values: Floats | Objects = numbers[present]
    elif target in cells.categories:
        levels = cells.categories[target]
        present = levels.codes >= 0
        values = np.asarray(levels, dtype=object)[present]
    else:
        names = [*cells.numbers, *cells.categories]
        raise TableError(f"no column {target!r} to be the target; columns are {names}")
    if not present.any():
        raise TableError(f"target {target!r} is all missing; name a column that has values")
    return present, values
