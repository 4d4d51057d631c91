"""Do the rows of a child table belong to those of its parent as they do in real tables?

Judges tables from any tool. As everywhere in the judge, one half of the real tables is what all
are held against, and the other half and a naive generator are judged beside the synthetic ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from synthgan._typing import Bools, Floats, Ints
from synthgan.columns.column import Column, Kind
from synthgan.columns.frame import check_frame
from synthgan.errors import SchemaError, TableError
from synthgan.metrics.columns import Columns
from synthgan.metrics.fidelity.pairs import trend_error
from synthgan.metrics.measure import Estimate, Goal, Measure
from synthgan.schema.foreign_key import ForeignKey
from synthgan.schema.infer import infer_columns
from synthgan.schema.schema import Schema

_MOST_ROWS = 50_000
_PERCENT = 100.0
_NAMES = {
    "integrity": "Rows of the child whose parent exists",
    "cardinality": "Numbers of children, likeness",
    "parent_trends": "Parent and child, likeness of pairs",
    "sibling_trends": "A row and the one before it, likeness of pairs",
}


def evaluate_tables(
    synthetic: Mapping[str, pd.DataFrame],
    *,
    real: Mapping[str, pd.DataFrame],
    key: ForeignKey | str,
    schemas: Mapping[str, Schema] | None = None,
    seed: int = 0,
) -> dict[str, Measure]:
    """How like the real ones are the links between a synthetic parent and its child, in percent.

    ``integrity``: rows of the child whose key is one of the parent. ``cardinality``: 100 less the
    Kolmogorov-Smirnov statistic of the numbers of children per parent. ``parent_trends``: 100
    less the mean of :func:`trend_error` over all pairs of a column of the parent and one of the
    child, on rows of the child. ``sibling_trends``: likewise over pairs of a column of a row and
    one of the row before it of the same parent, in the order of the child's first column of
    dates, or as they come.

    ``floor`` is the figure of real parents with their children; ``baseline`` that of real rows
    whose keys were shuffled (for ``cardinality``: drawn evenly). ``schemas`` say what the columns
    are; what they leave out is inferred from the real tables.

    Raises :class:`TableError` for tables that cannot be compared.
    """
    key = ForeignKey.parse(key, tuple(real)) if isinstance(key, str) else key
    for name, tables in (("synthetic", synthetic), ("real", real)):
        _check(tables, key, name)
    rng = np.random.default_rng(seed)
    links = _Links.of(real, key, schemas or {})
    parents, child = real[key.parent], real[key.child]
    half = np.zeros(len(parents), dtype=bool)
    half[rng.permutation(len(parents))[: len(parents) // 2]] = True
    keys = parents[key.primary_key]
    in_half = child[key.foreign_key].isin(keys[half]).to_numpy()
    in_rest = child[key.foreign_key].isin(keys[~half]).to_numpy()
    reference = _Side.of(parents[half], child[in_half], links)
    shuffled = child[in_rest].copy()
    shuffled[key.foreign_key] = rng.permutation(shuffled[key.foreign_key].to_numpy())
    evenly = _Side.of(parents[~half], shuffled, links)
    evenly = replace(evenly, counts=rng.poisson(len(shuffled) / (~half).sum(), (~half).sum()))
    sides = {
        "made": _Side.of(synthetic[key.parent], synthetic[key.child], links),
        "real": _Side.of(parents[~half], child[in_rest], links),
        "naive": evenly,
    }
    columns = reference.columns(links)
    figures = {name: side.figures(reference, columns) for name, side in sides.items()}
    return {
        each: Measure(
            key=each,
            name=name,
            estimate=figures["made"][each],
            goal=Goal.HIGH,
            unit="%",
            floor=figures["real"][each],
            baseline=figures["naive"][each],
            rows=len(synthetic[key.child]),
        )
        for each, name in _NAMES.items()
    }


def _check(tables: Mapping[str, pd.DataFrame], key: ForeignKey, what: str) -> None:
    for table, column in ((key.parent, key.primary_key), (key.child, key.foreign_key)):
        if table not in tables:
            raise TableError(f"the {what} tables lack {table!r}; they are {list(tables)}")
        check_frame(tables[table], f"the {what} table {table!r}")
        if column not in tables[table]:
            raise SchemaError(f"the {what} table {table!r} has no column {column!r}")
        if len(tables[table]) < 2:
            raise TableError(f"the {what} table {table!r} needs at least two rows")


@dataclass(frozen=True, eq=False, kw_only=True)
class _Links:
    """What is compared: columns of both tables, as the real ones have them."""

    key: ForeignKey
    parent: tuple[Column, ...]
    child: tuple[Column, ...]

    @classmethod
    def of(
        cls, real: Mapping[str, pd.DataFrame], key: ForeignKey, schemas: Mapping[str, Schema]
    ) -> _Links:
        found = []
        for table, column in ((key.parent, key.primary_key), (key.child, key.foreign_key)):
            schema = schemas.get(table) or infer_columns(real[table])
            found.append(tuple(c for c in schema if c.kind.is_modelled and c.name != column))
        return cls(key=key, parent=found[0], child=found[1])

    @property
    def order(self) -> Column | None:
        """The child's first column of dates."""
        return next((c for c in self.child if c.kind is Kind.DATETIME), None)


@dataclass(frozen=True, eq=False, kw_only=True)
class _Side:
    """A pair of tables, ready to be compared."""

    owners: Ints
    """Of each row of the child the place of its parent; -1 for none."""
    counts: Ints
    joined: pd.DataFrame
    """Rows of the child: columns of the parent, then its own."""
    siblings: pd.DataFrame
    """Rows that have one before them: columns of that one, then their own."""

    @classmethod
    def of(cls, parent: pd.DataFrame, child: pd.DataFrame, links: _Links) -> _Side:
        keys = pd.Index(parent[links.key.primary_key].astype(object))
        first = ~keys.duplicated()
        parent, keys = parent[first].reset_index(drop=True), keys[first]
        owners = keys.get_indexer(pd.Index(child[links.key.foreign_key].astype(object)))
        linked = child[owners >= 0].reset_index(drop=True)
        held = owners[owners >= 0]
        places = np.lexsort((_order(linked, links.order), held))
        linked, held = linked.iloc[places].reset_index(drop=True), held[places]
        own = _renamed(linked, links.child, "child")
        above = _renamed(parent, links.parent, "parent").iloc[held].reset_index(drop=True)
        later = np.flatnonzero(held[1:] == held[:-1]) + 1
        before = _renamed(linked, links.child, "previous").iloc[later - 1].reset_index(drop=True)
        return cls(
            owners=owners.astype(np.int64),
            counts=np.bincount(held, minlength=len(parent)),
            joined=pd.concat([above, own], axis=1),
            siblings=pd.concat([before, own.iloc[later].reset_index(drop=True)], axis=1),
        )

    def columns(self, links: _Links) -> tuple[Columns | None, Columns | None]:
        """What both kinds of pairs are compared by."""
        found = []
        for frame, others, what in (
            (self.joined, links.parent, "parent"),
            (self.siblings, links.child, "previous"),
        ):
            described = (
                *(replace(c, name=f"{what}: {c.name}") for c in others),
                *(replace(c, name=f"child: {c.name}") for c in links.child),
            )
            fit = len(frame) >= 2 and others and links.child
            found.append(Columns.of(frame, Schema(columns=described)) if fit else None)
        return found[0], found[1]

    def figures(
        self, real: _Side, columns: tuple[Columns | None, Columns | None]
    ) -> dict[str, Estimate]:
        """Of this side, held against the ``real`` one."""
        held: Bools = self.owners >= 0
        return {
            "integrity": _percent(Estimate.from_share(int(held.sum()), max(len(held), 1))),
            "cardinality": _only(_PERCENT * (1 - _ks(self.counts, real.counts))),
            "parent_trends": _trends(self.joined, real.joined, columns[0]),
            "sibling_trends": _trends(self.siblings, real.siblings, columns[1]),
        }


def _order(child: pd.DataFrame, order: Column | None) -> Floats:
    """By what rows of one parent are sorted; missing dates come last."""
    if order is None or child.empty:
        return np.zeros(len(child))
    columns = Columns(layout=(order,), levels={})
    return columns.read(child).numbers[order.name]


def _renamed(frame: pd.DataFrame, columns: tuple[Column, ...], what: str) -> pd.DataFrame:
    lacking = [c.name for c in columns if c.name not in frame]
    if lacking:
        raise TableError(f"a table lacks column {lacking[0]!r}; all need the same columns")
    return frame[[c.name for c in columns]].add_prefix(f"{what}: ")


def _ks(one: Ints, other: Ints) -> float:
    """The Kolmogorov-Smirnov statistic of two samples of whole numbers."""
    most = int(max(one.max(initial=0), other.max(initial=0))) + 1
    shares = [np.cumsum(np.bincount(each, minlength=most)) / len(each) for each in (one, other)]
    return float(np.abs(shares[0] - shares[1]).max())


def _trends(made: pd.DataFrame, real: pd.DataFrame, columns: Columns | None) -> Estimate:
    """Of pairs of a column of another row and one of the child's own, the mean likeness."""
    if columns is None or len(made) < 2:
        return Estimate.undefined()
    rows = [each.sample(min(len(each), _MOST_ROWS), random_state=0) for each in (real, made)]
    errors = trend_error(rows[0], rows[1], columns=columns)["error"]
    first, second = (errors.index.get_level_values(i).str.startswith("child: ") for i in (0, 1))
    across = errors[~first & second].dropna()
    return _only(_PERCENT - float(across.mean())) if len(across) else Estimate.undefined()


def _only(value: float) -> Estimate:
    return Estimate(value, np.nan, np.nan)


def _percent(share: Estimate) -> Estimate:
    return Estimate(*(_PERCENT * each for each in share))
