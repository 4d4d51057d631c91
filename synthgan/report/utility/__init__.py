"""Is the synthetic table good enough to train models on?

Modules, each importing only those before it: ``scores`` (of predictions), ``models`` (what
predicts), ``prediction`` (TSTR and TRTR), ``augmentation``, ``insight`` (what counts, and for
whom), ``findings``.
"""

from synthgan.report.utility.findings import utility_findings
from synthgan.report.utility.models import Task, infer_task
from synthgan.report.utility.prediction import Utility, tstr

__all__ = ["Task", "Utility", "infer_task", "tstr", "utility_findings"]
