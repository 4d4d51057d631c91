"""How like the real table is the synthetic one: column by column, pair by pair, and whole."""

from synthgan.report.fidelity.detection import c2st
from synthgan.report.fidelity.pairs import trend_error
from synthgan.report.fidelity.shape import missing_error, shape_error

__all__ = ["c2st", "missing_error", "shape_error", "trend_error"]
