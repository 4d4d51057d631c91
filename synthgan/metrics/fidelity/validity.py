"""What real rows always or never do: values, ranges and rules that synthetic rows should keep.

A rule counts only if it could be broken: columns drawn independently must break it often, so
that real rows do not keep it by chance.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthgan._typing import Bools, Floats, Ints
from synthgan.metrics.columns import Cells, recode
from synthgan.metrics.fidelity.constraints import Rule, Values, find_rules
from synthgan.metrics.measure import Estimate, Findings, Goal, Measure
from synthgan.metrics.tables import Tables

_PERCENT = 100.0
_RARE_SHARE = 0.01
_RARE_ROWS = 5
_WORST_RULES = 20


def rule_findings(tables: Tables) -> Findings:
    """``rare_coverage``, ``out_of_range``, ``duplicates`` and ``broken_rules``, all in percent.

    - ``rare_coverage``: share of the rare levels of train (below 1 % of its rows, at least 5)
      that some synthetic row holds; all, then by column. Floor: what as many fresh real rows
      would hold, a level of share p with probability 1 - (1 - p)^n; columns drawn independently
      hold as many. Wilson interval.
    - ``out_of_range``: share of the cells beyond the extremes of train (without a holdout: of
      one half of it), with a level that it does not have, or missing in a column that it has
      filled. Interval by the delta method.
    - ``duplicates``: share of rows that repeat an earlier one of the same table. Real tables
      have some, and more the more rows there are; all candidates are equally long.
    - ``broken_rules``: share of rows that break a rule which all rows of train keep; then the
      rules that are broken most. Wilson interval. The floor is the share of held-out rows that
      break one: a rule that so many rows keep may still be no law. Without a holdout, rules are
      those of one half of train, and the floor is that of the other. Rules: a number or a date
      is never above another; one column of few values decides another; where one column is
      missing, another is too.

    Where nothing was found among n rows, intervals are those of Clopper and Pearson.
    """
    measures = (
        *_rare_coverage(tables),
        *_out_of_range(tables),
        _duplicates(tables),
        *_broken_rules(tables),
    )
    return Findings(measures=measures)


# --- rare levels ------------------------------------------------------------------------


def _rare_coverage(tables: Tables) -> list[Measure]:
    lines, held, chances = [], [], []
    for name in tables.train.categories:
        there, chance = _rare_levels(tables, name)
        if len(there):
            lines.append(_rare_line(there, chance, (name,), len(tables.synthetic)))
            held.append(there)
            chances.append(chance)
    if not lines:
        held, chances = [np.zeros(0, dtype=bool)], [np.zeros(0)]
    whole = (np.concatenate(held), np.concatenate(chances))
    return [_rare_line(*whole, (), len(tables.synthetic)), *lines]


def _rare_levels(tables: Tables, name: str) -> tuple[Bools, Floats]:
    """Which rare levels the synthetic rows hold, and how likely as many real rows would."""
    levels = tables.columns.levels[name]
    counts, made = (
        np.bincount(codes, minlength=len(levels) + 1)[: len(levels)]
        for codes in (
            recode(side.categories[name], levels, len(levels), len(levels))
            for side in (tables.train, tables.synthetic)
        )
    )
    shares = counts / len(tables.train)
    rare = (shares < _RARE_SHARE) & (counts >= _RARE_ROWS)
    return made[rare] > 0, 1 - (1 - shares[rare]) ** len(tables.synthetic)


def _rare_line(there: Bools, chance: Floats, about: tuple[str, ...], rows: int) -> Measure:
    number = len(there)
    floor = Estimate.undefined()
    if number:
        doubt = np.sqrt(chance * (1 - chance)) / number
        floor = Estimate.from_influence(float(chance.mean()), doubt, least=0.0, most=1.0)
    return Measure(
        key="rare_coverage",
        name="Rare levels that are there",
        estimate=Estimate.from_share(float(there.sum()), number).scaled(_PERCENT),
        goal=Goal.HIGH,
        unit="%",
        floor=floor.scaled(_PERCENT),
        baseline=floor.scaled(_PERCENT),
        columns=about,
        rows=rows,
        note=f"{number:,} rare level{'s' * (number > 1)}" if number else "there are no rare levels",
    )


# --- ranges -----------------------------------------------------------------------------


def _out_of_range(tables: Tables) -> list[Measure]:
    names = tables.columns.names
    known, fresh = _known_and_fresh(tables)
    made, floor, baseline = (
        {name: _outside(known, side, name) for name in names}
        for side in (tables.synthetic, fresh, tables.independent)
    )
    return [
        Measure(
            key="out_of_range",
            name="Cells out of range",
            estimate=_share(made, about),
            goal=Goal.LOW,
            unit="%",
            floor=_share(floor, about),
            baseline=_share(baseline, about),
            columns=about,
            rows=len(tables.synthetic),
        )
        for about in ((), *((name,) for name in names))
    ]


def _outside(known: Cells, cells: Cells, name: str) -> Bools:
    """Which cells are not like any of the column in ``known``: (rows,)."""
    if name in known.numbers:
        held, x = known.numbers[name], cells.numbers[name]
        missing, filled = np.isnan(x), held[~np.isnan(held)]
        low, high = (filled.min(), filled.max()) if len(filled) else (np.inf, -np.inf)
        beyond = (x < low) | (x > high)
        has_holes = len(filled) < len(held)
    else:
        column = known.categories[name]
        levels = np.asarray(column.categories, dtype=object)[
            np.unique(column.codes[column.codes >= 0])
        ]
        codes = recode(cells.categories[name], levels, -1, -2)
        missing, beyond = codes == -2, codes == -1
        has_holes = bool((column.codes < 0).any())
    outside: Bools = beyond if has_holes else beyond | missing
    return outside


def _share(outside: dict[str, Bools], about: tuple[str, ...]) -> Estimate:
    """Share of the cells, percent; of the columns ``about``, or all."""
    rows = np.mean([outside[name] for name in about or outside], axis=0)
    return _percent(float(rows.mean()), rows)


def _percent(value: float, rows: Floats) -> Estimate:
    """The mean of ``rows``, each from 0 to 1; if no row has any, at most one in so many has."""
    if value == 0:
        return Estimate.from_count(0, len(rows)).scaled(_PERCENT)
    influence = (rows - rows.mean()) / len(rows)
    return Estimate.from_influence(value, influence, least=0.0, most=1.0).scaled(_PERCENT)


# --- duplicates -------------------------------------------------------------------------


def _duplicates(tables: Tables) -> Measure:
    made, real, independent = (
        _repeated(tables, side) for side in (tables.synthetic, tables.real, tables.independent)
    )
    return Measure(
        key="duplicates",
        name="Rows that repeat another",
        estimate=made,
        goal=Goal.NONE,
        unit="%",
        floor=real,
        baseline=independent,
        rows=len(tables.synthetic),
        note="to be like that of real rows",
    )


def _repeated(tables: Tables, cells: Cells) -> Estimate:
    """Share of the rows that repeat an earlier one."""
    _, groups, sizes = np.unique(_keys(tables, cells), return_inverse=True, return_counts=True)
    value = 1 - len(sizes) / len(cells)
    # Without a row of a group of equal ones, there is one repeat less.
    return _percent(value, (sizes[groups] > 1).astype(np.float64))


def _keys(tables: Tables, cells: Cells) -> Ints:
    """One number a row; rows are equal if theirs is."""
    keys = np.zeros(len(cells), dtype=np.int64)
    for name in tables.columns.names:
        if name in cells.numbers:
            values = cells.numbers[name]
            codes = np.unique(values, return_inverse=True)[1]
        else:
            codes = cells.categories[name].codes.astype(np.int64)
        # Codes of what the columns so far say stay below the number of rows.
        keys = pd.factorize(keys * (int(codes.max()) + 2) + codes + 1)[0].astype(np.int64)
    return keys


# --- rules ------------------------------------------------------------------------------


def _broken_rules(tables: Tables) -> list[Measure]:
    known, fresh = _known_and_fresh(tables)
    values = Values.of(tables.columns, known)
    rules = find_rules(values, known, tables.independent, tables.rng("rules"))
    broken = [
        _broken(rules, values, side) for side in (tables.synthetic, fresh, tables.independent)
    ]
    if not rules:
        return [_rule_line((), [Estimate.undefined()] * 3, tables, "no rule that all rows keep")]
    of = [len(tables.synthetic), len(fresh), len(tables.independent)]
    whole = [_broken_share(hits, rows) for (hits, _), rows in zip(broken, of, strict=True)]
    note = f"{len(rules):,} rule{'s' * (len(rules) > 1)}"
    lines = [_rule_line((), whole, tables, note)]
    for i in sorted(range(len(rules)), key=lambda i: -broken[0][1][i])[:_WORST_RULES]:
        shares = [_broken_share(hits[i], rows) for (_, hits), rows in zip(broken, of, strict=True)]
        lines.append(_rule_line(rules[i].columns, shares, tables, f"rule: {rules[i].text}"))
    return lines


def _rule_line(
    about: tuple[str, ...], estimates: list[Estimate], tables: Tables, note: str
) -> Measure:
    made, fresh, independent = estimates
    return Measure(
        key="broken_rules",
        name="Rows that break a rule",
        estimate=made,
        goal=Goal.LOW,
        unit="%",
        floor=fresh,
        baseline=independent,
        columns=about,
        rows=len(tables.synthetic),
        note=note,
    )


def _known_and_fresh(tables: Tables) -> tuple[Cells, Cells]:
    """Real rows that say what is usual, and others to see how usual it is."""
    if tables.holdout is not None:
        return tables.train, tables.holdout
    return tables.reference, tables.real


def _broken(rules: list[Rule], values: Values, cells: Cells) -> tuple[int, list[int]]:
    """Rows that break any of the rules, and each of them."""
    coded = values.read(cells)
    hit = np.zeros(len(cells), dtype=bool)
    counts = []
    for rule in rules:
        broken = rule.broken(coded)
        hit |= broken
        counts.append(int(broken.sum()))
    return int(hit.sum()), counts


def _broken_share(hits: int, rows: int) -> Estimate:
    share = Estimate.from_share(hits, rows) if hits else Estimate.from_count(0, rows)
    return share.scaled(_PERCENT)
