"""Verdict and advice of the privacy section."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from synthgan.metrics.catalog import ALARMS
from synthgan.metrics.measure import Findings, Measure, Replay, Verdict
from synthgan.report.wording.figures import figure, number
from synthgan.report.wording.readings import (
    COPIES,
    MOST_NAMED,
    REPLAYED,
    alarms_of,
    by_key,
    is_alarm,
    named,
)

_SMOKE = (
    "These are smoke alarms: failing means that training rows show through, or that the holdout "
    "is no random sample; passing means nothing."
)


def privacy(
    findings: Findings,
    guarantee: str | None,
    *,
    unlike: bool = False,
    unjudged: Sequence[str] = (),
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Verdict and advice of the privacy section.

    ``unlike``: held-out rows are unlike the training rows. ``unjudged``: columns in which
    nothing but copies was looked for.
    """
    whole, _ = by_key(findings)
    verdict, advice = _rung(findings, whole, unlike=unlike)
    if guarantee:
        verdict.insert(0, f"Guarantee: {guarantee}")
    verdict += _coincidences(findings.replays)
    copied = whole.get("copied_identifiers")
    rung = {each.column for each in findings.replays if each.verdict == "replayed"}
    quiet = [name for name in unjudged if name not in rung]
    if copied is not None and not is_alarm(copied) and quiet:
        verdict.append(
            "Copied no more than chance or counting explains, and not judged otherwise: columns "
            f"{named(quiet)}."
        )
    strongest = whole.get("mia")
    if strongest and strongest.is_defined:
        verdict.append(
            f"The strongest membership attack tells training from unseen rows with AUC "
            f"{figure(strongest)}; 0.5 is a coin's toss."
        )
    if any(each.is_defined for each in whole.values()):
        verdict.append(_SMOKE)
        if not alarms_of(whole):
            advice.append(
                "Passing proves nothing: treat the table as personal data unless a guarantee or "
                "your own assessment says otherwise."
            )
    if not guarantee:
        verdict.append("No guarantee is known: only differential privacy would give one.")
    return tuple(verdict), tuple(advice)


def _rung(
    findings: Findings, whole: dict[str, Measure], *, unlike: bool
) -> tuple[list[str], list[str]]:
    """What rings, or that nothing does, and what to do about it."""
    found = alarms_of(whole)
    if not found:
        return list(_quiet(findings, whole)), []
    verdict, advice = [], []
    if found[0].key == REPLAYED:
        verdict.append(_replay(findings.replays, found.pop(0)))
        advice.append(_REPLAY_ADVICE)
    if found:
        verdict.append(_alarms(found, unlike=unlike))
        if not unlike:
            advice.append(
                "Do not hand out this table: the generator has memorised rows or parts of them. "
                "Train for fewer steps, on more rows, or with a privacy guarantee."
            )
    if not _is_attacked(whole):
        verdict.append(f"Nothing but copies was looked for{_reasons(findings)}.")
    return verdict, advice


REPLAY_VERDICTS: dict[Verdict, str] = {
    "replayed": "real values come out again",
    "chance": "no more than chance",
    "counting": "numbers in a row: they coincide by counting",
    "nothing": "none came out",
}
"""What is said of a column, by how its values were judged."""

_REPLAY_ADVICE = (
    "Do not hand out this table: it names real people. Make the columns that come out again kind "
    "identifier or text in the schema (or drop them), name whose rows they are (entity), and fit "
    "again."
)


def _replay(replays: Sequence[Replay], found: Measure) -> str:
    """Which columns' real values come out again, how many, and how many chance would make."""
    rung = sorted((e for e in replays if e.verdict == "replayed"), key=lambda e: -e.share)
    named = ", ".join(
        f"{each.column!r} in {number(each.share, '%')} of the cells ({each.came_out:,} of "
        f"{each.singling:,} values; chance makes {number(each.chance, '%')})"
        for each in rung[:MOST_NAMED]
    )
    more = f" and {len(rung) - MOST_NAMED} more columns" if len(rung) > MOST_NAMED else ""
    named = named or f"{figure(found)} ({found.note})"
    return (
        "Training rows show through: real values that single somebody out come out again, "
        f"{named}{more}. This needs no holdout to be read."
    )


def _coincidences(replays: Sequence[Replay]) -> Iterator[str]:
    counted = [each.column for each in replays if each.verdict == "counting"]
    if counted:
        yield (
            "Numbers that coincide by counting, and name nobody for that: columns "
            f"{named(counted)}."
        )


def _alarms(alarms: Sequence[Measure], *, unlike: bool) -> str:
    """Alarms that ring; ``unlike``: the holdout is no yardstick."""
    names = ", ".join(f"{each.name} {figure(each)}" for each in alarms)
    notes = [each.note for each in alarms if each.key == "copied_identifiers"]
    widened = f"intervals are widened for {len(ALARMS)} alarms"
    names += f" ({'; '.join([*notes, widened])})"
    if unlike:
        return f"Alarms that cannot be read, as the holdout is no yardstick: {names}."
    return f"Training rows show through: {names}."


def _quiet(findings: Findings, whole: dict[str, Measure]) -> Iterator[str]:
    """What no alarm means: that none rang, or that none could."""
    if _is_attacked(whole):
        yield (
            "No alarm went off in the attacks and distances below "
            f"(intervals are widened for {len(ALARMS)} alarms)."
        )
    elif any(each.is_defined for each in whole.values()):
        yield (
            f"Privacy was not judged{_reasons(findings)}. Only copies of training rows and of "
            "values that single somebody out were looked for, and there are no more than chance "
            "makes."
        )


def _is_attacked(whole: dict[str, Measure]) -> bool:
    """Whether more than copies was looked for."""
    return any(whole[key].is_defined for key in ALARMS if key in whole and key not in COPIES)


def _reasons(findings: Findings) -> str:
    why = "; ".join(dict.fromkeys(each.why for each in findings.left_out))
    return f": {why}" if why else ""
