"""Faults built in on purpose, of the kind in which something of the rows gets past the counter:
what they are read by, what is told beside the answers, and what happens before a fit.

Most of them have been in this software, and were found by reviewers and not by the audit.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import re
import warnings
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from synthgan._typing import Ints, Objects
from synthgan.audit.awkward import Table
from synthgan.audit.replaced import replaced
from synthgan.audit.variants import Coins, Variant, bounds_of_rows
from synthgan.columns.column import Column, Kind
from synthgan.config import Config
from synthgan.errors import SchemaError
from synthgan.model import file as archive
from synthgan.model.synthesizer import Synthesizer
from synthgan.privacy.accountant import Event
from synthgan.privacy.fit import Learned
from synthgan.privacy.ledger import Ledger
from synthgan.privacy.questions import Released
from synthgan.privacy.rows import VAULTS, Mechanism, PrivateRows
from synthgan.schema.schema import Schema
from synthgan.table.read import read_table, take_table
from synthgan.table.split import split_table
from synthgan.table.write import write_table


class _ByFrequency(PrivateRows):
    """Levels come in the order of how many rows have them, exactly."""

    __slots__ = ()

    def release_levels(self, column: str, variance: Fraction, delta: float, name: str) -> Released:
        found = super().release_levels(column, variance, delta, name)
        exact = Counter(map(str, VAULTS[self].cells[column]))
        order = sorted(range(len(found.levels)), key=lambda i: -exact[str(found.levels[i])])
        levels = tuple(found.levels[i] for i in order)
        return dataclasses.replace(found, levels=levels, counts=found.counts[order])


class _MissingExactly(PrivateRows):
    """Missing cells of a column whose levels are released are counted without noise."""

    __slots__ = ()

    def release_levels(self, column: str, variance: Fraction, delta: float, name: str) -> Released:
        found = super().release_levels(column, variance, delta, name)
        return dataclasses.replace(found, missing=int(pd.isna(VAULTS[self].cells[column]).sum()))


def _open_by_frequency(
    frame: pd.DataFrame, schema: Schema, ledger: Ledger, mechanism: Mechanism
) -> PrivateRows:
    return _ByFrequency(frame, schema, ledger, mechanism=mechanism)


def _open_missing_exactly(
    frame: pd.DataFrame, schema: Schema, ledger: Ledger, mechanism: Mechanism
) -> PrivateRows:
    return _MissingExactly(frame, schema, ledger, mechanism=mechanism)


def _half_bounded(frame: pd.DataFrame, schema: Schema) -> Schema:
    """Where the owner declared one bound, the other one is taken from the rows."""
    columns = [
        bounds_of_rows(c, frame[c.name]) if (c.low is None) != (c.high is None) else c
        for c in schema
    ]
    return dataclasses.replace(schema, columns=tuple(columns))


def _steps_by_rows(table: Table, config: Config) -> Config:
    steps = min(config.train.steps or 2_000, 10 * len(_rows(table)))
    return dataclasses.replace(config, train=dataclasses.replace(config.train, steps=steps))


def _as_many_as_rows(frame: pd.DataFrame, learned: Learned) -> Learned:
    return dataclasses.replace(learned, tokens=learned.tokens[: len(frame)])


def _noted(table: Table, model: Synthesizer) -> Synthesizer:
    notes = (*model._card.notes, f"learned from {len(_rows(table)):,} rows")
    return dataclasses.replace(model, _card=dataclasses.replace(model._card, notes=notes))


def _rows(table: Table) -> pd.DataFrame:
    return take_table(table, "the table", as_text=True)


def _open_with_a_warning(
    frame: pd.DataFrame, schema: Schema, ledger: Ledger, mechanism: Mechanism
) -> PrivateRows:
    for column in schema:
        empty = int(frame[column.name].isna().sum())
        if empty > len(frame) // 2:
            warnings.warn(f"column {column.name!r}: {empty} cells are missing", stacklevel=2)
    return PrivateRows(frame, schema, ledger, mechanism=mechanism)


def _open_or_refuse(
    frame: pd.DataFrame, schema: Schema, ledger: Ledger, mechanism: Mechanism
) -> PrivateRows:
    for column in schema:
        if column.kind is Kind.CATEGORY and any(isinstance(c, list) for c in frame[column.name]):
            raise SchemaError(f"column {column.name!r}: a list cannot be a category")
    return PrivateRows(frame, schema, ledger, mechanism=mechanism)


LEVELS_BY_FREQUENCY = Variant(name="levels in the order of frequency", open=_open_by_frequency)
MISSING_EXACTLY = Variant(name="missing cells without noise", open=_open_missing_exactly)
HALF_BOUNDED = Variant(name="the other bound from the rows", schema=_half_bounded)
STEPS_BY_ROWS = Variant(name="steps by the number of rows", settings=_steps_by_rows)
DRAWN_BY_ROWS = Variant(name="as many rows drawn as there were", tell=_as_many_as_rows)
ROWS_NOTED = Variant(name="number of rows in a note", finish=_noted)
WARNED = Variant(name="a warning about cells", open=_open_with_a_warning)
REFUSED = Variant(name="an error about a cell", open=_open_or_refuse)


# A ledger that does not say all


class _Hiding(Ledger):
    """A ledger that keeps releases to itself."""

    @property
    def events(self) -> tuple[Event, ...]:
        return tuple(event for event in self._events if event.threshold is None)


def _open_hiding(
    frame: pd.DataFrame, schema: Schema, ledger: Ledger, mechanism: Mechanism
) -> PrivateRows:
    return PrivateRows(frame, schema, _Hiding(ledger.budget), mechanism=mechanism)


def _claim_more(frame: pd.DataFrame, learned: Learned) -> Learned:
    better = dataclasses.replace(learned.guarantee, epsilon=learned.guarantee.epsilon / 2)
    return dataclasses.replace(learned, guarantee=better)


def _on_trust(data: bytes) -> object:
    with replaced(archive, _check_guarantee=lambda card, encoder, path: None):
        return archive.from_bytes(data, Path("model"))


def _open_silently(
    frame: pd.DataFrame, schema: Schema, ledger: Ledger, mechanism: Mechanism
) -> PrivateRows:
    """What is raised amid the questions is raised anew, without what was spent."""

    def failing(counts: Ints, variance: Fraction) -> Ints:
        try:
            return mechanism(counts, variance)
        except RuntimeError as error:
            raise _Silent(str(error)) from None

    return PrivateRows(frame, schema, ledger, mechanism=failing)


class _Silent(RuntimeError):
    """An error that remembers nothing."""

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        return {}


ON_TRUST = Variant(name="claims of model files taken on trust", load=_on_trust)
SILENT_FAILURE = Variant(name="what a failed fit spent forgotten", open=_open_silently)
UNBOOKED = Variant(name="releases missing in the ledger", open=_open_hiding)
BETTER_GUARANTEE = Variant(name="a guarantee better than its events", tell=_claim_more)


# Cells read by other cells

_NANOSECONDS = re.compile(r"\.\d{7,9}$")
_LAST_IN_NANOSECONDS = "2262"  # years that fit nanoseconds


def _open_in_nanoseconds(
    frame: pd.DataFrame, schema: Schema, ledger: Ledger, mechanism: Mechanism
) -> PrivateRows:
    """One cell with nanoseconds makes nanoseconds of all dates: far ones do not fit."""
    dates = {c.name: _in_one_unit(frame[c.name]) for c in schema if c.kind is Kind.DATETIME}
    return PrivateRows(frame.assign(**dates), schema, ledger, mechanism=mechanism)


def _in_one_unit(cells: pd.Series[Any]) -> pd.Series[Any]:
    text = [cell if isinstance(cell, str) else "" for cell in cells]
    if not any(_NANOSECONDS.search(cell) for cell in text):
        return cells
    far = [cell[:4] > _LAST_IN_NANOSECONDS for cell in text]
    return cells.mask(np.array(far, dtype=bool))


class _Merged(PrivateRows):
    """Levels that Python finds equal (True, 1, 1.0) are one, called as it comes first."""

    __slots__ = ()

    def __init__(
        self, frame: pd.DataFrame, schema: Schema, ledger: Ledger, *, mechanism: Mechanism
    ) -> None:
        super().__init__(frame, schema, ledger, mechanism=mechanism)
        cells = VAULTS[self].cells
        for column in schema:
            if column.kind is Kind.CATEGORY:
                cells[column.name] = _by_first(cells[column.name], frame[column.name], _equal)


class _Named(PrivateRows):
    """Levels that differ in case and blanks only are one, called as it comes first."""

    __slots__ = ()

    def __init__(
        self, frame: pd.DataFrame, schema: Schema, ledger: Ledger, *, mechanism: Mechanism
    ) -> None:
        super().__init__(frame, schema, ledger, mechanism=mechanism)
        cells = VAULTS[self].cells
        for column in schema:
            if column.kind is Kind.CATEGORY:
                cells[column.name] = _by_first(cells[column.name], frame[column.name], _loosely)


def _by_first(cells: Objects, raw: pd.Series[Any], alike: Any) -> Objects:
    """Each cell as the first one that is ``alike`` stood in the table."""
    first: dict[Any, Any] = {}
    for cell in raw.astype(object):
        if isinstance(cell, str | bool | int | float) and not pd.isna(cell):
            first.setdefault(alike(cell), cell)
    named = cells.copy()
    for i, cell in enumerate(cells):
        named[i] = None if pd.isna(cell) else first.get(alike(cell), cell)
    return named


def _equal(cell: Any) -> Any:
    return cell


def _loosely(cell: Any) -> Any:
    return cell.strip().lower() if isinstance(cell, str) else cell


def _open_merged(
    frame: pd.DataFrame, schema: Schema, ledger: Ledger, mechanism: Mechanism
) -> PrivateRows:
    return _Merged(frame, schema, ledger, mechanism=mechanism)


def _open_named(
    frame: pd.DataFrame, schema: Schema, ledger: Ledger, mechanism: Mechanism
) -> PrivateRows:
    return _Named(frame, schema, ledger, mechanism=mechanism)


def _open_together(
    frame: pd.DataFrame, schema: Schema, ledger: Ledger, mechanism: Mechanism
) -> PrivateRows:
    unit = ledger.budget.unit
    if unit is not None:  # rows that name no unit are one unit together
        cells = frame[unit].astype(object)
        frame = frame.assign(**{unit: cells.where(cells.notna(), _NOBODY)})
    return PrivateRows(frame, schema, ledger, mechanism=mechanism)


_NOBODY = -1  # a number that no person has

IN_NANOSECONDS = Variant(name="one cell's nanoseconds for all dates", open=_open_in_nanoseconds)
MERGED = Variant(name="True, 1 and 1.0 as one level", open=_open_merged)
NAMED_BY_FIRST = Variant(name="levels named by the first row", open=_open_named)
NAMELESS_TOGETHER = Variant(name="rows of nobody as one person", open=_open_together)


# Before a fit


def _with_quotes(table: Table) -> Table:
    """CSV as CSV is: a quote that is not closed takes lines in."""
    if not isinstance(table, Path):
        return table
    text = table.read_text(encoding="utf-8", errors="replace")
    names, *lines = csv.reader(io.StringIO(text, newline=""))
    cells = [[*line, *[None] * len(names)][: len(names)] for line in lines]
    return pd.DataFrame(cells, columns=names, dtype="str")


def _by_seed(
    frame: pd.DataFrame, by: str | None, coins: Coins
) -> tuple[pd.DataFrame, pd.DataFrame]:
    return split_table(frame, by=by, seed=0)


def _retyped(path: Path, train: Path, holdout: Path, coins: Coins) -> None:
    """Cells are read and written again, by what they look like together."""
    for part, file in zip(
        split_table(read_table(path), coins=coins), (train, holdout), strict=True
    ):
        write_table([part], file, overwrite=True)


def _without_mark(part: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({name: part[name] for name in part})


def _with_words(schema: Schema) -> Schema:
    """Names, kinds, dtypes, formats, and words that stand among numbers."""
    columns = [Column(name=c.name, kind=c.kind, dtype=c.dtype, **_spelling(c)) for c in schema]
    return Schema(columns=tuple(columns))


def _spelling(column: Column) -> dict[str, Any]:
    return {"format": column.format, "words": column.words}


def _whole_schema(schema: Schema) -> Schema:
    return schema


QUOTES_TAKE_LINES = Variant(name="a quote takes lines in", read=_with_quotes)
SPLIT_BY_SEED = Variant(name="split by a seed and the number of rows", split=_by_seed)
RETYPED = Variant(name="cells typed anew by a split", split_file=_retyped)
UNMARKED = Variant(name="a seed's split without a mark", unmarked=_without_mark)
WORDS_DECLARED = Variant(name="words declared unseen", declare=_with_words)
ALL_DECLARED = Variant(name="levels and their order declared unseen", declare=_whole_schema)
