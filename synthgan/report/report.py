"""The report: sections of measures with verdicts in words, and the ways to look at it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import pandas as pd

from synthgan.files import write_by_ending, write_bytes_atomically
from synthgan.metrics.catalog import check_limits
from synthgan.metrics.measure import Goal, Measure, Replay
from synthgan.report.card import Card
from synthgan.report.origin import Origin
from synthgan.report.pictures import Pictures
from synthgan.report.results import INTERNAL, About, Failure, Section, line, section_of
from synthgan.report.wording import figures as wording


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Report:
    """How good and how private a synthetic table is. Made by :func:`synthgan.evaluate`.

    The report is computed on real rows and is for their owner; :meth:`card` is for others.
    """

    about: About
    sections: tuple[Section, ...]
    pictures: Pictures
    origin: Origin | None
    names: Mapping[str, str]
    """Compared columns and their kinds."""
    listed: Mapping[str, str] = field(default_factory=dict)
    """All columns of the synthetic table and what they are, for the card; empty: ``names``."""

    def __repr__(self) -> str:
        words = (f"{each.key} {wording.figure(each)}" for each in self.headlines if each.is_defined)
        return f"Report({', '.join(words)})"

    def __getitem__(self, key: str) -> Measure:
        """The measure ``key`` of the whole table. Raises :class:`KeyError` if there is none."""
        return {each.key: each for each in self.measures if not each.columns}[key]

    def _repr_html_(self) -> str:
        from synthgan.report.page.templates import notebook  # plotly takes a second to load

        return notebook(self)

    @property
    def measures(self) -> tuple[Measure, ...]:
        """All measures of all sections."""
        return tuple(each for section in self.sections for each in section.findings.measures)

    @property
    def headlines(self) -> tuple[Measure, ...]:
        """The measures that say most."""
        return tuple(each for section in self.sections for each in section.headlines)

    @property
    def frame(self) -> pd.DataFrame:
        """All measures, one row each: figure, interval, floor and baseline.

        Columns: section, key, name, columns (joined by " & "), value, low, high, floor,
        floor_low, floor_high, baseline, baseline_low, baseline_high, goal, unit, rows, note.
        """
        return pd.DataFrame(
            [
                line(section.key, each)
                for section in self.sections
                for each in section.findings.measures
            ]
        )

    @property
    def replays(self) -> pd.DataFrame:
        """Which columns' real values come out again, one row a column, the worst first.

        Columns: column, distinct (real values), singling (those that fewer than five people
        have), came_out (of these), share and chance (percent of the synthetic cells), verdict
        (replayed, chance, counting, nothing). Columns without such values are left out.
        """
        found = [asdict(each) for section in self.sections for each in section.replays]
        return pd.DataFrame(found, columns=[each.name for each in fields(Replay)])

    def check(self, limits: Mapping[str, float]) -> tuple[Failure, ...]:
        """Which figures are beyond their limit, such as ``{"c2st": 0.6, "tstr": 0.95}``.

        A limit is the most that a figure may be whose low values are good (or .5, as for
        AUCs of detectors and attacks), the least for one whose high values are good. A figure
        that was not measured is beyond any limit, except ``broken_rules`` where no rule was
        found. Raises :class:`ConfigError` as :func:`check_limits` does.
        """
        check_limits(limits, (each.key for each in self.measures if not each.columns))
        return tuple(found for key, limit in limits.items() for found in self._check(key, limit))

    def _check(self, key: str, limit: float) -> Iterator[Failure]:
        found = {each.key: each for each in self.measures if not each.columns}.get(key)
        if found is None or not found.is_defined:
            if found is not None and key == "broken_rules":
                return  # no rule was found, so none is broken
            why = found.note if found else "see what was left out, and why"
            yield Failure(key=key, limit=limit, what=f"{key} was not measured ({why})")
        elif found.goal is Goal.HIGH and found.estimate.value < limit:
            yield Failure(
                key=key, limit=limit, what=f"{key} is {wording.figure(found)}, below {limit:g}"
            )
        elif found.goal is not Goal.HIGH and found.estimate.value > limit:
            yield Failure(
                key=key, limit=limit, what=f"{key} is {wording.figure(found)}, above {limit:g}"
            )

    def to_dict(self) -> dict[str, object]:
        """All but the pictures, for JSON; figures that are not defined are None."""
        return {
            "notice": INTERNAL,
            "about": asdict(self.about),
            "sections": [section_of(each) for each in self.sections],
            "origin": asdict(self.origin) if self.origin else None,
        }

    def to_json(self) -> str:
        """:meth:`to_dict` as JSON text."""
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)

    def to_markdown(self) -> str:
        """Verdicts, advice and the measures of the whole table."""
        from synthgan.report.markdown import render

        return render(self)

    @property
    def summary(self) -> pd.DataFrame:
        """The headlines in words, one row each: measure, figure, real rows, independent columns."""
        return pd.DataFrame(
            [
                {
                    "measure": each.name,
                    "figure (95 %)": wording.figure(each),
                    "real rows": wording.yardstick(each.floor, each.unit),
                    "independent columns": wording.yardstick(each.baseline, each.unit),
                }
                for each in self.headlines
            ]
        )

    def to_html(self, path: str | Path | None = None, *, overwrite: bool = False) -> str:
        """The report as one page that needs no network; with ``path``, also written there.

        Raises :class:`TableError` where the file cannot be written or is there already.
        """
        from synthgan.report.page.rendering import render

        text = render(self)
        if path is not None:
            write_bytes_atomically(path, text.encode(), overwrite=overwrite)
        return text

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Writes the report as ``.html``, ``.json`` or ``.md``, by the ending of ``path``.

        Raises :class:`TableError` for another ending and where the file cannot be written.
        """
        texts = {".html": self.to_html, ".json": self.to_json, ".md": self.to_markdown}
        write_by_ending(path, texts, "a report", overwrite=overwrite)

    def card(self) -> Card:
        """What may be handed out with the synthetic table: no figure of real rows."""
        return Card.of(
            version=self.about.version,
            rows=self.about.synthetic_rows,
            columns=self.listed or self.names,
            measured=tuple(dict.fromkeys(each.name for each in self.headlines if each.is_defined)),
            held_out=self.about.holdout_rows is not None,
            origin=self.origin,
        )
