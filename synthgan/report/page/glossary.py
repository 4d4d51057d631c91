"""The glossary of the page: what a reader needs for any figure, and the measures that it shows."""

from __future__ import annotations

from collections.abc import Iterable

from synthgan.metrics.catalog import EXPLANATIONS, Term, term_of

READING = (
    Term(
        "interval",
        "Interval (95 %)",
        "Another draw of rows would give a slightly different figure. The interval says how "
        "different: in 95 of 100 such draws it holds the figure that endless rows would give. It "
        "leaves out what training the generator again would change.",
        "Wilson 1927; Clopper and Pearson 1934; DeLong, DeLong and Clarke-Pearson 1988 (AUC).",
    ),
    Term(
        "floor",
        "Floor: real rows",
        "The same figure with real rows in place of the synthetic ones. Real samples differ from "
        "each other too, so this, and not zero or one, is as good as should be expected.",
    ),
    Term(
        "baseline",
        "Baseline: independent columns",
        "The same figure for the simplest generator there is: each real column shuffled on its "
        "own, so that nothing holds between columns. A figure that such a table passes does not "
        "show that the synthetic table is good.",
    ),
    Term(
        "holdout",
        "Held-out rows",
        "Real rows that the generator never saw. They stand for the people whom the table is "
        "about and who are not in it.",
    ),
    Term(
        "auc",
        "AUC, ROC curve",
        "How well a score tells two kinds of rows apart: shown one row of each kind, the share of "
        "times it ranks them rightly. 0.5 is a coin's toss, 1 never errs. The ROC curve shows it "
        "at every strictness: how many rows are found for how many false alarms.",
        "Hanley and McNeil 1982.",
    ),
)
"""What a reader needs for any figure."""


def entry_of(key: str) -> str:
    """Which entry explains the measure ``key``; empty if none does."""
    return key if key in {term.key for term in READING} else term_of(key)


def terms(keys: Iterable[str]) -> tuple[Term, ...]:
    """The entries for measures ``keys``, with those that any reader needs."""
    wanted = {entry_of(key) for key in keys} | {"guarantee"}
    return (*READING, *(term for term in EXPLANATIONS if term.key in wanted))
