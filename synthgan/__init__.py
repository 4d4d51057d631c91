"""Synthetic rows with the columns and patterns of a real table.

>>> import synthgan
>>> sorted(synthgan.__all__) == synthgan.__all__
True

Names are loaded when they are first used, so that importing the package is light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from synthgan.config import Config, NetworkConfig, SummaryConfig, TrainConfig
    from synthgan.errors import (
        ConditionError,
        ConfigError,
        ModelFileError,
        SchemaError,
        SynthganError,
        TableError,
        TrainingError,
    )
    from synthgan.estimators import SynthGANImputer, SynthGANOverSampler
    from synthgan.report import (
        Card,
        Estimate,
        EvaluateConfig,
        Measure,
        Report,
        check_limits,
        evaluate,
    )
    from synthgan.schema import Column, Kind, Schema, infer_schema
    from synthgan.synthesizer import Synthesizer, fit, load
    from synthgan.table import (
        check_target,
        iter_table,
        read_table,
        split_table,
        write_table,
    )
    from synthgan.train import Step

_HOMES = {
    "synthgan.config": ("Config", "NetworkConfig", "SummaryConfig", "TrainConfig"),
    "synthgan.errors": (
        "ConditionError",
        "ConfigError",
        "ModelFileError",
        "SchemaError",
        "SynthganError",
        "TableError",
        "TrainingError",
    ),
    "synthgan.estimators": ("SynthGANImputer", "SynthGANOverSampler"),
    "synthgan.report": (
        "Card",
        "Estimate",
        "EvaluateConfig",
        "Measure",
        "Report",
        "check_limits",
        "evaluate",
    ),
    "synthgan.schema": ("Column", "Kind", "Schema", "infer_schema"),
    "synthgan.synthesizer": ("Synthesizer", "fit", "load"),
    "synthgan.table": (
        "check_target",
        "iter_table",
        "read_table",
        "split_table",
        "write_table",
    ),
    "synthgan.train": ("Step",),
}

__all__ = [
    "Card",
    "Column",
    "ConditionError",
    "Config",
    "ConfigError",
    "Estimate",
    "EvaluateConfig",
    "Kind",
    "Measure",
    "ModelFileError",
    "NetworkConfig",
    "Report",
    "Schema",
    "SchemaError",
    "Step",
    "SummaryConfig",
    "SynthGANImputer",
    "SynthGANOverSampler",
    "Synthesizer",
    "SynthganError",
    "TableError",
    "TrainConfig",
    "TrainingError",
    "check_limits",
    "check_target",
    "evaluate",
    "fit",
    "infer_schema",
    "iter_table",
    "load",
    "read_table",
    "split_table",
    "write_table",
]


def __getattr__(name: str) -> object:
    for home, names in _HOMES.items():
        if name in names:
            value = getattr(import_module(home), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module 'synthgan' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
