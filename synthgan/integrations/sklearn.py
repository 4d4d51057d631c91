"""Faces for scikit-learn and imbalanced-learn: an oversampler and an imputer.

Both learn the table that they are given and stay where it is, so values are not protected as
in a model that is handed out: rare categories and extremes are learned like all others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from synthgan.columns.column import Column, Kind
from synthgan.config import Config, SummaryConfig
from synthgan.model.fit import fit
from synthgan.model.synthesizer import Synthesizer
from synthgan.schema.infer import infer_columns
from synthgan.schema.schema import Schema

Strategy = str | float | Mapping[object, int] | Callable[[Any], Mapping[object, int]]

_OPEN = SummaryConfig(min_category_rows=1, extreme_rows=1)
_STRATEGIES = ("auto", "not majority", "minority", "not minority", "all")
_KINDS = {"i": Kind.INTEGER, "u": Kind.INTEGER, "f": Kind.NUMBER}


class SynthGANOverSampler(BaseEstimator):  # type: ignore[misc]
    """Adds synthetic rows of the scarce classes, as :mod:`imblearn.over_sampling` would.

    Works in an imbalanced-learn ``Pipeline``, where rows are added in fitting alone.

    ``sampling_strategy``: ``"auto"`` or ``"not majority"`` (every class but the largest grows
    to its size), ``"minority"``, ``"not minority"``, ``"all"``; a number, for two classes the
    wanted ratio of the smaller to the larger; a mapping (or a function of ``y`` to one) of
    classes to the numbers of rows that they are to have. ``config`` are settings of the fit;
    None takes the defaults, without the protection of rare values. ``random_state`` is
    scikit-learn's.
    """

    _estimator_type = "sampler"

    def __init__(
        self,
        *,
        sampling_strategy: Strategy = "auto",
        config: Config | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.sampling_strategy = sampling_strategy
        self.config = config
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> SynthGANOverSampler:
        """Only checks what it is given: the model is fitted where rows are added."""
        frame = _frame(X)
        _labels(y, len(frame))
        _remember(self, frame, X)
        self.sampling_strategy_ = self._wanted(np.asarray(y))
        return self

    def fit_resample(self, X: Any, y: Any) -> tuple[Any, Any]:
        """``X`` and ``y`` with synthetic rows below the real ones, in the types that came.

        ``X``: DataFrame or array (rows, columns), holes allowed; ``y``: (rows,) classes.
        Raises :class:`ValueError` for a strategy that cannot be met.
        """
        frame = _frame(X)
        labels = _labels(y, len(frame))
        _remember(self, frame, X)
        self.sampling_strategy_ = self._wanted(np.asarray(y))
        if not any(self.sampling_strategy_.values()):
            self.model_ = None
            return X, y
        classes, codes = np.unique(labels, return_inverse=True)
        target = _new_name(frame)
        # First in the table, so that all other columns are drawn after it.
        frame.insert(0, target, np.array([f"class {code}" for code in codes], dtype=object))
        seed = int(check_random_state(self.random_state).randint(2**31))
        schema = _schema(frame, {target: Kind.CATEGORY})
        self.model_ = fit(frame.reset_index(drop=True), schema, _config(self.config, seed))
        wanted = np.repeat(
            np.arange(len(classes)), [self.sampling_strategy_[each] for each in classes.tolist()]
        )
        given = pd.DataFrame({target: [f"class {code}" for code in wanted]})
        made = self.model_.sample(given=given, seed=seed).drop(columns=target)
        return _below(X, made), _below(y, classes[wanted])

    def __sklearn_tags__(self) -> Any:
        tags = _tags(super().__sklearn_tags__())
        tags.target_tags.required = True
        return tags

    def _wanted(self, y: npt.NDArray[Any]) -> dict[object, int]:
        """Rows to add to each class."""
        classes, counts = np.unique(y, return_counts=True)
        if len(classes) < 2:
            raise ValueError(f"y must have at least two classes, got {len(classes)} class")
        sizes = dict(zip(classes.tolist(), counts.tolist(), strict=True))
        most, least = max(sizes, key=sizes.__getitem__), min(sizes, key=sizes.__getitem__)
        strategy = self.sampling_strategy
        if callable(strategy):
            strategy = strategy(y)
        if isinstance(strategy, Mapping):
            return self._from_mapping(sizes, strategy)
        if isinstance(strategy, str):
            if strategy not in _STRATEGIES:
                raise ValueError(
                    f"sampling_strategy must be one of {_STRATEGIES}, a number, a mapping or a "
                    f"function, got {strategy!r}"
                )
            spared = {"minority": set(sizes) - {least}, "not minority": {least}, "all": set()}
            left = spared.get(strategy, {most})
            return {k: 0 if k in left else sizes[most] - n for k, n in sizes.items()}
        return self._from_ratio(sizes, strategy)

    @staticmethod
    def _from_mapping(sizes: dict[Any, int], wanted: Mapping[object, int]) -> dict[object, int]:
        unknown = [each for each in wanted if each not in sizes]
        if unknown:
            raise ValueError(f"sampling_strategy names {unknown[0]!r}, which is no class in y")
        for each, number in wanted.items():
            if number < sizes[each]:
                raise ValueError(
                    f"class {each!r} has {sizes[each]} rows already, more than the {number} that "
                    "sampling_strategy asks for; rows are added, never taken out"
                )
        return {each: int(wanted.get(each, n)) - n for each, n in sizes.items()}

    @staticmethod
    def _from_ratio(sizes: dict[Any, int], ratio: float) -> dict[object, int]:
        if len(sizes) != 2:
            raise ValueError("a ratio as sampling_strategy is for two classes; give a mapping")
        if not 0 < ratio <= 1:
            raise ValueError(f"a ratio as sampling_strategy is above 0 and at most 1, got {ratio}")
        most, least = max(sizes, key=sizes.__getitem__), min(sizes, key=sizes.__getitem__)
        added = int(ratio * sizes[most]) - sizes[least]
        if added < 0:
            raise ValueError(f"classes are more level than the ratio {ratio} that is asked for")
        return {most: 0, least: added}


class SynthGANImputer(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Fills holes by draws from a model of the table that it was fitted on.

    ``how``: ``"draw"`` draws each hole once given the row's known cells; ``"typical"`` takes
    the mean, or the most frequent, of ``draws`` draws. ``config`` are settings of the fit;
    None takes the defaults, without the protection of rare values. Equal input and
    ``random_state`` give equal output. Columns without any value in fitting stay empty.
    """

    def __init__(
        self,
        *,
        how: str = "draw",
        draws: int = 20,
        config: Config | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.how = how
        self.draws = draws
        self.config = config
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> SynthGANImputer:
        """Learns ``X``: DataFrame or array (rows, columns), holes allowed; ``y`` is ignored."""
        if self.how not in ("draw", "typical"):
            raise ValueError(f"how must be 'draw' or 'typical', got {self.how!r}")
        frame = _frame(X)
        _remember(self, frame, X)
        self.seed_ = int(check_random_state(self.random_state).randint(2**31))
        config = _config(self.config, self.seed_)
        self.model_: Synthesizer = fit(frame.reset_index(drop=True), _schema(frame, {}), config)
        return self

    def transform(self, X: Any) -> Any:
        """``X`` with its holes filled in, in the type that came."""
        check_is_fitted(self)
        frame = _frame(X, least=1)
        if frame.shape[1] != self.n_features_in_:
            raise ValueError(
                f"X has {frame.shape[1]} features, but {type(self).__name__} is expecting "
                f"{self.n_features_in_} features as input"
            )
        if not isinstance(X, pd.DataFrame):
            frame.columns = pd.Index(self.model_.schema.names)
        draws = self.draws if self.how == "typical" else 1
        filled = self.model_.impute(frame, draws, how=self.how, seed=self.seed_)  # type: ignore[arg-type]
        if isinstance(X, pd.DataFrame):
            return filled.set_axis(X.columns, axis=1)
        return filled.to_numpy(dtype=np.asarray(X).dtype)

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """The names of the columns, which stay."""
        check_is_fitted(self)
        return np.asarray(self.model_.schema.names, dtype=object)

    def __sklearn_tags__(self) -> Any:
        return _tags(super().__sklearn_tags__())


def _tags(tags: Any) -> Any:
    """Holes, categories and text are welcome."""
    tags.input_tags.allow_nan = True
    tags.input_tags.categorical = True
    tags.input_tags.string = True
    return tags


def _config(config: Config | None, seed: int) -> Config:
    return replace(config, seed=seed) if config else Config(summary=_OPEN, seed=seed)


def _frame(X: Any, least: int = 2) -> pd.DataFrame:
    """A table of its own of what may be a frame, an array or a list of rows."""
    if isinstance(X, pd.DataFrame):
        frame = X.copy()
        frame.columns = pd.Index([str(name) for name in X.columns])
    else:
        if hasattr(X, "toarray"):
            raise TypeError("sparse input is not supported; give a dense array or a DataFrame")
        array = np.asarray(X)
        if array.ndim != 2:
            raise ValueError(
                f"Expected 2D array, got {array.ndim}D array instead. Reshape your data"
            )
        if np.iscomplexobj(array):
            raise ValueError("Complex data not supported")
        frame = pd.DataFrame(array, columns=[f"x{i}" for i in range(array.shape[1])])
        frame = frame.infer_objects()
    if frame.shape[1] == 0:
        raise ValueError(f"0 feature(s) (shape={frame.shape}) while a minimum of 1 is required.")
    if len(frame) < least:
        raise ValueError(
            f"{len(frame)} sample(s) (shape={frame.shape}) while a minimum of {least} is required "
            f"(n_samples={len(frame)})."
        )
    numbers = frame.select_dtypes("number")
    if np.isinf(numbers.to_numpy(dtype=np.float64, na_value=np.nan)).any():
        raise ValueError("Input X contains infinity or a value too large.")
    return frame.reset_index(drop=True) if not isinstance(X, pd.DataFrame) else frame


def _labels(y: Any, rows: int) -> npt.NDArray[Any]:
    if y is None:
        raise ValueError("requires y to be passed, but the target y is None")
    labels = np.asarray(y)
    check_classification_targets(labels)
    if len(labels) != rows:
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: [{rows}, {len(labels)}]"
        )
    return labels


def _schema(frame: pd.DataFrame, kinds: Mapping[str, Kind]) -> Schema:
    """What the columns are; numbers are never taken for names of rows."""
    found, inferred = [], infer_columns(frame)
    for column in inferred:
        kind = kinds.get(column.name, column.kind)
        if not kind.is_modelled and frame[column.name].dtype.kind in _KINDS:
            kind = _KINDS[frame[column.name].dtype.kind]
        if kind is not column.kind:
            plain = Column(name=column.name, kind=kind, dtype=column.dtype)
            column = replace(plain, nullable=column.nullable)
        found.append(replace(column, references=None))
    return inferred.of_columns(found)


def _remember(estimator: Any, frame: pd.DataFrame, X: Any) -> None:
    estimator.n_features_in_ = frame.shape[1]
    if isinstance(X, pd.DataFrame) and all(isinstance(name, str) for name in X.columns):
        estimator.feature_names_in_ = np.asarray(X.columns, dtype=object)
    elif hasattr(estimator, "feature_names_in_"):
        del estimator.feature_names_in_


def _new_name(frame: pd.DataFrame) -> str:
    name = "target"
    while name in frame:
        name += "_"
    return name


def _below(real: Any, made: Any) -> Any:
    """``made`` below ``real``, in the type of ``real``."""
    if isinstance(real, pd.DataFrame):
        made = made.set_axis(real.columns, axis=1).astype(real.dtypes.to_dict())
        return pd.concat([real, made], ignore_index=True)
    if isinstance(real, pd.Series):
        new = pd.Series(made, name=real.name).astype(real.dtype)
        return pd.concat([real, new], ignore_index=True)
    array = np.asarray(real)
    return np.concatenate([array, np.asarray(made).astype(array.dtype)])
