"""All that the model may know of each column: quantile functions, categories and weights.

This is the second of the three doors through which rows enter. What comes out is small and
holds nothing that stands for fewer than ``SummaryConfig.min_category_rows`` people (rows, where
no column says whose they are): rare categories share one code without a name, numbers are kept as
quantile functions whose knots are rounded means over groups of that many people, no two of which
have a row in common, or values that that many people share, numeric extremes are pulled in, and
shares are told in steps of more than that many people.

A number column becomes *codes in order of value*: an **atom** for each frequent value (zeros,
caps, round numbers) and a **bin** for each quantile range of the rest, in which a piecewise
linear quantile function says where the rows lie.

Modules, each importing only those before it: ``kept`` (what comes out), ``runs`` and ``numbers``
(sorted numbers, and what is kept of them), ``tally`` (a table, counted chunk by chunk).
"""

from synthgan.summary.kept import (
    CategorySummary,
    ColumnSummary,
    Combinations,
    GapSummary,
    NumberSummary,
    Segment,
    Summary,
    Unlearned,
)
from synthgan.summary.numbers import FEW_VALUES
from synthgan.summary.tally import CategoryTally, NumberTally, Tally, summarize

__all__ = [
    "FEW_VALUES",
    "CategorySummary",
    "CategoryTally",
    "ColumnSummary",
    "Combinations",
    "GapSummary",
    "NumberSummary",
    "NumberTally",
    "Segment",
    "Summary",
    "Tally",
    "Unlearned",
    "summarize",
]
