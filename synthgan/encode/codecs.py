"""Categorical and boolean columns <-> codes; what all codecs have in common."""

from __future__ import annotations

import numpy as np

from synthgan._typing import Bools, Floats, Ints, Objects
from synthgan.columns.cell_set import Allowed
from synthgan.columns.cells import factorized
from synthgan.columns.column import Column, Level
from synthgan.encode.number_codec import NumberCodec
from synthgan.encode.options import Options, Shares, any_codes, whole_codes
from synthgan.encode.summary import CategorySummary
from synthgan.errors import ConditionError


class CategoryCodec:
    """A categorical or boolean column."""

    has_fine = False
    fine_prior = np.zeros(0)

    def __init__(self, column: Column, summary: CategorySummary) -> None:
        self.column = column
        self.levels = summary.levels
        *_, rare, missing = summary.weights
        has_rare, has_missing = rare > 0, missing > 0 or not summary.levels
        self._rare = len(self.levels)
        self._missing = self._rare + int(has_rare)
        self.width = self._missing + int(has_missing)
        self.prior = np.array(
            [*summary.weights[:-2], *[rare] * has_rare, *[missing] * has_missing], dtype=np.float64
        )
        self.is_bin = np.zeros(self.width, dtype=bool)
        self.drawable = np.ones(self.width, dtype=bool)
        if self.width > int(has_rare):
            self.drawable[self._rare : self._missing] = False
        self._cells = np.empty(self.width, dtype=object)
        self._cells[: self._rare] = list(self.levels)

    @property
    def is_missing(self) -> Bools:
        """Whether each code means "missing"."""
        return np.arange(self.width) >= self._missing

    def ranks(self) -> tuple[Floats, Floats]:
        """Categories have no order: one half for all, and no width."""
        return np.full(self.width, 0.5), np.zeros(self.width)

    def encode(self, cells: Objects, chances: Floats) -> tuple[Ints, Floats]:
        """Codes of ``cells``; unnamed levels become "rare". Where too few people have any, or a
        missing cell, for that to be known, these become any level, by its share and the row's
        chance (0 to 1)."""
        unknown = self._rare if self._missing > self._rare else -1
        factors, distinct = factorized(cells)
        index = {(type(level), level): i for i, level in enumerate(self.levels)}
        lookup = [index.get((type(level), level), unknown) for level in distinct]
        missing = self._missing if self.width > self._missing else unknown
        codes = np.array([*lookup, missing], dtype=np.int64)[factors]
        anything = codes < 0
        codes[anything], _ = any_codes(self.prior * self.drawable, chances[anything])
        return codes, np.full(len(cells), 0.5)

    def decode(self, codes: Ints, places: Floats) -> Objects:
        """Levels of ``codes``, None where missing."""
        cells: Objects = self._cells[codes]
        return cells

    def steps(self, codes: Ints, places: Floats) -> Ints:
        """Categories have no places, so all are at step 0."""
        return np.zeros(len(codes), dtype=np.int64)

    def places(self, codes: Ints, steps: Ints, within: Floats) -> Floats:
        """Categories have no places."""
        return within

    @property
    def choices(self) -> tuple[Level, ...]:
        """The cells whose shares can be chosen, by code."""
        return self.levels

    def options(self, allowed: Allowed) -> Options:
        """The codes that ``allowed`` lets through."""
        codes = np.flatnonzero(self.drawable & allowed.admits(self._cells))
        return whole_codes(codes)


Codec = CategoryCodec | NumberCodec


def balanced(codec: Codec, shares: Shares) -> Floats:
    """Shares of the codes; what ``shares`` does not name shares what is left as before."""
    known: dict[object, int] = {(type(x), x): code for code, x in enumerate(codec.choices)}
    if codec.is_missing.any():
        known[type(None), None] = int(codec.is_missing.argmax())
    about = f"column {codec.column.name!r}"
    wanted = np.full(codec.width, np.nan)
    for level, share in shares.items():
        if (type(level), level) not in known:
            raise ConditionError(
                f"{about}: no training row has a level that balance names"
                + ("" if level is not None else ", missing cells")
            )
        wanted[known[type(level), level]] = share
    open_codes = np.isnan(wanted) & codec.drawable
    left = max(1 - float(np.nansum(wanted)), 0.0)
    rest = codec.prior * open_codes
    found = np.nan_to_num(wanted)
    if rest.sum() > 0:
        found = found + left * rest / rest.sum()
    if not found.sum() > 0:
        raise ConditionError(f"{about}: no level is left to be drawn")
    result: Floats = found / found.sum()
    return result
