"""What the page draws: shares in bins and tables, never rows.

The training rows fix the bins and the levels; all tables are counted in the same ones. Bins
meet at round figures, not at cells, and a level is named only if at least five training rows
have it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from synthgan._typing import Floats, Ints
from synthgan.metrics.association import associations
from synthgan.metrics.columns import Cells
from synthgan.metrics.measure import Findings, Measure
from synthgan.metrics.tables import Tables
from synthgan.report.bins import MISSING, Bins, Scale, Side, bins_of

_BINS = 30
_LEVELS = 20

_PAIR_BINS = 12
_PAIR_LEVELS = 10
_PAIRS = 6

_MATRIX_COLUMNS = 200
_MATRIX_ROWS = 10_000
_DIGITS = 5


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """One column in all tables."""

    column: str
    scale: Scale
    edges: tuple[float, ...]
    """Where the bins of numbers and dates (seconds since 1970) meet, one more than bins; empty
    for levels. The end bins hold the tails."""
    labels: tuple[str, ...]
    """What is counted in each bin or level."""
    shares: Mapping[Side, tuple[float, ...]]
    """Shares of the present cells; there is no "holdout" if there was none."""
    missing: Mapping[Side, float]
    """Shares of missing cells."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Association:
    """How each two columns hold together, in the real and in the synthetic table."""

    columns: tuple[str, ...]
    real: Floats
    """(columns, columns), from -1 to 1; NaN where not defined."""
    synthetic: Floats
    left_out: int
    """Columns beyond what can be shown."""
    rows: int
    """Rows of either table that were looked at, at most."""

    @property
    def difference(self) -> Floats:
        """Synthetic less real; a column that became constant counts as unrelated."""
        gap: Floats = np.nan_to_num(self.synthetic) - self.real
        np.fill_diagonal(gap, np.where(np.isnan(np.diag(self.real)), np.nan, 0.0))
        return gap


@dataclass(frozen=True, eq=False, kw_only=True)
class PairTable:
    """Two columns counted together: shares of all rows."""

    columns: tuple[str, str]
    labels: tuple[tuple[str, ...], tuple[str, ...]]
    ordered: tuple[bool, bool]
    """Whether the labels rise, as those of numbers and dates do."""
    real: Floats
    """(bins of the first, bins of the second)."""
    synthetic: Floats


@dataclass(frozen=True, eq=False, kw_only=True)
class Pictures:
    """Data of the page's pictures."""

    distributions: tuple[Distribution, ...] = ()
    """In table order."""
    association: Association | None = None
    """None for a table of one column."""
    pairs: tuple[PairTable, ...] = ()
    """Those furthest from the real ones, the furthest first."""


def picture(
    tables: Tables, findings: Findings, *, unnamed: Collection[str] = frozenset()
) -> Pictures:
    """Takes the pictures of ``tables``.

    ``findings`` name the pairs to look at: those whose ``trend`` error is furthest above its floor.
    ``unnamed``: columns all of whose levels single somebody out, so that none is named.
    """
    return Pictures(
        distributions=tuple(_distribution(tables, name, unnamed) for name in tables.columns.names),
        association=_association(tables),
        pairs=tuple(_pair(tables, pair, unnamed) for pair in _worst_pairs(tables, findings)),
    )


def _distribution(tables: Tables, name: str, unnamed: Collection[str]) -> Distribution:
    bins = bins_of(tables, name, bins=_BINS, levels=_levels_of(name, _LEVELS, unnamed))
    sides: dict[Side, Cells | None] = {
        "real": tables.train,
        "holdout": tables.holdout,
        "synthetic": tables.made,
    }
    codes = {side: bins(cells, name) for side, cells in sides.items() if cells is not None}
    shares = {side: _shares(code, len(bins.labels)) for side, code in codes.items()}
    labels = bins.labels
    if bins.scale in ("values", "levels") and not any(share[-1] for share in shares.values()):
        labels = labels[:-1]  # there are no others
    return Distribution(
        column=name,
        scale=bins.scale,
        edges=tuple(bins.edges.tolist()),
        labels=labels,
        shares={side: share[: len(labels)] for side, share in shares.items()},
        missing={side: round(float((code < 0).mean()), _DIGITS) for side, code in codes.items()},
    )


def _levels_of(name: str, most: int, unnamed: Collection[str]) -> int:
    return 0 if name in unnamed else most


def _shares(codes: Ints, size: int) -> tuple[float, ...]:
    present = codes[codes >= 0]
    counts = np.bincount(present, minlength=size) / max(len(present), 1)
    return tuple(np.round(counts, _DIGITS).tolist())


def _association(tables: Tables) -> Association | None:
    names = tables.columns.names[:_MATRIX_COLUMNS]
    if len(names) < 2:
        return None
    rng = tables.rng("association")
    real, synthetic = (
        associations(tables.columns, side.pick(_MATRIX_ROWS, rng), names)
        for side in (tables.train, tables.made)
    )
    return Association(
        columns=names,
        real=real,
        synthetic=synthetic,
        left_out=len(tables.columns.names) - len(names),
        rows=_MATRIX_ROWS,
    )


# --- the worst pairs --------------------------------------------------------------------


def _worst_pairs(tables: Tables, findings: Findings) -> list[tuple[str, str]]:
    known = set(tables.columns.names)
    trends = [
        each
        for each in findings.measures
        if each.key == "trend" and len(each.columns) == 2 and _excess(each) > 0
    ]
    trends.sort(key=lambda each: -_excess(each))
    pairs = [
        (each.columns[0], each.columns[1]) for each in trends if known.issuperset(each.columns)
    ]
    return pairs[:_PAIRS]


def _excess(trend: Measure) -> float:
    """How far a trend error is above that of real rows; NaN if it is not defined."""
    floor = trend.floor.value if trend.floor is not None else math.nan
    return trend.estimate.value - (0.0 if math.isnan(floor) else floor)


def _pair(tables: Tables, pair: tuple[str, str], unnamed: Collection[str]) -> PairTable:
    counted = [
        bins_of(tables, name, bins=_PAIR_BINS, levels=_levels_of(name, _PAIR_LEVELS, unnamed))
        for name in pair
    ]
    sizes = [len(bins.labels) + 1 for bins in counted]  # and one for missing cells
    real, synthetic = (_joint(side, pair, counted, sizes) for side in (tables.train, tables.made))
    used = [
        np.flatnonzero((real.sum(axis=axis) > 0) | (synthetic.sum(axis=axis) > 0))
        for axis in (1, 0)
    ]
    labels = [(*_begins(bins), MISSING) for bins in counted]
    first, second = (
        tuple(text[i] for i in places) for text, places in zip(labels, used, strict=True)
    )
    kept = np.ix_(*used)
    ordered = [bins.scale != "levels" for bins in counted]
    return PairTable(
        columns=pair,
        labels=(first, second),
        ordered=(ordered[0], ordered[1]),
        real=real[kept],
        synthetic=synthetic[kept],
    )


def _begins(bins: Bins) -> tuple[str, ...]:
    """Labels that are short: a date is told by its beginning."""
    return tuple(
        label.partition(" to ")[0] if bins.scale == "date" else label for label in bins.labels
    )


def _joint(cells: Cells, pair: tuple[str, str], counted: list[Bins], sizes: list[int]) -> Floats:
    codes = [bins(cells, name) for bins, name in zip(counted, pair, strict=True)]
    filled = [np.where(code < 0, size - 1, code) for code, size in zip(codes, sizes, strict=True)]
    counts = np.bincount(filled[0] * sizes[1] + filled[1], minlength=sizes[0] * sizes[1])
    return np.round(counts.reshape(sizes) / max(len(cells), 1), _DIGITS)
