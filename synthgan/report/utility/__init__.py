"""Is the synthetic table good enough to train models on?"""

from synthgan.report.utility.prediction import Task, Utility, infer_task, tstr

__all__ = ["Task", "Utility", "infer_task", "tstr"]
