"""How like the real table is the synthetic one: column by column, pair by pair, and whole."""

from synthgan.report.fidelity.accuracy import accuracy_findings
from synthgan.report.fidelity.compatible import sdmetrics_findings
from synthgan.report.fidelity.detection import c2st, detection_findings
from synthgan.report.fidelity.geometry import geometry_findings
from synthgan.report.fidelity.pairs import pair_findings, trend_error
from synthgan.report.fidelity.rules import rule_findings
from synthgan.report.fidelity.shape import column_findings, missing_error, shape_error

__all__ = [
    "accuracy_findings",
    "c2st",
    "column_findings",
    "detection_findings",
    "geometry_findings",
    "missing_error",
    "pair_findings",
    "rule_findings",
    "sdmetrics_findings",
    "shape_error",
    "trend_error",
]
