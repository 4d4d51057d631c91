"""What an audit found, and what it comes to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from synthgan.files import write_bytes_atomically

RIGHT = "as it is"
"""The variant that everybody uses; all others are broken on purpose."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One check of one variant of the private fit."""

    check: str
    variant: str
    """:data:`RIGHT`, or how it was broken on purpose."""
    measured: float
    allowed: float
    """What ``measured`` may be at most if the guarantee holds."""
    detail: str = ""
    """What was measured, or what was seen, in words."""

    @property
    def flagged(self) -> bool:
        """Whether the check says that the guarantee does not hold."""
        return not self.measured <= self.allowed

    @property
    def verdict(self) -> str:
        """In a word or two."""
        if self.variant == RIGHT:
            return "BROKEN" if self.flagged else "holds"
        return "flagged" if self.flagged else "not seen here"


@dataclass(frozen=True, kw_only=True)
class Audit:
    """All findings of an audit: whether the guarantee holds, as far as the audit can see, and
    whether the audit sees anything at all."""

    findings: tuple[Finding, ...]
    skipped: tuple[str, ...] = ()
    """Checks for which there was nothing to check."""
    seconds: float

    @property
    def broken(self) -> tuple[Finding, ...]:
        """What speaks against the guarantee: to be empty."""
        return tuple(each for each in self.findings if each.variant == RIGHT and each.flagged)

    @property
    def controls(self) -> dict[str, bool]:
        """For each variant that was broken on purpose, whether any check flagged it."""
        seen: dict[str, bool] = {}
        for each in self.findings:
            if each.variant != RIGHT:
                seen[each.variant] = seen.get(each.variant, False) or each.flagged
        return seen

    @property
    def missed(self) -> tuple[str, ...]:
        """Variants broken on purpose that no check flagged: to be empty."""
        return tuple(variant for variant, flagged in self.controls.items() if not flagged)

    @property
    def passed(self) -> bool:
        """Whether nothing speaks against the guarantee, and the audit sees what it should."""
        return not self.broken and not self.missed

    @property
    def sentences(self) -> tuple[str, ...]:
        """What it comes to, in plain words."""
        return tuple(_sentences(self))

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Writes the JSON, atomically. Raises :class:`TableError` if it cannot."""
        write_bytes_atomically(path, f"{self.to_json()}\n".encode(), overwrite=overwrite)

    def to_json(self) -> str:
        """All of it as JSON text."""
        plain = {
            "passed": self.passed,
            "broken": [each.check for each in self.broken],
            "missed": list(self.missed),
            "controls": self.controls,
            "seconds": round(self.seconds, 1),
            "skipped": list(self.skipped),
            "findings": [
                {
                    "check": each.check,
                    "variant": each.variant,
                    "measured": _number(each.measured),
                    "allowed": _number(each.allowed),
                    "detail": each.detail,
                    "verdict": each.verdict,
                }
                for each in self.findings
            ],
        }
        return json.dumps(plain, indent=2, ensure_ascii=False, allow_nan=False)


def _number(value: float) -> float | str:
    return value if abs(value) < float("inf") else str(value)  # JSON has no infinity


def _sentences(audit: Audit) -> Iterator[str]:
    right = [each for each in audit.findings if each.variant == RIGHT]
    if audit.broken:
        checks = ", ".join(dict.fromkeys(each.check for each in audit.broken))
        yield f"The guarantee does NOT hold: {checks}. Do not rely on private models of this build."
    else:
        yield f"Nothing speaks against the guarantee: {len(right)} checks of the private fit hold."
    count = len(audit.controls)
    if audit.missed:
        yield (
            f"The audit is blind to {len(audit.missed)} of {count} faults that were built in on "
            f"purpose: {', '.join(audit.missed)}. What it says above is worth less for it."
        )
    elif count:
        yield f"The audit sees: it flagged all {count} faults that were built in on purpose."
    for skipped in audit.skipped:
        yield f"Not checked: {skipped}."
    yield (
        "An audit can refute a guarantee and never prove it; what it cannot see is in "
        "docs/audit.md."
    )
