"""Reports of several generators on one split, side by side, with what each took."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from markupsafe import Markup

from synthgan.files import write_by_ending
from synthgan.metrics.catalog import HEADLINES
from synthgan.metrics.measure import Measure
from synthgan.report.page.strips import Strip, strips
from synthgan.report.page.templates import read, template
from synthgan.report.report import Report
from synthgan.report.results import INTERNAL, compared


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One generator: how its rows were judged, and what it took to get them."""

    name: str
    report: Report
    parameters: int
    """Numbers that it has learned: weights, counts, shares."""
    fit_seconds: float
    """Wall time of learning."""
    sample_seconds: float
    """Wall time of drawing as many rows as were learned."""
    memory_mib: float | None
    """How far resident memory rose while it learned and drew, at most; None where the system
    does not tell."""
    notes: tuple[str, ...] = ()
    """What happened in training."""

    @property
    def cost(self) -> dict[str, str]:
        """What it took, in words, by what is told."""
        memory = "" if self.memory_mib is None else f"{self.memory_mib:,.0f} MiB"
        return {
            "learning": _seconds(self.fit_seconds),
            "drawing": _seconds(self.sample_seconds),
            "memory": memory,
            "numbers learned": f"{self.parameters:,}",
        }


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Comparison:
    """A leaderboard of generators. Made by :func:`synthgan.compare`.

    It is computed on real rows and is for their owner.
    """

    entries: tuple[Entry, ...]
    """Best first, by how far rows can be told from real ones (C2ST)."""

    def __repr__(self) -> str:
        return f"Comparison({', '.join(entry.name for entry in self.entries)})"

    def __getitem__(self, name: str) -> Entry:
        """The entry of a generator. Raises :class:`KeyError` if it is not there."""
        return {entry.name: entry for entry in self.entries}[name]

    @staticmethod
    def of(entries: Sequence[Entry]) -> Comparison:
        """``entries``, the best first."""
        return Comparison(entries=tuple(sorted(entries, key=_rank)))

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of the headlines that are defined for some generator, in the report's order."""
        found = (e.key for entry in self.entries for e in entry.report.headlines if e.is_defined)
        known = list(dict.fromkeys(found))
        wanted = [key for keys in HEADLINES.values() for key in keys]
        return tuple(sorted(known, key=wanted.index))

    def measures(self, key: str) -> tuple[Measure | None, ...]:
        """The measure ``key`` of each entry; None where there is none."""
        return tuple(_measure(entry, key) for entry in self.entries)

    @property
    def frame(self) -> pd.DataFrame:
        """One row a generator: the headlines' figures by key, and what it took."""
        lines = []
        for entry in self.entries:
            figures = {key: _measure(entry, key) for key in self.keys}
            lines.append(
                {
                    "model": entry.name,
                    **{k: m.estimate.value if m else float("nan") for k, m in figures.items()},
                    "fit_seconds": entry.fit_seconds,
                    "sample_seconds": entry.sample_seconds,
                    "memory_mib": entry.memory_mib,
                    "parameters": entry.parameters,
                }
            )
        return pd.DataFrame(lines)

    def to_dict(self) -> dict[str, object]:
        """All figures of all reports, for JSON."""
        return {
            "notice": INTERNAL,
            "models": [
                {
                    "model": entry.name,
                    "parameters": entry.parameters,
                    "fit_seconds": round(entry.fit_seconds, 3),
                    "sample_seconds": round(entry.sample_seconds, 3),
                    "memory_mib": entry.memory_mib,
                    "notes": list(entry.notes),
                    "report": entry.report.to_dict(),
                }
                for entry in self.entries
            ],
        }

    def to_json(self) -> str:
        """:meth:`to_dict` as JSON text."""
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)

    def to_html(self) -> str:
        """The leaderboard as one page that needs no network and no script."""
        from synthgan.compare.leaderboard import render

        return render(self)

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Writes it as ``.html`` or ``.json``, by the ending of ``path``.

        Raises :class:`TableError` for another ending and where the file cannot be written.
        """
        texts = {".html": self.to_html, ".json": self.to_json}
        write_by_ending(path, texts, "a comparison", overwrite=overwrite)


def _measure(entry: Entry, key: str) -> Measure | None:
    found = {each.key: each for each in entry.report.headlines if each.is_defined}
    return found.get(key)


def _rank(entry: Entry) -> float:
    """Detection's AUC, of which .5 is perfect; generators without one come last."""
    found = _measure(entry, "c2st")
    return max(found.estimate.value, 0.5) if found else float("inf")


def _seconds(seconds: float) -> str:
    return f"{seconds:,.0f} s" if seconds >= 10 else f"{seconds:.1f} s"


class _Race(NamedTuple):
    """One measure of all generators, on one line each."""

    measure: Measure
    """Of the first: for its name and its goal."""
    lines: list[tuple[str, Measure, Strip]]


def render(comparison: Comparison) -> str:
    """``comparison`` as one self-contained page."""
    return template("leaderboard.html.j2").render(
        comparison=comparison,
        compared=compared(comparison.entries[0].report.about),
        internal=INTERNAL,
        races=list(_races(comparison)),
        style=Markup(read("style.css")),
    )


def _races(comparison: Comparison) -> Iterator[_Race]:
    names = [entry.name for entry in comparison.entries]
    for key in comparison.keys:
        pairs = zip(names, comparison.measures(key), strict=True)
        found = [(name, each) for name, each in pairs if each is not None]
        drawn = strips([measure for _, measure in found])
        lines = [(*pair, line) for pair, line in zip(found, drawn, strict=True) if line]
        yield _Race(found[0][1], lines)
