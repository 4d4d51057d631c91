"""Two tables, from any two tools, in one form that can be compared.

One table (the training rows, as a rule) fixes what each column is: numbers and dates become
floats with NaN for a hole, everything else becomes text levels. The other tables are read
the same way, whatever dtypes their maker chose.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from synthgan._typing import Floats, Ints, Objects
from synthgan.columns.arrow import to_arrow
from synthgan.columns.column import Column, Kind
from synthgan.columns.date_format import coerce_dates
from synthgan.errors import SchemaError, TableError
from synthgan.schema.schema import Schema

_LARGEST = 1e100  # larger numbers are pulled in to it: their squares must not overflow
_TRUTH = frozenset({"True", "False"})
_TRUTH_OF = {"true": "True", "1": "True", "false": "False", "0": "False"}
"""How other tools spell truth values."""
_A_NUMBER = "a number"
_TREE_LEVELS = 250  # boosted trees take at most 255 codes a column


@dataclass(frozen=True, eq=False, kw_only=True)
class Cells:
    """One table as the measures see it."""

    rows: int
    numbers: dict[str, Floats]
    """Numbers as they are, dates in seconds since 1970; NaN where missing. Dates are in UTC, or
    in wall time where text follows the format of its column."""
    categories: dict[str, pd.Categorical]
    """Codes (-1 where missing) into text levels."""

    def __len__(self) -> int:
        return self.rows

    def take(self, places: Ints) -> Cells:
        """The rows at ``places``, in that order."""
        return Cells(
            rows=len(places),
            numbers={name: x[places] for name, x in self.numbers.items()},
            categories={name: x.take(places) for name, x in self.categories.items()},
        )

    def pick(self, rows: int, rng: np.random.Generator) -> Cells:
        """``rows`` rows at random without replacement, or all if there are fewer."""
        if rows >= self.rows:
            return self
        return self.take(rng.choice(self.rows, rows, replace=False))

    def shuffled(self, rows: int, rng: np.random.Generator) -> Cells:
        """The naive generator: ``rows`` rows with each column drawn on its own."""
        again = rows > self.rows

        def places() -> Ints:
            return rng.choice(self.rows, rows, replace=again)

        return Cells(
            rows=rows,
            numbers={name: x[places()] for name, x in self.numbers.items()},
            categories={name: x.take(places()) for name, x in self.categories.items()},
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class Columns:
    """What each compared column is, and its levels, as one table fixed them."""

    layout: tuple[Column, ...]
    levels: dict[str, Objects]
    """Levels of each categorical column, the most frequent first."""
    words: dict[str, Column] = field(default_factory=dict)
    """Of the layout's columns, those that tell words from numbers, and of which column."""

    @classmethod
    def of(cls, frame: pd.DataFrame, schema: Schema | None = None) -> Columns:
        """The columns of ``frame``.

        With a ``schema``, its kinds decide, and identifiers and free text are left out.
        Words among numbers are judged as a column of their own, beside the numbers.
        Without one dtypes decide: numeric dtypes are numbers, datetime dtypes dates, all
        others (booleans too) categories, held as text. Raises :class:`TableError` for a table
        without rows or columns, or with two columns of one name.
        """
        if not frame.columns.is_unique:
            twice = frame.columns[frame.columns.duplicated()][0]
            raise TableError(f"column names must be unique, but {twice!r} comes twice")
        described = schema or Schema(columns=tuple(_column(frame[name]) for name in frame))
        layout = tuple(column for column in described if column.kind.is_modelled)
        if frame.empty or not layout:
            raise TableError(
                f"a table of {len(frame)} rows and {len(layout)} columns cannot be compared; "
                "at least one row and one column are needed"
            )
        words = {_beside(c.name, described.names): c for c in layout if c.words}
        layout += tuple(Column(name=name, kind=Kind.CATEGORY, dtype="object") for name in words)
        fixed = cls(layout=layout, levels={}, words=words)
        for name, cells in fixed.read(frame).categories.items():
            counts = np.bincount(cells.codes[cells.codes >= 0], minlength=len(cells.categories))
            order = np.argsort(-counts, kind="stable")
            fixed.levels[name] = np.asarray(cells.categories, dtype=object)[order]
        return fixed

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the compared columns, in table order."""
        return tuple(column.name for column in self.layout)

    def read(self, frame: pd.DataFrame | Cells, what: str = "a table to be compared") -> Cells:
        """The cells of ``frame``; columns that are not compared are ignored.

        ``what`` is what errors call the table.

        What was read before is given back as it is.

        A cell that does not fit its column (a word among numbers, an infinity) counts as
        missing. Raises :class:`TableError` where a column is lacking or there are no rows.
        """
        if isinstance(frame, Cells):
            return frame
        lacking = [name for name in self.names if name not in {*frame.columns, *self.words}]
        if lacking:
            raise TableError(
                f"{what} lacks column {lacking[0]!r}; "
                "all tables of a comparison need the same columns"
            )
        if frame.empty:
            raise TableError(f"{what} has no rows; at least one is needed")
        return Cells(
            rows=len(frame),
            numbers={c.name: _floats(frame[c.name], c) for c in self.layout if c.kind.is_numeric},
            categories={
                c.name: self._levels_of(frame[c.name], c.name)
                for c in self.layout
                if not c.kind.is_numeric and c.name not in self.words
            }
            | {name: _words(frame[c.name], c) for name, c in self.words.items()},
        )

    def unreadable(self, frame: pd.DataFrame) -> dict[str, int]:
        """Cells that are there but count as missing, since they do not fit their column.

        By column, for those that have any: a word among numbers or dates, an infinity.
        """
        found = {
            c.name: int(
                (
                    frame[c.name].notna()
                    & ~frame[c.name].isin(c.words or ())
                    & np.isnan(_floats(frame[c.name], c))
                ).sum()
            )
            for c in self.layout
            if c.kind.is_numeric
        }
        return {name: cells for name, cells in found.items() if cells}

    def _levels_of(self, cells: pd.Series, name: str) -> pd.Categorical:
        """Levels of a column, in the spelling that fixed it where truth values are concerned."""
        found = _levels(cells)
        if not _TRUTH.issuperset(self.levels.get(name, [""])):
            return found
        spelled = [_TRUTH_OF.get(level.lower(), level) for level in found.categories]
        codes, levels = pd.factorize(np.array(spelled, dtype=object))
        lookup = np.append(codes, -1).astype(np.int64)
        index = pd.Index(levels, dtype=object)
        return pd.Categorical.from_codes(lookup[found.codes], categories=index)

    def matrix(self, cells: Cells, drop: Collection[str] = ()) -> tuple[Floats, list[bool]]:
        """``cells`` for boosted trees: (rows, columns), and which columns are codes.

        A categorical column keeps its 250 most frequent levels; others are 251, missing 252.
        Columns in ``drop`` are left out.
        """
        names = [name for name in self.names if name not in drop]
        known = {name: self.levels[name][:_TREE_LEVELS] for name in names if name in self.levels}
        parts = [
            recode(cells.categories[name], known[name], _TREE_LEVELS + 1, _TREE_LEVELS + 2)
            if name in known
            else cells.numbers[name]
            for name in names
        ]
        table = np.column_stack(parts).astype(np.float64) if parts else np.empty((cells.rows, 0))
        return table, [name in known for name in names]


def recode(cells: pd.Categorical, levels: Objects, unknown: int, missing: int) -> Ints:
    """Codes of ``cells`` as places in ``levels``, with codes for what is not there."""
    places = pd.Index(levels, dtype=object).get_indexer(pd.Index(cells.categories))
    lookup = np.append(np.where(places < 0, unknown, places), missing)
    codes: Ints = lookup.astype(np.int64)[cells.codes]
    return codes


def column_numbers(cells: pd.Series, column: Column) -> Floats:
    """The cells of a numeric ``column`` as numbers, dates in seconds; NaN where missing."""
    return _floats(cells, column)


def column_words(cells: pd.Series) -> Objects:
    """Each cell as text, in the spelling of levels; None where missing."""
    levels = _levels(cells)
    words = np.array([*levels.categories, None], dtype=object)
    found: Objects = words[levels.codes]
    return found


def spelled(cells: pd.Series) -> Objects:
    """The cells that are not missing, as text, in the spelling of levels."""
    levels = _levels(cells)
    there = levels.codes[levels.codes >= 0]
    words: Objects = np.asarray(levels.categories, dtype=object)[there]
    return words


def pick(frame: pd.DataFrame, rows: int, rng: np.random.Generator) -> pd.DataFrame:
    """``rows`` rows of ``frame`` at random without replacement, or all if it has fewer."""
    if rows >= len(frame):
        return frame
    return frame.iloc[rng.choice(len(frame), rows, replace=False)]


def union(real: pd.Categorical, synthetic: pd.Categorical) -> Objects:
    """Levels of either table."""
    both = [np.asarray(cells.categories, dtype=object) for cells in (real, synthetic)]
    return np.asarray(pd.unique(np.concatenate(both)), dtype=object)


def independent_columns(frame: pd.DataFrame, rows: int, rng: np.random.Generator) -> pd.DataFrame:
    """The naive generator: each column of ``frame`` shuffled on its own.

    Every column keeps its distribution, and nothing holds between columns. More rows than
    ``frame`` has are drawn with replacement.
    """
    size, again = len(frame), rows > len(frame)
    shuffled = {
        name: frame[name].iloc[rng.choice(size, rows, replace=again)].reset_index(drop=True)
        for name in frame
    }
    return pd.DataFrame(shuffled, index=pd.RangeIndex(rows))


_DTYPES = {Kind.NUMBER: "float64", Kind.DATETIME: "datetime64[ns]", Kind.CATEGORY: "object"}


def _column(cells: pd.Series) -> Column:
    dtype = cells.dtype
    kind = Kind.CATEGORY
    if pd.api.types.is_datetime64_any_dtype(dtype):
        kind = Kind.DATETIME
    elif pd.api.types.is_any_real_numeric_dtype(dtype) or dtype.kind == "m":
        kind = Kind.NUMBER
    # The dtype is the kind's own: a Column knows fewer than pandas does, and none is read here.
    return Column(name=cast(str, cells.name), kind=kind, dtype=_DTYPES[kind])


def _floats(cells: pd.Series, column: Column) -> Floats:
    try:
        array = to_arrow(cells, column.name)
    except SchemaError:  # no type that a schema knows, or several
        array = pa.array(_text(cells), pa.large_string(), from_pandas=True)
    if column.kind is Kind.DATETIME:
        return _seconds(array, column.format)
    if column.spelling is not None and pa.types.is_large_string(array.type):
        numbers = column.spelling.read(array)
        if not np.isnan(numbers).all():
            return numbers
    return _numbers(array)


def _beside(name: str, taken: Sequence[str]) -> str:
    """What the words of a column are called."""
    beside = f"{name} (words)"
    while beside in taken:
        beside += "*"
    return beside


def _words(cells: pd.Series, column: Column) -> pd.Categorical:
    """Words as levels, and one level for all numbers."""
    found = _levels(cells)
    texts = np.asarray(found.categories, dtype=object)
    are_numbers = ~np.isnan(_floats(pd.Series(texts, dtype=object), column))
    codes, levels = pd.factorize(np.where(are_numbers, _A_NUMBER, texts))
    lookup = np.append(codes, -1).astype(np.int64)
    return pd.Categorical.from_codes(lookup[found.codes], pd.Index(levels, dtype=object))


def _numbers(array: pa.Array) -> Floats:
    if pa.types.is_temporal(array.type):
        return np.full(len(array), np.nan)
    if pa.types.is_large_string(array.type):
        words = array.to_numpy(zero_copy_only=False)
        numbers = np.asarray(pd.to_numeric(words, errors="coerce"), dtype=np.float64)
    else:
        numbers = array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return np.clip(np.where(np.isfinite(numbers), numbers, np.nan), -_LARGEST, _LARGEST)


def _seconds(array: pa.Array, format: str | None) -> Floats:
    if pa.types.is_temporal(array.type):
        dates = array.to_numpy(zero_copy_only=False).astype("M8[us]")
    else:  # numbers too may be dates, such as 20241231
        words = array.cast(pa.large_string()).dictionary_encode()
        parsed = _parse(words.dictionary, format)
        distinct = np.append(parsed, np.array(["NaT"], parsed.dtype))
        dates = distinct[words.indices.fill_null(-1).to_numpy()]
    return np.where(np.isnat(dates), np.nan, dates.astype(np.int64) / 1e6)


def _parse(words: pa.Array, format: str | None) -> npt.NDArray[np.datetime64]:
    """Dates in the column's own spelling; if no cell has it, in any that pandas knows."""
    if format and "%" in format:
        dates = coerce_dates(words, format)
        if not np.isnat(dates).all():
            return dates.astype("M8[us]")
    cells = words.to_numpy(zero_copy_only=False)
    stamps = pd.to_datetime(cells, errors="coerce", utc=True, format="mixed").tz_convert(None)
    return np.asarray(stamps, dtype="M8[us]")


def _levels(cells: pd.Series) -> pd.Categorical:
    try:
        codes, distinct = pd.factorize(cells)
    except (TypeError, NotImplementedError):  # lists and the like cannot be hashed
        codes, distinct = pd.factorize(pd.Series(_text(cells), dtype=object))
    merged, levels = pd.factorize(np.array([spell(level) for level in distinct], dtype=object))
    lookup = np.append(merged, -1).astype(np.int64)
    return pd.Categorical.from_codes(lookup[codes], categories=pd.Index(levels, dtype=object))


def spell(level: object) -> str:
    """A level as text. A whole number is spelled as one: missing cells make floats of integers."""
    if isinstance(level, float) and level.is_integer():
        return str(int(level))
    return str(level)


def _text(cells: pd.Series) -> Objects:
    """Each cell as text that UTF-8 can express; None where missing."""
    return np.array(
        [
            None if hole else str(cell).encode(errors="replace").decode()
            for cell, hole in zip(cells, cells.isna(), strict=True)
        ],
        dtype=object,
    )
