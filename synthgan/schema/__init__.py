"""What a table is, as its owner would publish it: columns, kinds and formats, no statistics.

A :class:`Schema` is inferred from the *values* of a table (:func:`infer_columns`, one of the
three doors through which rows enter), written as JSON for the owner to edit, and from then
on the only description of the table that other modules read.

Cells of every pandas dtype pass through Arrow (:func:`to_arrow`), which knows them all and
has one way to say "missing"; text that holds dates goes through :func:`parse_dates` and
:func:`spell_dates`, which know every year from 1 to 9999.

Modules, each importing only those before it: ``dtypes`` (what a dtype can hold), ``dates``
(dates <-> text), ``spelling`` (numbers <-> text), ``words`` (among numbers), ``expression``
(formulas and rules as text),
``constraints`` (rules between columns), ``columns`` (:class:`Column`, :class:`Schema`, JSON),
``arrow`` (cells of any dtype), ``check_digits`` (of numbers of persons and devices),
``personal`` (which text says who somebody is), ``patterns`` (of codes), ``references`` (keys that
refer to other rows), ``keys`` (and to those of another table), ``entities`` (keys that several
rows share), ``infer`` (a :class:`Schema` from rows), ``sdv`` (one from SDV's metadata),
``loading`` (one that a caller gave), ``findings`` (why columns are not learned), ``identifying``
(what says together who somebody is), ``declaring`` (what of a schema is its form alone).
"""

from synthgan.schema.arrow import to_arrow
from synthgan.schema.check_digits import (
    passes_as_person,
    passes_iban,
    passes_imei,
    passes_luhn,
)
from synthgan.schema.columns import Column, Kind, Personal, Schema
from synthgan.schema.constraints import (
    Bands,
    Constraint,
    FixedCombinations,
    FixedIncrements,
    FixedNullCombinations,
    Formula,
    Inequality,
    Level,
    MissingWhen,
    OneHot,
    RowRule,
    Unique,
)
from synthgan.schema.dates import (
    NANOSECONDS,
    Resolution,
    coerce_dates,
    find_date_format,
    parse_dates,
    read_date,
    read_iso_date,
    spell_dates,
    tick_of,
    utc_offset,
)
from synthgan.schema.declaring import public_part
from synthgan.schema.dtypes import Dtype, Family, family, has_time_zone, is_text, to_dtype
from synthgan.schema.entities import Hints, sampled
from synthgan.schema.expression import Expression
from synthgan.schema.findings import (
    LARGE_SHARE,
    WHAT_TO_DO,
    PersonalColumn,
    ValueCount,
    count_values,
    find_personal,
    refuse_doubts,
)
from synthgan.schema.identifying import Identifying, find_identifying, identifying_notes
from synthgan.schema.infer import WORD_ROWS, infer_columns
from synthgan.schema.keys import ForeignKey
from synthgan.schema.loading import as_hints, as_schema
from synthgan.schema.spelling import Spelling
from synthgan.schema.words import OTHER_WORD, tagged, words_in

__all__ = [
    "LARGE_SHARE",
    "NANOSECONDS",
    "OTHER_WORD",
    "WHAT_TO_DO",
    "WORD_ROWS",
    "Bands",
    "Column",
    "Constraint",
    "Dtype",
    "Expression",
    "Family",
    "FixedCombinations",
    "FixedIncrements",
    "FixedNullCombinations",
    "ForeignKey",
    "Formula",
    "Hints",
    "Identifying",
    "Inequality",
    "Kind",
    "Level",
    "MissingWhen",
    "OneHot",
    "Personal",
    "PersonalColumn",
    "Resolution",
    "RowRule",
    "Schema",
    "Spelling",
    "Unique",
    "ValueCount",
    "as_hints",
    "as_schema",
    "coerce_dates",
    "count_values",
    "family",
    "find_date_format",
    "find_identifying",
    "find_personal",
    "has_time_zone",
    "identifying_notes",
    "infer_columns",
    "is_text",
    "parse_dates",
    "passes_as_person",
    "passes_iban",
    "passes_imei",
    "passes_luhn",
    "public_part",
    "read_date",
    "read_iso_date",
    "refuse_doubts",
    "sampled",
    "spell_dates",
    "tagged",
    "tick_of",
    "to_arrow",
    "to_dtype",
    "utc_offset",
    "words_in",
]
