"""The models that stand for a user's own: boosted trees, and a linear one.

Both are trained on any of the tables and predict the target of the same held-out rows. Trees
take columns as they are; the linear model standardised numbers with flags for holes, and
indicators of the more frequent levels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd
from scipy import linalg, optimize, special
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from synthgan._typing import Bools, Floats, Ints, Objects
from synthgan.columns.column import Kind
from synthgan.errors import TableError
from synthgan.metrics.columns import Cells, Columns, recode
from synthgan.metrics.utility.scores import Classes, Prediction, Values

Task = Literal["binary", "multiclass", "regression"]
Kinds = Literal["trees", "linear"]

MOST_CLASSES = 100
_COUNTED = 10  # whole numbers with at most so many values are taken for classes
_INDICATORS = 50  # levels a column that the linear model tells apart
_MOST_FEATURES = 600  # of the linear model: with more categorical columns, fewer levels of each
_MOST_UNSEEN = 20_000  # held-out rows that it is scored on
_RIDGE = 1.0
_STEPS = 200
_ENOUGH = 1e-7  # a smaller step, as a share of the loss, is the last


def infer_task(frame: pd.DataFrame, target: str, *, columns: Columns | None = None) -> Task:
    """What to predict ``target`` as.

    Regression for dates, for fractions and for more than ten different whole numbers, else
    classification.
    """
    columns = columns or Columns.of(frame)
    return task_of(columns, columns.read(frame), target)


def task_of(columns: Columns, cells: Cells, target: str) -> Task:
    """As :func:`infer_task`, of cells that were read."""
    values = target_of(cells, target)[1]
    if any(column.name == target and column.kind is Kind.DATETIME for column in columns.layout):
        return "regression"
    distinct = pd.unique(values)
    if len(distinct) == 2:
        return "binary"
    if target in cells.categories:
        return "multiclass"
    whole = bool(np.all(np.equal(np.mod(distinct.astype(np.float64), 1), 0)))
    return "multiclass" if whole and len(distinct) <= _COUNTED else "regression"


def target_of(cells: Cells, target: str) -> tuple[Bools, Floats | Objects]:
    """Which rows have a target, and those rows' targets. Raises :class:`TableError`."""
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


@dataclass(frozen=True, eq=False, kw_only=True)
class Rows:
    """Rows to train on, or to be scored on."""

    x: Floats
    """Shape (rows, columns) for trees, (rows, features) for the linear model."""
    target: Floats | Ints
    """Classes as places in :attr:`Trial.classes`, or numbers."""

    def __len__(self) -> int:
        return len(self.target)

    def take(self, places: Ints | slice) -> Rows:
        """The rows at ``places``."""
        return Rows(x=self.x[places], target=self.target[places])

    def __add__(self, other: Rows) -> Rows:
        return Rows(
            x=np.vstack([self.x, other.x]), target=np.concatenate([self.target, other.target])
        )


class Trial:
    """One target, the held-out rows that it is predicted in, and how tables are encoded for it.

    Raises :class:`TableError` for a target that is unknown or does not vary in ``holdout``.
    """

    def __init__(
        self,
        columns: Columns,
        train: Cells,
        holdout: Cells,
        target: str,
        task: Task | None = None,
        *,
        seed: int = 0,
    ) -> None:
        if len(columns.names) < 2:
            raise TableError(f"target {target!r} is the only column: nothing to predict it from")
        self.columns, self.target, self.seed = columns, target, seed
        self.holdout = holdout
        self.task: Task = task or task_of(columns, train, target)
        if self.task == "regression" and target not in train.numbers:
            raise TableError(f"regression needs numbers, but target {target!r} holds categories")
        self.classes: Objects | Floats = np.zeros(0)
        if self.task != "regression":
            both = [target_of(cells, target)[1] for cells in (train, holdout)]
            self.classes = np.unique(np.concatenate(both))
            if len(self.classes) > MOST_CLASSES:
                raise TableError(
                    f"target {target!r} has {len(self.classes)} classes, more than {MOST_CLASSES}; "
                    "name another target, or task 'regression' if it is a number"
                )
        self._scales = {
            name: (float(np.nanmean(x)), float(np.nanstd(x)) or 1.0)
            for name, x in train.numbers.items()
            if name != target and not np.isnan(x).all()
        }
        self.names = tuple(name for name in columns.names if name != target)
        self.is_code = [name in columns.levels for name in self.names]
        self.unseen = self.rows(holdout)
        if len(np.unique(self.unseen.target)) < 2:
            what = "value" if self.task == "regression" else "class"
            raise TableError(
                f"target {target!r} has one {what} only in the holdout: nothing to predict"
            )

    @cached_property
    def unseen_linear(self) -> Rows:
        """The first 20,000 held-out rows, for the linear model."""
        places = np.arange(min(len(self.holdout), _MOST_UNSEEN))
        return self.rows(self.holdout.take(places), "linear")

    def rows(self, cells: Cells, kind: Kinds = "trees") -> Rows:
        """``cells`` encoded; rows without a target, or of a class that is not real, left out."""
        present, values = self.targets(cells)
        if kind == "trees":
            x, _ = self.columns.matrix(cells, drop=(self.target,))
        else:
            x = self._features(cells)
        return Rows(x=x if present.all() else x[present], target=values)

    def targets(self, cells: Cells) -> tuple[Bools, Floats | Ints]:
        """Which rows have a target that real rows have, and those rows' targets."""
        if self.task == "regression":
            numbers = cells.numbers[self.target]
            present = ~np.isnan(numbers)
            return present, numbers[present]
        if self.target in cells.numbers:
            values = pd.Series(cells.numbers[self.target])
        else:
            values = pd.Series(np.asarray(cells.categories[self.target], dtype=object))
        codes = np.asarray(pd.Index(self.classes).get_indexer(pd.Index(values)), dtype=np.int64)
        present = (codes >= 0) & values.notna().to_numpy()
        return present, codes[present]

    def _features(self, cells: Cells) -> Floats:
        """(rows, features): a constant, numbers with flags for holes, indicators of levels."""
        levelled = [name for name, is_code in zip(self.names, self.is_code, strict=True) if is_code]
        room = (_MOST_FEATURES - 2 * len(self._scales)) // max(len(levelled), 1)
        most = min(max(room - 2, 1), _INDICATORS)
        known = {name: self.columns.levels[name][:most] for name in levelled}
        width = 1 + 2 * len(self._scales) + sum(len(levels) + 2 for levels in known.values())
        x = np.zeros((len(cells), width))
        x[:, 0] = 1.0
        for i, (name, (mean, spread)) in enumerate(self._scales.items()):
            scaled = (cells.numbers[name] - mean) / spread
            x[:, 1 + 2 * i] = np.clip(np.nan_to_num(scaled), -10, 10)
            x[:, 2 + 2 * i] = np.isnan(scaled)
        start, rows = 1 + 2 * len(self._scales), np.arange(len(cells))
        for name, levels in known.items():
            codes = recode(cells.categories[name], levels, len(levels), len(levels) + 1)
            x[rows, start + codes] = 1.0
            start += len(levels) + 2
        return x

    def score(self, learned: Rows, kind: Kinds = "trees") -> Prediction:
        """What a model trained on ``learned``, rows of that kind, says of the held-out rows."""
        unseen = self.unseen if kind == "trees" else self.unseen_linear
        return self.fit(learned, kind).predict(unseen)

    def fit(self, learned: Rows, kind: Kinds = "trees") -> Model:
        """A model trained on ``learned``, rows of that kind."""
        if kind == "linear":
            return _Linear(self, learned)
        return _Trees(self, learned)


def _shift_and_scale(target: Floats | Ints) -> tuple[float, float]:
    """What brings numbers to the size of 1: trees count in single precision."""
    if not len(target):
        return 0.0, 1.0
    mean = float(target.mean())
    widest = float(np.abs(target - mean).max()) or 1.0  # squares must not vanish
    return mean, widest * float(((target - mean) / widest).std()) or 1.0


class _Trees:
    """Gradient-boosted trees of scikit-learn, with its settings."""

    def __init__(self, trial: Trial, learned: Rows) -> None:
        self._trial = trial
        # A column without any number would stop the binning; trees learn nothing from it.
        self._empty = np.isnan(learned.x).all(axis=0) if len(learned) else np.zeros(0, bool)
        codes, seed = trial.is_code, trial.seed
        x, self._model, self._only = self._clean(learned.x), None, 0
        self._shift, self._scale = 0.0, 1.0
        if trial.task == "regression":
            self._shift, self._scale = _shift_and_scale(learned.target)
            if len(learned) >= 2:
                self._model = HistGradientBoostingRegressor(
                    categorical_features=codes, random_state=seed
                ).fit(x, (learned.target - self._shift) / self._scale)
            return
        labels = np.asarray(learned.target, dtype=np.int64)
        counts = np.bincount(labels, minlength=len(trial.classes))
        self._only = int(counts.argmax())
        kept = counts[labels] >= 2  # early stopping splits by class, which takes two rows each
        if len(np.unique(labels[kept])) >= 2:
            self._model = HistGradientBoostingClassifier(
                categorical_features=codes, random_state=seed
            ).fit(x[kept], labels[kept])

    def predict(self, rows: Rows) -> Prediction:
        x = self._clean(rows.x)
        if self._trial.task == "regression":
            truth = np.asarray(rows.target, dtype=np.float64)
            said = np.zeros(len(rows)) if self._model is None else self._model.predict(x)
            return Values(truth, self._shift + self._scale * np.asarray(said, dtype=np.float64))
        chances = np.zeros((len(rows), len(self._trial.classes)))
        if self._model is None:  # nothing was to be learned: the usual class, and every AUC is .5
            chances[:, self._only] = 1.0
        else:
            chances[:, self._model.classes_] = self._model.predict_proba(x)
        return Classes(np.asarray(rows.target, dtype=np.int64), chances)

    def _clean(self, x: Floats) -> Floats:
        return np.where(self._empty, 0.0, x) if self._empty.any() else x


class _Linear:
    """Ridge regression; multinomial logistic regression with the same penalty."""

    def __init__(self, trial: Trial, learned: Rows) -> None:
        self._trial = trial
        x, k = learned.x, len(trial.classes)
        penalty = np.full(x.shape[1], _RIDGE)
        penalty[0] = 1e-6  # the constant
        if trial.task == "regression":
            y = np.asarray(learned.target, dtype=np.float64)
            # Always positive definite, however many columns say the same.
            self._weights: Floats = linalg.solve(
                x.T @ x + np.diag(penalty), x.T @ y, assume_a="pos"
            )
            return
        places = np.arange(len(x)), np.asarray(learned.target, dtype=np.int64)

        def loss(flat: Floats) -> tuple[float, Floats]:
            weights = flat.reshape(x.shape[1], k)
            scores = x @ weights
            scores -= scores.max(axis=1, keepdims=True)
            right = float(scores[places].sum())
            np.exp(scores, out=scores)
            total = scores.sum(axis=1)
            value = float(np.log(total).sum()) - right
            value += 0.5 * float((penalty[:, None] * np.square(weights)).sum())
            scores /= total[:, None]
            scores[places] -= 1.0
            slope = x.T @ scores + penalty[:, None] * weights
            return value / len(x), slope.ravel() / len(x)

        start = np.zeros(x.shape[1] * k)
        found = optimize.minimize(  # by hand: scikit-learn's warns where the steps run out
            loss, start, jac=True, method="L-BFGS-B", options={"maxiter": _STEPS, "ftol": _ENOUGH}
        )
        self._weights = found.x.reshape(x.shape[1], k)

    def predict(self, rows: Rows) -> Prediction:
        scores = rows.x @ self._weights
        if self._trial.task == "regression":
            return Values(np.asarray(rows.target, dtype=np.float64), scores)
        return Classes(np.asarray(rows.target, dtype=np.int64), special.softmax(scores, axis=1))


Model = _Trees | _Linear
