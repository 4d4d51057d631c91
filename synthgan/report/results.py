"""The figures of a report, without words: sections, what was compared, failures."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Literal

from synthgan.metrics.catalog import HEADLINES
from synthgan.metrics.measure import Estimate, Findings, Measure, Replay


def compared(about: About) -> str:
    """What was compared, in a sentence."""
    held = "no" if about.holdout_rows is None else f"{about.holdout_rows:,}"
    return (
        f"{about.synthetic_rows:,} synthetic rows against {about.train_rows:,} training rows and "
        f"{held} held-out rows, {about.columns} columns"
    )


SectionKey = Literal["fidelity", "utility", "privacy"]

INTERNAL = (
    "Internal: computed on real rows, not for publication. Published figures of real rows help "
    "to reconstruct them; hand out the card instead."
)


@dataclass(frozen=True, kw_only=True)
class Section:
    """One question to the synthetic table, and what was found."""

    key: SectionKey
    title: str
    verdict: tuple[str, ...]
    """The answer in sentences, the most important first."""
    advice: tuple[str, ...]
    """What to do about what was found."""
    findings: Findings

    @property
    def replays(self) -> tuple[Replay, ...]:
        """Columns by how far real values come out again beyond chance, the worst first."""
        rung = {"replayed": 0, "chance": 1, "counting": 1, "nothing": 2}
        return tuple(
            sorted(
                self.findings.replays,
                key=lambda each: (rung[each.verdict], each.chance - each.share, each.column),
            )
        )

    @property
    def headlines(self) -> tuple[Measure, ...]:
        """The measures of the whole table that say most, the most important first."""
        whole = {each.key: each for each in self.findings.measures if not each.columns}
        return tuple(whole[key] for key in HEADLINES[self.key] if key in whole)


@dataclass(frozen=True, kw_only=True)
class About:
    """What was compared."""

    version: str
    """Of SynthGAN."""
    synthetic_rows: int
    train_rows: int
    holdout_rows: int | None
    looked_at: int
    """Rows a table that were looked at, at most; copies are looked for among all."""
    columns: int
    """Columns compared."""
    skipped: tuple[str, ...]
    """Identifiers, free text and columns that the real table lacks: not compared."""
    target: str | None
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A figure that is not what was asked for."""

    key: str
    limit: float
    what: str
    """In words."""


def line(section: str, each: Measure) -> dict[str, object]:
    return {
        "section": section,
        "key": each.key,
        "name": each.name,
        "columns": " & ".join(each.columns),
        **_bounds("value", each.estimate),
        **_bounds("floor", each.floor or Estimate.undefined()),
        **_bounds("baseline", each.baseline or Estimate.undefined()),
        "goal": each.goal.value,
        "unit": each.unit,
        "rows": each.rows,
        "note": each.note,
    }


def _bounds(name: str, estimate: Estimate) -> dict[str, float]:
    before = "" if name == "value" else f"{name}_"
    return {name: estimate.value, f"{before}low": estimate.low, f"{before}high": estimate.high}


def section_of(section: Section) -> dict[str, object]:
    return {
        "key": section.key,
        "title": section.title,
        "verdict": list(section.verdict),
        "advice": list(section.advice),
        "measures": [_plain(each) for each in section.findings.measures],
        "curves": [asdict(each) for each in section.findings.curves],
        "left_out": [asdict(each) for each in section.findings.left_out],
        "replays": [asdict(each) for each in section.replays],
    }


def _plain(each: Measure) -> dict[str, object]:
    return {
        "key": each.key,
        "name": each.name,
        "columns": list(each.columns),
        "goal": each.goal.value,
        "unit": each.unit,
        "estimate": _numbers(each.estimate),
        "floor": _numbers(each.floor),
        "baseline": _numbers(each.baseline),
        "rows": each.rows,
        "note": each.note,
    }


def _numbers(estimate: Estimate | None) -> dict[str, float | None] | None:
    """JSON has no NaN."""
    if estimate is None or math.isnan(estimate.value):
        return None
    return {
        name: value if math.isfinite(value) else None for name, value in estimate._asdict().items()
    }
