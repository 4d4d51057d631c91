"""What happens to a table before it is fitted: lines are read, rows are set aside, and what is
public of its columns is told from it. A guarantee for the rows that are fitted is one for the
table only if one row more in the table is one row more among them.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import chi2

from synthgan.audit.awkward import Files, awkward_lines
from synthgan.audit.fits import Scene, heard, run
from synthgan.audit.report import Finding
from synthgan.audit.tables import UNIT
from synthgan.audit.variants import Coins, Variant
from synthgan.audit.watch import SEED, drawn
from synthgan.errors import SynthganError
from synthgan.privacy.noise import add_noise
from synthgan.schema.discover import infer_schema
from synthgan.table.read import take_table
from synthgan.table.split import split_table

_SPLITS = 60
_SEEDS_IF_TORN = 8  # so that some coins part what may be one line or two
_SHARE = 0.2  # of rows set aside where nobody says
_MOST_SAID = 4
_FAILED = b"the split has failed"

# Lines


def lines_are_rows(frame: pd.DataFrame, variant: Variant) -> list[Finding]:
    """Puts awkward lines into a CSV file, before and after all others: they may add one row and
    change nothing in the rows of the other lines."""
    most, worst = 0, []
    with Files.temporary() as folder:
        files = Files(folder=Path(folder))
        path = files.of("table", frame)
        before = _rows_in(path, variant)
        for name, line in awkward_lines(len(frame.columns)):
            for first in (True, False):
                more = files.with_line(path, "more", line, first=first)
                changed = _changed(before, _rows_in(more, variant), len(_lines_of(line)))
                most = max(most, changed)
                worst += [f"{changed} by {name}"] if changed else []
    return [
        Finding(
            check="lines: rows of others that one line of a file changes",
            variant=variant.name,
            measured=most,
            allowed=0,
            detail=_said(worst) or f"in a CSV file of {len(frame)} rows",
        )
    ]


def _rows_in(path: Path, variant: Variant) -> Counter[Any]:
    """All rows of a file, as a private fit reads them; none if it is not read, or not quietly."""
    with heard() as said:
        try:
            table = take_table(variant.read(path), "the table", as_text=True)
        except Exception as error:  # noqa: BLE001 -- whatever it is, it tells of a row
            return Counter({type(error).__name__: 1})
    if any(said):
        return Counter({"said": 1})
    cells = table.astype(object)
    return Counter(map(tuple, cells.where(cells.notna(), None).to_numpy().tolist()))


def _changed(before: Counter[Any], after: Counter[Any], lines: int) -> int:
    """How many rows of others have changed if each of ``lines`` may have added one of its own."""
    lost, new = (before - after).total(), (after - before).total()
    return max(lost, new - lines)


def _lines_of(text: bytes) -> list[bytes]:
    """Physical lines, however they end."""
    return re.split(b"\r\n|\r|\n", text.removesuffix(b"\n").removesuffix(b"\r"))


# Splits


def split_by_coins(frame: pd.DataFrame, variant: Variant, alpha: float) -> list[Finding]:
    """Whether each row, or each person, is set aside by a secret coin of its own.

    With the coins frozen, a row more may move no other row to the other part. And without: the
    number of rows set aside must spread as that of coins does, which a share that is met exactly,
    or a seed, does not.
    """
    last = frame.iloc[[0]].reset_index(drop=True)
    longer = pd.concat([frame, last], ignore_index=True)
    person = pd.DataFrame({**{c: frame[c][:3] for c in frame}, UNIT: "somebody new"})
    of_people = frame.assign(**{UNIT: [f"p{i % (len(frame) // 4)}" for i in range(len(frame))]})
    with_person = pd.concat([person, of_people], ignore_index=True)
    moved = {
        "one row more": _moved(variant, frame, longer, None, 0),
        "one person more, before all others": _moved(variant, of_people, with_person, UNIT, 3),
    }
    spread = {
        "rows": _improbable(variant, frame, None, len(frame)),
        "people": _improbable(variant, of_people, UNIT, len(frame) // 4),
    }
    return [
        Finding(
            check="split: rows of others that one row more moves",
            variant=variant.name,
            measured=max(moved.values()),
            allowed=0,
            detail=", ".join(f"{count} by {name}" for name, count in moved.items()),
        ),
        Finding(
            check="split: how improbable its spread is for secret coins",
            variant=variant.name,
            measured=max(spread.values()),
            allowed=-math.log10(alpha),
            detail=f"minus the decimal logarithm of the chance; {_SPLITS} splits each of "
            + ", ".join(f"{name}: {value:.2g}" for name, value in spread.items()),
        ),
    ]


def _moved(
    variant: Variant, less: pd.DataFrame, more: pd.DataFrame, by: str | None, before: int
) -> int:
    """How many rows of ``less``, of which ``more`` has some before and behind, change sides."""
    asides = []
    for frame in (less, more):
        numbered = frame.reset_index(drop=True)
        asides.append(set(variant.split(numbered, by, _frozen_coins())[1].index))
    one, other = asides[0], {row - before for row in asides[1]}
    return len({row for row in one ^ other if 0 <= row < len(less)})


def _frozen_coins(seed: int = 0) -> Coins:
    return np.random.default_rng([23, seed]).bytes


def _improbable(variant: Variant, frame: pd.DataFrame, by: str | None, count: int) -> float:
    """Minus the decimal logarithm of the chance that coins spread as little, or as much."""
    sizes = []
    for _ in range(_SPLITS):
        aside = variant.split(frame, by, os.urandom)[1]
        sizes.append(len(aside) if by is None else aside[by].nunique())
    spread = np.var(sizes, ddof=1) * (_SPLITS - 1) / (count * _SHARE * (1 - _SHARE))
    tails = [float(chi2.cdf(spread, _SPLITS - 1)), float(chi2.sf(spread, _SPLITS - 1))]
    return -math.log10(max(2 * min(tails), 1e-300))


def seeds_are_refused(frame: pd.DataFrame, scene: Scene) -> list[Finding]:
    """Whether a private fit refuses a part of a table that was split by a seed."""
    part, _ = split_table(frame, seed=SEED)
    error = run(scene.variant.unmarked(part), scene, drawn(add_noise)).error
    refused = isinstance(error, SynthganError) and "split" in str(error)
    return [
        Finding(
            check="split: fits of a part that a seed has chosen",
            variant=scene.variant.name,
            measured=1 - refused,
            allowed=0,
            detail="refused" if refused else "fitted as if all its rows were",
        )
    ]


def files_are_split_by_lines(
    frame: pd.DataFrame, lines: Iterable[tuple[str, bytes]], variant: Variant
) -> list[Finding]:
    """Splits CSV files to which one of ``lines`` (each with a name) was added: lines are copied as
    they are, with frozen coins no other one goes to the other part, and a private fit of the
    parts reads the same rows of the other lines."""
    changed: dict[str, int] = {}
    with Files.temporary() as folder:
        files = Files(folder=Path(folder))
        path = files.of("table", frame)
        before, rows = _parts_of(path, variant), _rows_in(path, variant)
        for name, line in [("nothing", b""), *lines]:
            behind = files.with_line(path, "more", line, first=False) if line else path
            after = _parts_of(behind, variant)
            written = Counter(_lines_of(behind.read_bytes())[1:])
            moved = sum((one - two).total() for one, two in zip(before, after, strict=True))
            foreign = (sum(after, Counter()) - written).total()
            front = files.with_line(path, "more", line, first=True) if line else path
            pieces = len(_lines_of(line))
            torn = [
                _changed(rows, _rows_of_parts(front, variant, seed), pieces)
                for seed in range(_SEEDS_IF_TORN if pieces > 1 else 1)
            ]
            changed[name] = max(moved, foreign, *torn)
    worst = [f"{count} with {name}" for name, count in changed.items() if count]
    return [
        Finding(
            check="split: lines of a file that are changed or moved",
            variant=variant.name,
            measured=max(changed.values()),
            allowed=0,
            detail=_said(worst) or f"in a CSV file of {len(frame)} rows",
        )
    ]


def _rows_of_parts(path: Path, variant: Variant, seed: int) -> Counter[Any]:
    """The rows of both parts, as a private fit reads them."""
    if _parts_of(path, variant, seed)[0].keys() == {_FAILED}:
        return Counter()
    parts = path.with_name("train.csv"), path.with_name("holdout.csv")
    return sum((_rows_in(part, variant) for part in parts), Counter())


def _parts_of(path: Path, variant: Variant, seed: int = 0) -> tuple[Counter[bytes], Counter[bytes]]:
    """The lines of both parts, but for their header."""
    parts = path.with_name("train.csv"), path.with_name("holdout.csv")
    try:
        variant.split_file(path, *parts, _frozen_coins(seed))
        first, other = (Counter(_lines_of(each.read_bytes())[1:]) for each in parts)
    except Exception:  # noqa: BLE001 -- whatever it is, it tells of a row
        return Counter({_FAILED: 1}), Counter()
    return first, other


# What is declared


def declared_alike(variant: Variant) -> list[Finding]:
    """What is declared to be public, of two tables of one form whose cells have nothing in
    common: names, kinds, dtypes and formats, and so the same."""
    told = [variant.declare(infer_schema(table, constraints=False)) for table in _of_one_form()]
    plain = [json.loads(each.to_json())["columns"] for each in told]
    different = [
        f"{one['name']}: {key}"
        for one, other in zip(*plain, strict=True)
        for key in {**one, **other}
        if one.get(key) != other.get(key)
    ]
    return [
        Finding(
            check="declared: what cells tell of columns beyond their form",
            variant=variant.name,
            measured=len(different),
            allowed=0,
            detail=_said(different) or f"{len(plain[0])} columns are declared alike",
        )
    ]


def _of_one_form() -> Iterator[pd.DataFrame]:
    """Two tables of one form, of cells that differ in all that --declare must not take along."""
    rng = np.random.default_rng(24)
    for rows, low, words, levels, prefix, empty in (
        (400, 0, ("HIV-positive",), ("low", "high", "somebody's own"), "PX", True),
        (700, 5_000, ("refused", "unknown"), ("b", "a"), "QZ", False),
    ):
        numbers = rng.integers(low, low + 5_000, rows)
        amount = numbers.astype(str).astype(object)
        amount[: 30 * len(words)] = np.repeat(words, 30)
        stage = pd.Categorical(rng.choice(levels, rows), categories=levels, ordered=True)
        pay = numbers / 100 + 0.01
        yield pd.DataFrame(
            {
                "code": [f"{prefix}-{i:05d}" for i in rng.permutation(rows)],
                "amount": amount,
                "stage": stage,
                "job": rng.choice(levels, rows),
                "pay": np.where(empty & (rng.random(rows) < 0.1), np.nan, pay),
                "day": [f"20{10 + n % 9}-03-{1 + n % 27:02d}" for n in numbers],
                "member": rng.choice(["no", "yes"], rows),
            }
        )


def _said(worst: list[str]) -> str:
    more = len(worst) - _MOST_SAID
    return ", ".join(worst[:_MOST_SAID]) + (f", and {more} more" if more > 0 else "")
