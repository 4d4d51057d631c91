"""evaluate(): reads the tables, asks every part of the judge, and puts the report together."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from synthgan.errors import ConfigError, TableError, near_column
from synthgan.metrics.columns import Columns
from synthgan.metrics.fidelity.accuracy import accuracy_findings
from synthgan.metrics.fidelity.detection import detection_findings
from synthgan.metrics.fidelity.geometry import geometry_findings
from synthgan.metrics.fidelity.pairs import pair_findings
from synthgan.metrics.fidelity.sdmetrics import sdmetrics_findings
from synthgan.metrics.fidelity.shape import column_findings
from synthgan.metrics.fidelity.validity import rule_findings
from synthgan.metrics.measure import Findings, LeftOut
from synthgan.metrics.privacy.attributes import attribute_findings
from synthgan.metrics.privacy.copies import copy_findings, refuse_holdout
from synthgan.metrics.privacy.distances import distance_findings
from synthgan.metrics.privacy.identifiers import identifier_findings
from synthgan.metrics.privacy.membership import membership_findings
from synthgan.metrics.privacy.outliers import outlier_findings
from synthgan.metrics.privacy.replay import replay_findings
from synthgan.metrics.tables import Tables
from synthgan.metrics.utility.findings import utility_findings
from synthgan.metrics.utility.models import Task
from synthgan.report.origin import Model, Origin
from synthgan.report.pictures import picture
from synthgan.report.report import Report
from synthgan.report.results import About, Section, SectionKey
from synthgan.report.wording import opening
from synthgan.report.wording.fidelity import fidelity
from synthgan.report.wording.privacy import privacy
from synthgan.report.wording.utility import utility
from synthgan.schema.infer import infer_columns
from synthgan.schema.schema import Schema
from synthgan.table.read import take_table

Table = pd.DataFrame | str | Path
"""A DataFrame, or the path of a CSV, Parquet or Feather file."""

OnPart = Callable[[str, int, int], None]
"""Called with what is looked at next, how many parts are done, and of how many."""

_TITLES: dict[SectionKey, str] = {
    "fidelity": "Fidelity: is it like the real table?",
    "utility": "Utility: can models be trained on it?",
    "privacy": "Privacy: does it give away training rows?",
}

_LEAST_ROWS = 100
_ASKED = ("schema", "rows", "versions", "protections", "notes", "history")  # of a model


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig:
    """How a table is judged. Raises :class:`ConfigError` for settings out of range.

    Attributes:
        schema: What the columns are; None takes the model's, or infers it from the real rows.
        task: What the target is predicted as; None decides by its values.
        max_rows: Rows a table to look at, at most; copies are looked for among all.
        seed: For the choice of rows, folds and the like.
    """

    schema: Schema | None = None
    task: Task | None = None
    max_rows: int = 100_000
    seed: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.schema, Schema | None):
            kind = type(self.schema).__name__
            raise ConfigError(f"schema must be a Schema, got {kind}; Schema.load(path) reads one")
        if isinstance(self.max_rows, bool) or not isinstance(self.max_rows, int):
            raise ConfigError(f"max_rows must be a whole number, got {self.max_rows!r}")
        if self.max_rows < _LEAST_ROWS:
            raise ConfigError(f"max_rows must be at least {_LEAST_ROWS}, got {self.max_rows}")
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or self.seed < 0:
            raise ConfigError(f"seed must be a whole number from 0, got {self.seed!r}")
        if self.task not in (None, "binary", "multiclass", "regression"):
            raise ConfigError(
                f"task must be 'binary', 'multiclass' or 'regression', got {self.task!r}"
            )


def evaluate(
    synthetic: Table,
    *,
    train: Table,
    holdout: Table | None = None,
    target: str | None = None,
    model: Model | None = None,
    config: EvaluateConfig | None = None,
    on_part: OnPart | None = None,
) -> Report:
    """Judges a synthetic table, made by any tool, against the real one.

    ``train`` holds the real rows that the generator learned from; ``holdout`` real rows of the
    same kind that it never saw. Without a holdout, fidelity is judged against half of ``train``,
    and usefulness and privacy not at all: they cannot be judged on rows that the generator
    knows. ``target`` is a column to predict. ``model`` says of itself what the report repeats
    (its protections, its training).

    Raises :class:`ConfigError` for arguments of another type, and :class:`TableError` for tables
    that cannot be compared, or a holdout most of whose rows stand in another table.
    """
    began = time.perf_counter()
    _check_types(target, model, config)
    config = config or EvaluateConfig()
    frames = _Frames.of(synthetic, train, holdout, model, config)
    _check(frames, target)
    parts = _parts(frames, target, config)
    found: dict[SectionKey, Findings] = {section: Findings() for section in _TITLES}
    for done, (section, what, ask) in enumerate(parts):
        if on_part is not None:
            on_part(what, done, len(parts) + 1)
        found[section] += ask()
    if on_part is not None:
        on_part("pictures", len(parts), len(parts) + 1)
    origin = None if model is None else Origin.of(model)
    replays = found["privacy"].replays
    unnamed = {each.column for each in replays if each.singling == each.distinct}
    return Report(
        about=frames.about(target, config, began),
        sections=_sections(found, frames, target, origin),
        pictures=picture(frames.tables, found["fidelity"], unnamed=unnamed),
        origin=origin,
        names={column.name: column.kind.value for column in frames.tables.columns.layout},
        listed=frames.listed,
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class _Frames:
    """The tables as they came, and as they are compared."""

    synthetic: pd.DataFrame
    train: pd.DataFrame
    holdout: pd.DataFrame | None
    tables: Tables
    schema: Schema

    @classmethod
    def of(
        cls,
        synthetic: Table,
        train: Table,
        holdout: Table | None,
        model: Model | None,
        config: EvaluateConfig,
    ) -> _Frames:
        real, made = _frame(train, "train"), _frame(synthetic, "synthetic")
        held = None if holdout is None else _frame(holdout, "holdout")
        schema = config.schema or (model.schema if model else None) or infer_columns(real)
        columns = Columns.of(real, schema)
        tables = Tables.of(
            made, real, held, columns=columns, max_rows=config.max_rows, seed=config.seed
        )
        return cls(synthetic=made, train=real, holdout=held, tables=tables, schema=schema)

    @property
    def unjudged(self) -> tuple[str, ...]:
        """Columns of the synthetic and the real table that are not compared."""
        compared = set(self.tables.columns.names)
        known = set(self.train.columns) - compared
        return tuple(str(name) for name in self.synthetic.columns if name in known)

    @property
    def listed(self) -> dict[str, str]:
        """Each column of the synthetic table and its kind, or that it was not judged."""
        kinds = {column.name: column.kind for column in self.schema}

        def what(name: str) -> str:
            kind = kinds.get(name)
            if kind is None:
                return "unknown, not judged"
            return kind.value if kind.is_modelled else f"{kind.value}, not judged"

        return {str(name): what(str(name)) for name in self.synthetic.columns}

    @property
    def rows(self) -> dict[str, int]:
        """Rows of each table, by what it is called."""
        held = {} if self.holdout is None else {"held-out rows": len(self.holdout)}
        return {"synthetic rows": len(self.synthetic), "training rows": len(self.train), **held}

    def about(self, target: str | None, config: EvaluateConfig, began: float) -> About:
        compared = set(self.tables.columns.names)
        names = [*self.train.columns, *self.synthetic.columns]
        return About(
            version=version("synthgan"),
            synthetic_rows=len(self.synthetic),
            train_rows=len(self.train),
            holdout_rows=None if self.holdout is None else len(self.holdout),
            looked_at=config.max_rows,
            columns=len(compared) - len(self.tables.columns.words),
            skipped=tuple(dict.fromkeys(str(name) for name in names if name not in compared)),
            target=target,
            seconds=time.perf_counter() - began,
        )


def _frame(table: Table, what: str) -> pd.DataFrame:
    frame = take_table(table, what)
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise TableError(
            f"column names must be unique, but {twice!r} comes twice in {what}; rename or drop one"
        )
    return frame


def _check_types(target: object, model: object, config: object) -> None:
    """Refuses what is no target, model or config at all."""
    if target is not None and not isinstance(target, str):
        raise ConfigError(
            f"target must be the name of a column, a str, got {type(target).__name__}"
        )
    if model is not None and not all(hasattr(model, name) for name in _ASKED):
        raise ConfigError(
            "model must be a model of synthgan.fit or synthgan.load, got "
            f"{type(model).__name__}; leave it out for a table of another tool"
        )
    if config is not None and not isinstance(config, EvaluateConfig):
        raise ConfigError(f"config must be an EvaluateConfig, got {type(config).__name__}")


def refuse_target(target: str | None, train: pd.DataFrame, columns: Columns) -> None:
    """Raises :class:`TableError` unless ``target`` is a column that can be predicted, or None."""
    known = [name for name in columns.names if name in train]  # words have names of ours
    if target is not None and target not in known:
        what = "an identifier or free text" if target in train else "not there"
        hint = near_column(target, known)
        raise TableError(f"target {target!r} is {what}; of columns to predict, {hint}")


def _check(frames: _Frames, target: str | None) -> None:
    """Refuses what would be judged wrongly."""
    columns = frames.tables.columns
    refuse_target(target, frames.train, columns)
    if frames.holdout is not None:
        refuse_holdout(frames.synthetic, frames.train, frames.holdout, columns)


_Part = tuple[SectionKey, str, Callable[[], Findings]]


def _parts(frames: _Frames, target: str | None, config: EvaluateConfig) -> list[_Part]:
    """Section, what is done in words, and what to call."""
    tables = frames.tables

    def copies() -> Findings:
        return copy_findings(frames.synthetic, frames.train, frames.holdout, tables.columns)

    def identifiers() -> Findings:
        return identifier_findings(frames.synthetic, frames.train, frames.holdout, frames.unjudged)

    def replays() -> Findings:
        return replay_findings(frames.synthetic, frames.train, tables.columns, frames.schema)

    parts: list[_Part] = [
        ("fidelity", "columns", lambda: column_findings(tables)),
        ("fidelity", "pairs", lambda: pair_findings(tables)),
        ("fidelity", "joint shares", lambda: accuracy_findings(tables)),
        ("fidelity", "detectors", lambda: detection_findings(tables)),
        ("fidelity", "shape of the cloud", lambda: geometry_findings(tables)),
        ("fidelity", "rules", lambda: rule_findings(tables)),
        ("fidelity", "SDMetrics' scores", lambda: sdmetrics_findings(tables)),
        ("privacy", "copies", copies),
        ("privacy", "copied identifiers", identifiers),
        ("privacy", "replayed values", replays),
        ("privacy", "distances", lambda: distance_findings(tables)),
        ("privacy", "membership attacks", lambda: membership_findings(tables)),
        ("privacy", "attribute attacks", lambda: attribute_findings(tables)),
        ("privacy", "outliers", lambda: outlier_findings(tables)),
        ("utility", "models", lambda: _utility(tables, target, config.task)),
    ]
    return parts


def _utility(tables: Tables, target: str | None, task: Task | None) -> Findings:
    if target is None:
        why = "no target was named (--target COLUMN)"
        if tables.holdout is None:
            why = "no target was named (--target COLUMN), and no holdout was given"
        return Findings(left_out=(LeftOut(what="models trained on synthetic rows", why=why),))
    return utility_findings(tables, target, task)


def _sections(
    found: dict[SectionKey, Findings],
    frames: _Frames,
    target: str | None,
    origin: Origin | None,
) -> tuple[Section, ...]:
    guarantee = origin.guarantee if origin else None
    first = opening.first(found["fidelity"], found["privacy"], frames.rows)
    unlike = bool(opening.unlike(found["fidelity"]))
    unreadable = frames.tables.columns.unreadable(frames.synthetic)
    worded = {
        "fidelity": fidelity(found["fidelity"], unreadable),
        "utility": utility(found["utility"], target),
        "privacy": privacy(found["privacy"], guarantee, unlike=unlike, unjudged=frames.unjudged),
    }
    return tuple(
        Section(
            key=key,
            title=_TITLES[key],
            verdict=(*first, *worded[key][0]),
            advice=worded[key][1],
            findings=findings,
        )
        for key, findings in found.items()
    )
