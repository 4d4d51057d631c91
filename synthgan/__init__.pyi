"""The public names, and where each is defined."""

from .audit.report import Audit, Finding
from .audit.run import audit_privacy
from .columns.column import Column, Kind
from .compare.baselines import Baseline, fit_baseline
from .compare.compare import CompareConfig, compare
from .compare.leaderboard import Comparison, Entry
from .compare.vae import VaeConfig
from .config import (
    CheckpointConfig,
    Config,
    NetworkConfig,
    PrivacyConfig,
    SummaryConfig,
    TrainConfig,
)
from .errors import (
    ConditionError,
    ConfigError,
    DoubtError,
    ModelFileError,
    SchemaError,
    SynthganError,
    TableError,
    TrainingError,
)
from .files import check_target
from .integrations.sklearn import SynthGANImputer, SynthGANOverSampler
from .metrics.catalog import check_limits
from .metrics.measure import Estimate, Measure
from .metrics.multitable import evaluate_tables
from .model.fit import fit
from .model.synthesizer import Synthesizer, load
from .multitable.fit import fit_tables
from .multitable.synthesizer import TablesSynthesizer, load_tables, tables_in, write_tables
from .privacy.accountant import Event
from .privacy.declaring import public_part
from .privacy.ledger import Guarantee, compose
from .privacy.spent import load_ledger, save_ledger, spent_in
from .progress import Step, show_progress
from .report.card import Card
from .report.evaluate import EvaluateConfig, evaluate
from .report.report import Report
from .sample.part_files import Parts
from .schema.constraints.bands import Bands
from .schema.constraints.fixed_combinations import FixedCombinations
from .schema.constraints.fixed_increments import FixedIncrements
from .schema.constraints.fixed_null_combinations import FixedNullCombinations
from .schema.constraints.formula import Formula
from .schema.constraints.inequality import Inequality
from .schema.constraints.missing_when import MissingWhen
from .schema.constraints.one_hot import OneHot
from .schema.constraints.row_rule import RowRule
from .schema.constraints.unique import Unique
from .schema.discover import discover_constraints, infer_schema
from .schema.entities import Hints
from .schema.foreign_key import ForeignKey
from .schema.identifying import Identifying, find_identifying
from .schema.review import PersonalColumn, ValueCount, count_values, find_personal
from .schema.schema import Schema
from .table.read import check_source, iter_table, read_alone, read_table
from .table.split import split_table
from .table.split_config import SplitConfig
from .table.split_files import split_file
from .table.write import write_table
from .train.distributed import Ranks, join_ranks, launched_shard

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

__version__: str
