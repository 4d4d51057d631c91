"""Synthetic rows with the columns and patterns of a real table.

>>> import synthgan
>>> sorted(synthgan.__all__) == synthgan.__all__
True

Names are loaded when they are first used, so that importing the package is light.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from synthgan.audit import Audit, Finding, audit_privacy
    from synthgan.autoencoder import VaeConfig
    from synthgan.baselines import Baseline, fit_baseline
    from synthgan.comparison import CompareConfig, compare
    from synthgan.config import (
        CheckpointConfig,
        Config,
        NetworkConfig,
        PrivacyConfig,
        SummaryConfig,
        TrainConfig,
    )
    from synthgan.constraints import discover_constraints, infer_schema
    from synthgan.distributed import Ranks, join_ranks, launched_shard
    from synthgan.errors import (
        ConditionError,
        ConfigError,
        DoubtError,
        ModelFileError,
        SchemaError,
        SynthganError,
        TableError,
        TrainingError,
    )
    from synthgan.estimators import SynthGANImputer, SynthGANOverSampler
    from synthgan.parts import Parts
    from synthgan.privacy import (
        Event,
        Guarantee,
        compose,
        load_ledger,
        save_ledger,
        spent_in,
    )
    from synthgan.progress import show_progress
    from synthgan.relations import (
        TablesSynthesizer,
        fit_tables,
        load_tables,
        tables_in,
        write_tables,
    )
    from synthgan.report import (
        Card,
        Comparison,
        Entry,
        Estimate,
        EvaluateConfig,
        Measure,
        Report,
        check_limits,
        evaluate,
        evaluate_tables,
    )
    from synthgan.schema import (
        Bands,
        Column,
        FixedCombinations,
        FixedIncrements,
        FixedNullCombinations,
        ForeignKey,
        Formula,
        Hints,
        Identifying,
        Inequality,
        Kind,
        MissingWhen,
        OneHot,
        PersonalColumn,
        RowRule,
        Schema,
        Unique,
        ValueCount,
        count_values,
        find_identifying,
        find_personal,
        public_part,
    )
    from synthgan.synthesizer import Synthesizer, fit, load
    from synthgan.table import (
        SplitConfig,
        check_source,
        check_target,
        iter_table,
        read_alone,
        read_table,
        split_file,
        split_table,
        write_table,
    )
    from synthgan.train import Step

_HOMES = {
    "synthgan.audit": ("Audit", "Finding", "audit_privacy"),
    "synthgan.autoencoder": ("VaeConfig",),
    "synthgan.baselines": ("Baseline", "fit_baseline"),
    "synthgan.comparison": ("CompareConfig", "compare"),
    "synthgan.config": (
        "CheckpointConfig",
        "Config",
        "NetworkConfig",
        "PrivacyConfig",
        "SummaryConfig",
        "TrainConfig",
    ),
    "synthgan.constraints": ("discover_constraints", "infer_schema"),
    "synthgan.distributed": ("Ranks", "join_ranks", "launched_shard"),
    "synthgan.errors": (
        "ConditionError",
        "ConfigError",
        "DoubtError",
        "ModelFileError",
        "SchemaError",
        "SynthganError",
        "TableError",
        "TrainingError",
    ),
    "synthgan.estimators": ("SynthGANImputer", "SynthGANOverSampler"),
    "synthgan.parts": ("Parts",),
    "synthgan.privacy": (
        "Event",
        "Guarantee",
        "compose",
        "load_ledger",
        "save_ledger",
        "spent_in",
    ),
    "synthgan.progress": ("show_progress",),
    "synthgan.relations": (
        "TablesSynthesizer",
        "fit_tables",
        "load_tables",
        "tables_in",
        "write_tables",
    ),
    "synthgan.report": (
        "Card",
        "Comparison",
        "Entry",
        "Estimate",
        "EvaluateConfig",
        "Measure",
        "Report",
        "check_limits",
        "evaluate",
        "evaluate_tables",
    ),
    "synthgan.schema": (
        "Bands",
        "Column",
        "FixedCombinations",
        "FixedIncrements",
        "FixedNullCombinations",
        "ForeignKey",
        "Formula",
        "Hints",
        "Identifying",
        "Inequality",
        "Kind",
        "MissingWhen",
        "OneHot",
        "PersonalColumn",
        "RowRule",
        "Schema",
        "Unique",
        "ValueCount",
        "count_values",
        "find_identifying",
        "find_personal",
        "public_part",
    ),
    "synthgan.synthesizer": ("Synthesizer", "fit", "load"),
    "synthgan.table": (
        "SplitConfig",
        "check_source",
        "check_target",
        "iter_table",
        "read_alone",
        "read_table",
        "split_file",
        "split_table",
        "write_table",
    ),
    "synthgan.train": ("Step",),
}

__all__ = [
    "Audit",
    "Bands",
    "Baseline",
    "Card",
    "CheckpointConfig",
    "Column",
    "CompareConfig",
    "Comparison",
    "ConditionError",
    "Config",
    "ConfigError",
    "DoubtError",
    "Entry",
    "Estimate",
    "EvaluateConfig",
    "Event",
    "Finding",
    "FixedCombinations",
    "FixedIncrements",
    "FixedNullCombinations",
    "ForeignKey",
    "Formula",
    "Guarantee",
    "Hints",
    "Identifying",
    "Inequality",
    "Kind",
    "Measure",
    "MissingWhen",
    "ModelFileError",
    "NetworkConfig",
    "OneHot",
    "Parts",
    "PersonalColumn",
    "PrivacyConfig",
    "Ranks",
    "Report",
    "RowRule",
    "Schema",
    "SchemaError",
    "SplitConfig",
    "Step",
    "SummaryConfig",
    "SynthGANImputer",
    "SynthGANOverSampler",
    "Synthesizer",
    "SynthganError",
    "TableError",
    "TablesSynthesizer",
    "TrainConfig",
    "TrainingError",
    "Unique",
    "VaeConfig",
    "ValueCount",
    "audit_privacy",
    "check_limits",
    "check_source",
    "check_target",
    "compare",
    "compose",
    "count_values",
    "discover_constraints",
    "evaluate",
    "evaluate_tables",
    "find_identifying",
    "find_personal",
    "fit",
    "fit_baseline",
    "fit_tables",
    "infer_schema",
    "iter_table",
    "join_ranks",
    "launched_shard",
    "load",
    "load_ledger",
    "load_tables",
    "public_part",
    "read_alone",
    "read_table",
    "save_ledger",
    "show_progress",
    "spent_in",
    "split_file",
    "split_table",
    "tables_in",
    "write_table",
    "write_tables",
]


def __getattr__(name: str) -> object:
    if name == "__version__":
        return version("synthgan")
    for home, names in _HOMES.items():
        if name in names:
            value = getattr(import_module(home), name)
            globals()[name] = value
            return value
    raise AttributeError(
        f"module 'synthgan' has no attribute {name!r}; a table is learned by synthgan.fit(df), and "
        "dir(synthgan) lists all names"
    )


def __dir__() -> list[str]:
    special = [name for name in globals() if name.startswith("__") and name.endswith("__")]
    return sorted({*special, "__version__", *__all__})
