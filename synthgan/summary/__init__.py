"""All that the model may know of each column: quantile functions, categories and weights.

This is the second of the three doors through which rows enter. What comes out is small and
holds nothing that stands for fewer than ``SummaryConfig.min_category_rows`` rows: rare
categories share one code without a name, numbers are kept as quantile functions whose knots
are means over that many rows or values that that many rows share, and numeric extremes are
pulled in to the ``extreme_rows``-th value from either end.

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
