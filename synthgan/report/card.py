"""The card: what may be handed out with a synthetic table.

Figures of real rows are no harmless by-product. Similarity scores that were published beside a
generator have let outsiders rebuild most of the outliers in its training data, also where the
generator itself was differentially private (Ganev and De Cristofaro 2025, "The Inadequacy of
Similarity-based Privacy Metrics"). The card therefore says what the table is, what was looked
at and what is guaranteed, and none of the figures.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path

from synthgan.files import write_by_ending
from synthgan.report.origin import Origin

NO_GUARANTEE = (
    "None. No bound is known on what these rows reveal about a person whose row was learned."
)


@dataclass(frozen=True, kw_only=True)
class Card:
    """What others may know of a synthetic table. Made by :meth:`Report.card`."""

    made_with: str
    written: str
    """Day, UTC."""
    rows: int
    """Of the synthetic table."""
    columns: dict[str, str]
    """Names and kinds of the synthetic table's columns; it says so of those not judged."""
    guarantee: str
    measured: tuple[str, ...]
    """What the owner of the real rows has measured; the figures stay with the owner."""
    against_unseen_rows: bool
    """Whether this was done on real rows that the generator never saw."""
    limits: tuple[str, ...]
    """What the table must not be taken for."""

    @classmethod
    def of(
        cls,
        *,
        version: str,
        rows: int,
        columns: Mapping[str, str],
        measured: tuple[str, ...],
        held_out: bool,
        origin: Origin | None,
    ) -> Card:
        """The card of a table with ``rows`` rows."""
        made = f"SynthGAN {origin.version}" if origin else "unknown (no model was named)"
        guarantee = origin.guarantee if origin and origin.guarantee else NO_GUARANTEE
        # Under a guarantee the notes may be told, as all of the model may.
        noise = origin.notes if origin and origin.guarantee else ()
        return cls(
            made_with=f"{made}; judged with SynthGAN {version}",
            written=datetime.now(timezone.utc).date().isoformat(),
            rows=rows,
            columns=dict(columns),
            guarantee=guarantee,
            measured=measured,
            against_unseen_rows=held_out,
            limits=(
                "The rows are generated; what holds among them need not hold among people.",
                "Check results that matter on the real table, with its owner.",
                "Rare groups are learned from few rows and are the least reliable.",
                *noise,
            ),
        )

    def to_json(self) -> str:
        """The card as JSON text."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False)

    def to_markdown(self) -> str:
        """The card as a page of Markdown."""
        names = [f"- `{_tick(name)}`: {kind}" for name, kind in self.columns.items()]
        seen = "real rows that the generator never saw" if self.against_unseen_rows else "real rows"
        lines = [
            "# Synthetic table",
            "",
            f"{self.rows:,} rows, {len(self.columns)} columns. Made by: {self.made_with}. "
            f"{self.written}.",
            "",
            "## Guarantee",
            "",
            self.guarantee,
            "",
            "## What its owner has looked at",
            "",
            *([f"Against {seen}:", ""] if self.measured else []),
            *([f"- {name}" for name in self.measured] or ["Nothing."]),
            "",
            "The figures are not given here: they are computed on real rows and would help to"
            " rebuild them.",
            "",
            "## Limits",
            "",
            *(f"- {escaped(limit)}" for limit in self.limits),
            "",
            "## Columns",
            "",
            *names,
        ]
        return "\n".join(lines) + "\n"

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Writes the card as ``.json`` or ``.md``, by the ending of ``path``.

        Raises :class:`TableError` for another ending and where the file cannot be written.
        """
        texts = {".json": self.to_json, ".md": self.to_markdown}
        write_by_ending(path, texts, "a card", overwrite=overwrite)


def _tick(name: str) -> str:
    """``name`` inside of Markdown's ticks, on one line."""
    return "".join(each if each.isprintable() else " " for each in name).replace("`", "'")


def escaped(text: str) -> str:
    """``text`` on one line, with nothing in it that Markdown or HTML would obey."""
    line = "".join(each if each.isprintable() else " " for each in text)
    for sign in "\\`*_[]<>|#":
        line = line.replace(sign, f"\\{sign}")
    return line
