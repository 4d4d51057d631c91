"""How good is a synthetic table, held against the real one? Judges DataFrames from any tool."""

from synthgan.report.attacks import dcr_share, exact_copies, membership_auc
from synthgan.report.card import Card
from synthgan.report.columns import Columns, independent_columns
from synthgan.report.fidelity import c2st, missing_error, shape_error, trend_error
from synthgan.report.judge import EvaluateConfig, evaluate
from synthgan.report.leaderboard import Comparison, Entry
from synthgan.report.measure import Estimate, Goal, Measure
from synthgan.report.relations import evaluate_tables
from synthgan.report.report import Report
from synthgan.report.utility import Task, Utility, infer_task, tstr
from synthgan.report.wording import check_limits

__all__ = [
    "Card",
    "Columns",
    "Comparison",
    "Entry",
    "Estimate",
    "EvaluateConfig",
    "Goal",
    "Measure",
    "Report",
    "Task",
    "Utility",
    "c2st",
    "check_limits",
    "dcr_share",
    "evaluate",
    "evaluate_tables",
    "exact_copies",
    "independent_columns",
    "infer_task",
    "membership_auc",
    "missing_error",
    "shape_error",
    "trend_error",
    "tstr",
]
