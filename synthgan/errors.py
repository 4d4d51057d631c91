"""Everything that SynthGAN raises on purpose, as one tree.

::

    SynthganError
    ├── ConfigError          a setting is out of range
    ├── TableError           a table cannot be read, written or used
    ├── SchemaError          a schema is malformed, or table and schema disagree
    │   └── DoubtError       real values of a column may be personal; its owner must say
    ├── ConditionError       a condition names what is not there, or asks the impossible
    ├── ModelFileError       a model file is damaged, foreign or of another version
    └── TrainingError        training cannot start or cannot go on

Each message says what was wanted, what came and what to do, names the column, and never
quotes a cell of the table: messages end up in logs, and logs travel.
"""


class SynthganError(Exception):
    """Base of the tree: catch this to catch everything that is the caller's to mend."""


class ConfigError(SynthganError, ValueError):
    """A setting is out of range or contradicts another one."""


class TableError(SynthganError, ValueError):
    """A table cannot be read, written or used."""


class SchemaError(SynthganError, ValueError):
    """A schema is malformed, or a table does not follow its schema."""


class DoubtError(SchemaError):
    """Nobody said what the columns are, and real values of one that may be personal would come
    out."""


class ConditionError(SynthganError, ValueError):
    """A condition names an unknown column or value, or cannot be met."""


class ModelFileError(SynthganError, ValueError):
    """A model file is damaged, foreign or of another version."""


class TrainingError(SynthganError, RuntimeError):
    """Training cannot start or cannot go on."""
