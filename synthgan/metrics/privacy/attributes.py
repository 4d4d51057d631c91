"""Attribute inference: can an attacker guess a cell of a training row from its other cells?

Someone who knows all of a person's row but one cell looks up the closest synthetic row and
takes its cell for the secret. Much of that is knowledge of people in general, which is what a
table is for; so the same guess is made for held-out rows, and only what the training rows lose
beyond these counts. Success means that rows were memorised, failure means nothing (Yao et al.
2025, "The DCR Delusion"): the attacker is a simple one. Only differential privacy gives a
guarantee.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from synthgan._typing import Bools, Ints
from synthgan.metrics.columns import Cells, recode
from synthgan.metrics.measure import Estimate, Findings, Goal, LeftOut, Measure
from synthgan.metrics.points import Points
from synthgan.metrics.privacy.space import Ground, affordable, baseline_of, no_holdout
from synthgan.metrics.privacy.worst import largest, z_of
from synthgan.metrics.tables import Tables

_SECRETS = 12
_QUERIES = 2_000  # training rows, and as many held-out ones
_SYNTHETIC_ROWS = 20_000
_BASELINE_ROWS = 5_000
_SLICE = 500
_TOLERANCE = 0.05  # standard deviations


def attribute_findings(tables: Tables) -> Findings:
    """``attribute``: what training rows lose to a guesser beyond held-out rows, for each secret.

    For up to twelve columns (drawn at random if more vary) the secret of a row is guessed from
    its other cells: it is that of the closest of up to 20,000 synthetic rows. A guess is right
    if the levels are equal, or the numbers within .05 standard deviations; rows without the
    secret are not asked. With shares right of r_train among up to 2,000 training rows and
    r_control among as many held-out ones, the figure in percent is 100 times
    (r_train - r_control) / (1 - r_control), as in Giomi et al. 2023, "A Unified Framework for
    Quantifying Privacy Risk in Synthetic Data", not cut at 0; 100 means that every row is
    guessed, 0 (the floor) that training rows are no worse off than others. The interval is a
    normal one of the log of the ratio of misses.
    The closest row is asked instead of a model, since a model learns what holds for people in
    general, and forgets the single row that was memorised.

    The line of the whole table is the largest of all secrets, with an interval for the largest
    (Bonferroni). Above 0: rows were memorised. At 0: nothing is shown.
    """
    if tables.holdout is None:
        return no_holdout("attribute attacks")
    ground = Ground.of(tables, tables.holdout)
    rng = tables.rng("attribute")
    secrets = _secrets(ground, rng)
    if not secrets or len(ground.columns.names) < 2:
        why = "that takes two columns, one of them with two values"
        return Findings(left_out=(LeftOut(what="attribute attacks", why=why),))
    rows = min(len(tables.train), len(tables.holdout), affordable(_QUERIES, ground.width))
    victims, control = tables.train.pick(rows, rng), tables.holdout.pick(rows, rng)
    made = tables.made.pick(affordable(_SYNTHETIC_ROWS, ground.width), rng)
    found = _attack(ground, secrets, made, (victims, control))
    independent = tables.independent.pick(affordable(_BASELINE_ROWS, ground.width), rng)
    naive = _attack(ground, secrets, independent, (victims, control))
    behind = min(len(independent), rows)
    lines = [
        _line(found[name], naive[name], columns=(name,), rows=len(made), behind=behind)
        for name in secrets
    ]
    worst = _worst(found, naive, rows=len(made), behind=behind)
    return Findings(measures=(worst, *lines))


class _Hits(NamedTuple):
    """Guesses that were right, and guesses made."""

    right: int
    of: int

    @property
    def share(self) -> float:
        return self.right / self.of


@dataclass(frozen=True, kw_only=True)
class _Excess:
    """How well a secret is guessed among training rows and among held-out rows."""

    train: _Hits
    control: _Hits

    def estimate(self, comparisons: int = 1) -> Estimate:
        """Excess success; the interval is one of ``comparisons`` simultaneous ones."""
        if not self.train.of or not self.control.of or self.control.right == self.control.of:
            return Estimate.undefined()
        value = 1 - (1 - self.train.share) / (1 - self.control.share)
        # A hit and a miss more on either side keep the spread from vanishing.
        sides = [(hits.of - hits.right + 1, hits.of + 2) for hits in (self.train, self.control)]
        spread = math.sqrt(sum(1 / misses - 1 / asked for misses, asked in sides))
        (a, n), (b, m) = sides
        middle, half = math.log(a / n) - math.log(b / m), z_of(comparisons) * spread
        low, high = 1 - math.exp(middle + half), 1 - math.exp(middle - half)
        return Estimate(value, min(low, value), max(high, value))

    @property
    def note(self) -> str:
        if not self.train.of or not self.control.of:
            return "no row to ask has a value"
        if self.control.right == self.control.of:
            return "every held-out row is guessed: training rows have nothing more to lose"
        return (
            f"right for {100 * self.train.share:.1f} % of {self.train.of:,} training and "
            f"{100 * self.control.share:.1f} % of {self.control.of:,} held-out rows"
        )


def _line(
    found: _Excess, naive: _Excess, *, columns: tuple[str, ...], rows: int, behind: int
) -> Measure:
    return Measure(
        key="attribute",
        name="Secrets guessed beyond those of held-out rows",
        estimate=found.estimate().scaled(100),
        goal=Goal.LOW,
        unit="%",
        floor=Estimate(0.0, 0.0, 0.0),
        baseline=baseline_of(naive.estimate().scaled(100), behind),
        columns=columns,
        rows=rows,
        note=found.note,
    )


def _worst(
    found: dict[str, _Excess], naive: dict[str, _Excess], *, rows: int, behind: int
) -> Measure:
    estimate, baseline = (
        largest([each.estimate(len(side)) for each in side.values()]) for side in (found, naive)
    )
    defined = estimate.value == estimate.value
    most = max(each.train.of for each in found.values())
    return Measure(
        key="attribute",
        name="Secrets guessed beyond those of held-out rows",
        estimate=estimate.scaled(100),
        goal=Goal.LOW,
        unit="%",
        floor=Estimate(0.0, 0.0, 0.0),
        baseline=baseline_of(baseline.scaled(100), behind),
        rows=rows,
        note=f"the largest of {len(found)} secrets, and its interval says so; at most "
        f"{most:,} training and as many held-out rows"
        if defined
        else "no secret is left to guess among held-out rows",
    )


def _secrets(ground: Ground, rng: np.random.Generator) -> list[str]:
    """Columns that vary, twelve of them at most, in table order."""
    names = []
    for name in ground.columns.names:
        if name in ground.columns.levels:
            varies = len(ground.columns.levels[name]) > 1
        else:
            numbers = ground.real.numbers[name]
            present = numbers[~np.isnan(numbers)]
            varies = bool((present != present[:1]).any())
        if varies:
            names.append(name)
    if len(names) <= _SECRETS:
        return names
    return [names[i] for i in sorted(rng.choice(len(names), _SECRETS, replace=False))]


def _attack(
    ground: Ground, secrets: list[str], made: Cells, asked: tuple[Cells, Cells]
) -> dict[str, _Excess]:
    """Success with each secret, among the rows of both tables ``asked``."""
    places = [_closest(ground, secrets, made, cells) for cells in asked]
    return {
        name: _Excess(
            train=_hits(ground, name, made, asked[0], places[0][name]),
            control=_hits(ground, name, made, asked[1], places[1][name]),
        )
        for name in secrets
    }


def _closest(ground: Ground, secrets: list[str], made: Cells, asked: Cells) -> dict[str, Ints]:
    """For each secret, the synthetic row that is closest in all other columns.

    The squared distance in all columns is taken once, and that in the secret taken off.
    """
    whole = ground.embedding()
    points, queries = whole(made), whole(asked)
    parts = {}
    for name in secrets:
        part = ground.embedding((name,))
        parts[name] = part(made), part(asked)
    places = {name: np.empty(len(asked), dtype=np.int64) for name in secrets}
    for start in range(0, len(asked), _SLICE):
        rows = slice(start, start + _SLICE)
        gaps = _gaps(points, queries[rows])
        for name, (theirs, own) in parts.items():
            places[name][rows] = (gaps - _gaps(theirs, own[rows])).argmin(axis=1)
    return places


def _gaps(points: Points, queries: Points) -> Points:
    """Squared distances (queries, points), less what depends on the query alone."""
    gaps: Points = queries @ (-2 * points.T)
    gaps += np.square(points).sum(axis=1)
    return gaps


def _hits(ground: Ground, name: str, made: Cells, asked: Cells, places: Ints) -> _Hits:
    right, present = _right(ground, name, made, asked, places)
    return _Hits(int((right & present).sum()), int(present.sum()))


def _right(
    ground: Ground, name: str, made: Cells, asked: Cells, places: Ints
) -> tuple[Bools, Bools]:
    """Which guesses are right, and which rows have the secret."""
    if name in asked.numbers:
        truth, guess = asked.numbers[name], made.numbers[name][places]
        within = _TOLERANCE * float(np.nanstd(ground.real.numbers[name]))
        return np.abs(guess - truth) <= within, ~np.isnan(truth)
    levels = ground.columns.levels[name]
    codes = recode(asked.categories[name], levels, -1, -1)
    guesses = recode(made.categories[name], levels, -2, -2)[places]
    return codes == guesses, codes >= 0
