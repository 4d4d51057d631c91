"""Constraints that every row of a table keeps, and that would be broken by chance.

A rule is proposed only if columns drawn independently would break it in 1 % of the rows at
least, and in 30 of as many rows as there are; what another proposed rule implies is left out.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthgan.constraints.arithmetic import find_formulas, find_inequalities, find_steps
from synthgan.constraints.seen import Seen
from synthgan.people import Owners, distinct, owners_in
from synthgan.schema import (
    WORD_ROWS,
    Bands,
    Constraint,
    FixedCombinations,
    FixedNullCombinations,
    Hints,
    Kind,
    Level,
    MissingWhen,
    OneHot,
    Schema,
    Unique,
    infer_columns,
    refuse_doubts,
)
from synthgan.schema.constraints import plain_name

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_FEWEST = 100  # rows, and people
_TRUSTED = 5  # people that show which value another one decides
_MOSTLY = 0.5  # of the rows must have such a value
_MOST_BANDS = 50


def infer_schema(
    frame: pd.DataFrame,
    *,
    constraints: bool = True,
    word_rows: int = WORD_ROWS,
    entity: str | None = None,
    learn: Sequence[str] = (),
    identifiers: Sequence[str] = (),
    owners: Owners | None = None,
) -> Schema:
    """The schema of ``frame``, judged by its values: columns as :func:`infer_columns` tells
    them, with the constraints that :func:`discover_constraints` finds (if wanted). Words among
    numbers are named if at least ``word_rows`` rows have them, and values in constraints if they
    are of as many people: of ``owners`` (hashes, rows), or of the entity that columns tell.

    ``entity`` names the column that says whose row it is; without it, one is found where rows
    share one. Columns of ``learn`` are learned whatever they look like, and those of
    ``identifiers`` are not.

    Raises :class:`TableError` for a table without rows and :class:`SchemaError` (naming the
    column) for names that are no text or not unique, and for cells that cannot be modelled.
    """
    hints = Hints(entity=entity, learn=learn, identifiers=identifiers)
    schema, owners = _columns(frame, hints, word_rows, owners)
    if not constraints:
        return schema
    found = discover_constraints(frame, schema, enough=word_rows, owners=owners)
    return replace(schema, constraints=found)


def schema_to_fit(
    frame: pd.DataFrame, hints: Hints | None, *, least: int, owners: Owners | None = None
) -> Schema:
    """The schema that a fit of ``frame`` goes by where none was given. What ``least`` rows, or
    people, share may come out: ``owners`` (hashes, rows), or those of the entity.

    Raises as :func:`infer_schema`, and :class:`DoubtError` where it is in doubt whether a column
    is personal of which real values would come out.
    """
    hints = hints or Hints()
    schema, owners = _columns(frame, hints, least, owners)
    refuse_doubts(frame, schema, hints, least=least)
    found = discover_constraints(frame, schema, enough=least, owners=owners)
    return replace(schema, constraints=found)


def _columns(
    frame: pd.DataFrame, hints: Hints, enough: int, owners: Owners | None
) -> tuple[Schema, Owners | None]:
    """The columns, with words that ``enough`` people have, and whose rows they are."""
    schema = infer_columns(frame, word_rows=enough, hints=hints)
    if owners is None and schema.entity is not None:
        owners = owners_in(frame[schema.entity])
    if owners is not None:
        schema = _with_shared_words(schema, frame, owners, enough)
    return schema, owners


def _with_shared_words(schema: Schema, frame: pd.DataFrame, owners: Owners, enough: int) -> Schema:
    """The schema without the names of words that fewer than ``enough`` owners have."""
    columns = []
    for column in schema:
        if column.words is not None:
            cells = frame[column.name].astype(object)
            counts = {word: distinct(owners[(cells == word).to_numpy()]) for word in column.words}
            kept = tuple(word for word, count in counts.items() if count >= enough)
            column = replace(column, words=kept)
        columns.append(column)
    return replace(schema, columns=tuple(columns))


def discover_constraints(
    frame: pd.DataFrame,
    schema: Schema,
    *,
    enough: int = WORD_ROWS,
    owners: Owners | None = None,
) -> tuple[Constraint, ...]:
    """The constraints that hold in every row of ``frame`` and say more than its columns do.

    Functional dependencies, bands, formulas (a sum, a product, a ratio, a multiple), orders,
    one-hot groups, steps, patterns of missing cells, pairs that are unique. Fewer than 100
    rows show nothing. Values that a constraint names are of at least ``enough`` people: of
    ``owners`` (hashes, rows), or of the schema's entity; without either each row is somebody's.
    """
    if len(frame) < _FEWEST:
        return ()
    rng = np.random.default_rng(0)
    if owners is None and schema.entity is not None:
        owners = owners_in(frame[schema.entity])
    seen = Seen.of(frame, schema, rng, enough=enough, owners=owners)
    if seen.people < _FEWEST:
        return ()
    formulas = find_formulas(seen)
    dependencies = list(_dependencies(seen))
    orders = find_inequalities(seen, formulas, dependencies)
    found = [
        *dependencies,
        *_bands(seen),
        *formulas,
        *orders,
        *_one_hot(seen),
        *find_steps(seen),
        *_holes(seen),
        *_unique_pairs(seen),
    ]
    return tuple(found)


# --- functional dependencies ------------------------------------------------------------


def _dependencies(seen: Seen) -> Iterator[FixedCombinations]:
    """Columns that decide another one, as few constraints as say it all."""
    named = [name for name in seen.codes if _can_be_named(seen, name)]
    decides = {first: set[str]() for first in named}
    for first, second in itertools.permutations(named, 2):
        if _decides(seen, first, second):
            decides[first].add(second)
    groups: list[tuple[str, ...]] = []
    for name in decides:  # those that decide each other are one
        if not any(name in group for group in groups):
            groups.append((name, *(o for o in decides[name] if name in decides[o])))
    yield from (FixedCombinations(columns=_in_order(seen, g)) for g in groups if len(g) > 1)
    heads = [group[0] for group in groups]
    for first, second in itertools.permutations(heads, 2):
        if second in decides[first]:
            between = (o for o in heads if o in decides[first] and second in decides[o])
            if all(o == second for o in between):
                yield FixedCombinations(columns=(first, second))


def _can_be_named(seen: Seen, name: str) -> bool:
    """Whether enough people have each value of a number column: others have no code of their own,
    so that nothing could be said of them."""
    if name not in seen.numbers:
        return True
    people = seen.people_of(seen.codes[name], len(seen.levels[name]))
    return bool(people.min() >= seen.enough)


def _decides(seen: Seen, first: str, second: str) -> bool:
    """Whether rows with the same value of ``first`` share that of ``second``, and by no chance."""
    size = len(seen.levels[first])
    a, b = seen.codes[first], seen.codes[second]
    if size < len(seen.levels[second]) or _decided(a[seen.sample], b[seen.sample], size) is None:
        return False
    decided = _decided(a, b, size)
    if decided is None:
        return False
    held = (a >= 0) & (b >= 0)
    decided[seen.people_of(a, size, held) < _TRUSTED] = -1
    wanted = decided[a[held]]
    shares = np.bincount(b[held]) / max(held.sum(), 1)  # where the first says anything
    expected = (1 - shares[wanted[wanted >= 0]]).sum() / seen.rows
    return bool(expected >= seen.least and (wanted >= 0).mean() >= _MOSTLY)


def _decided(first: Ints, second: Ints, size: int) -> Ints | None:
    """What each value of ``first`` decides; None if some decides nothing."""
    held = (first >= 0) & (second >= 0)
    first, second = first[held], second[held]
    values = np.full(size, -1)
    values[first] = second
    if (values[first] != second).any():
        return None
    return values


# --- bands ------------------------------------------------------------------------------


def _bands(seen: Seen) -> Iterator[Bands]:
    """Codes that stand for stretches of a number of many values."""
    for of, numbers in seen.numbers.items():
        if of in seen.codes or seen.columns[of].kind is Kind.DATETIME:
            continue
        order = np.argsort(numbers[seen.sample])
        for name, codes in seen.codes.items():
            if len(seen.levels[name]) > _MOST_BANDS or seen.missing[name].any():
                continue
            sampled = codes[seen.sample][order]
            if (np.diff(sampled) != 0).sum() >= len(seen.levels[name]):
                continue
            band = _band(seen, name, of)
            if band is not None:
                yield band


def _band(seen: Seen, name: str, of: str) -> Bands | None:
    numbers, codes = seen.numbers[of], seen.codes[name]
    present = ~np.isnan(numbers)
    numbers, codes = numbers[present], codes[present]
    low = np.full(len(seen.levels[name]), np.inf)
    high = np.full(len(seen.levels[name]), -np.inf)
    np.minimum.at(low, codes, numbers)
    np.maximum.at(high, codes, numbers)
    counts = np.bincount(codes, minlength=len(low))
    people = seen.people_of(seen.codes[name], len(low), present)
    order = np.argsort(low)
    gaps = list(zip(high[order][:-1], low[order][1:], strict=True))
    trusted = max(_TRUSTED, seen.enough)
    if (people < trusted).any() or not all(below < above for below, above in gaps):
        return None
    shares = counts / counts.sum()
    if 1 - float((shares**2).sum()) < seen.least:
        return None
    values: list[Level] = [seen.levels[name][i] for i in order]
    cuts = tuple(_roundest(below, above) for below, above in gaps)
    for cut in cuts:  # a number that is some few people's cell would be told
        if 0 < seen.count(seen.numbers[of] == cut) < seen.enough:
            return None
    return Bands(column=name, of=of, cuts=cuts, values=tuple(values))


def _roundest(below: float, above: float) -> float:
    """The number with the fewest digits above ``below`` and not above ``above``."""
    unit = 10.0 ** np.ceil(np.log10(max(abs(below), abs(above), above - below)) + 1)
    for _ in range(30):
        number = float(f"{np.floor(above / unit) * unit:.12g}")
        if below < number <= above:
            return number
        unit /= 10
    return float(above)


# --- one-hot groups ---------------------------------------------------------------------


def _one_hot(seen: Seen) -> Iterator[OneHot]:
    names = [
        name
        for name, levels in seen.levels.items()
        if set(levels) <= {0, 1}
        and seen.columns[name].kind in (Kind.BOOLEAN, Kind.INTEGER, Kind.NUMBER)
        and not seen.missing[name].any()
    ]
    if len(names) < 2:
        return
    levels = {name: np.array(seen.levels[name], dtype=np.float64) for name in names}
    ones = np.stack([levels[name][seen.codes[name]] for name in names]).astype(np.float32)
    together = ones @ ones.T
    left = list(np.argsort(-ones.sum(axis=1)))
    while len(left) > 1:
        group = [left.pop(0)]
        for i in list(left):
            if not together[i, group].any():
                group.append(i)
                left.remove(i)
        counts = ones[group].sum(axis=1)
        full = counts.sum() == seen.rows
        expected = 1 - float(
            np.prod(1 - counts / seen.rows) * (1 + (counts / (seen.rows - counts + 1e-9)).sum())
        )
        if len(group) > 1 and (full or len(group) > 2) and expected >= seen.least:
            columns = tuple(names[i] for i in sorted(group))
            yield OneHot(columns=columns, or_none=not full)


# --- missing cells ----------------------------------------------------------------------


def _holes(seen: Seen) -> Iterator[MissingWhen | FixedNullCombinations]:
    counts = {name: int(holes.sum()) for name, holes in seen.missing.items()}
    names = [
        name
        for name, count in counts.items()
        if 0 < count < seen.rows and seen.columns[name].words is None
    ]
    explained = set()
    for name in names:
        found = next(_told_by_a_level(seen, name), None)
        if found is not None:
            explained.add(name)
            yield found
    left = [name for name in names if name not in explained]
    linked = {name: {name} for name in left}
    for a, b in itertools.combinations(left, 2):
        shares = counts[a] / seen.rows, counts[b] / seen.rows
        for (first, second), (p, q) in zip(((a, b), (b, a)), (shares, shares[::-1]), strict=True):
            alone = (seen.missing[first] & ~seen.missing[second]).any()
            if not alone and p * (1 - q) >= seen.least:
                group = linked[a] | linked[b]
                for each in group:
                    linked[each] = group
    done: set[str] = set()
    for name in left:
        if len(linked[name]) > 1 and name not in done:
            done |= linked[name]
            yield FixedNullCombinations(columns=_in_order(seen, linked[name]))


def _told_by_a_level(seen: Seen, name: str) -> Iterator[MissingWhen]:
    """Where ``name`` is missing exactly in the rows with one level of another column."""
    holes = seen.missing[name]
    share = float(holes.mean())
    if 2 * share * (1 - share) < seen.least:
        return
    first = int(np.argmax(holes))
    for other, codes in seen.codes.items():
        code = codes[first]
        known = seen.count(holes) >= seen.enough
        if known and other != name and code >= 0 and np.array_equal(codes == code, holes):
            level = seen.levels[other][code]
            yield MissingWhen(
                column=name, when=f"{plain_name(other)} == {_literal(seen, other, level)}"
            )


def _literal(seen: Seen, name: str, level: Level) -> str:
    kind = seen.columns[name].kind
    if kind is Kind.BOOLEAN:
        return "true" if level else "false"
    if kind is Kind.CATEGORY and isinstance(level, str):
        escaped = level.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return repr(int(level)) if float(level).is_integer() else repr(level)


# --- keys -------------------------------------------------------------------------------


def _unique_pairs(seen: Seen) -> Iterator[Unique]:
    """Pairs of columns that, together, name a row."""
    codes = {}
    for name, column in seen.columns.items():
        if column.kind in (Kind.NUMBER, Kind.BOOLEAN) or column.words is not None:
            continue
        if name in seen.codes:
            codes[name] = seen.codes[name]
        elif column.kind.is_numeric:
            codes[name] = pd.factorize(seen.numbers[name])[0].astype(np.int64)
    # Two rows are compared, never one with itself: a column of many values hardly ever clashes.
    alike = {name: _pairs_alike(each) for name, each in codes.items()}
    least = seen.least * seen.rows
    rng = np.random.default_rng(0)
    for a, b in itertools.combinations(codes, 2):
        if alike[a] * alike[b] * seen.rows * (seen.rows - 1) / 2 < least:
            continue
        keys = codes[a] * (int(codes[b].max()) + 2) + codes[b] + 1
        if not all(_repeats(part) == 0 for part in (keys[seen.sample], keys)):
            continue
        if _repeats(keys - codes[b] + rng.permutation(codes[b])) >= least:
            yield Unique(columns=(a, b))


def _pairs_alike(codes: Ints) -> float:
    """The share of all pairs of rows that have the same code; missing cells count as one."""
    counts = np.bincount(codes + 1).astype(np.float64)
    return float((counts * (counts - 1)).sum() / (len(codes) * (len(codes) - 1)))


def _repeats(keys: Ints) -> int:
    """Rows whose key another one has before them."""
    return len(keys) - len(np.unique(keys))


def _in_order(seen: Seen, names: set[str] | tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in seen.columns if name in names)
