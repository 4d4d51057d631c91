"""Rows of Parquet and Feather files set aside, types and cells as they are."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa

from synthgan.files import replacing
from synthgan.table.arrow_files import arrow_file
from synthgan.table.arrow_read import ArrowTable
from synthgan.table.split import unit_name
from synthgan.table.split_config import FileSplit, How, put_marks, take_old_marks

_GROUP_ROWS = 1 << 16


def table_of(how: How) -> Any:
    table = ArrowTable(how.sources, None).cells()
    if how.config.by is not None and how.config.by not in table.column_names:
        raise how.no_column(table.column_names)
    return table


def split_arrow(how: How, table: Any, files: tuple[Path, Path]) -> FileSplit:
    names = None
    if how.config.by is not None:
        names = [_name_of(cell) for cell in table.column(how.config.by)]
    aside = how.aside_of_all(table.num_rows, names)
    parts = [table.filter(pa.array(mask)) for mask in (~aside, aside)]
    mark, ending = how.mark, how.sources[0].ending
    with ExitStack() as stack:
        temporary = [stack.enter_context(replacing(file)) for file in files]
        for part, path in zip(parts, temporary, strict=True):
            if ending != ".parquet":
                part = part.unify_dictionaries()
            with arrow_file(ending).writer(path, part.schema) as writer:
                writer.write_table(part, _GROUP_ROWS)
        put_marks(files, mark)
    take_old_marks(files, mark)
    return FileSplit(train=parts[0].num_rows, holdout=parts[1].num_rows, mark=mark)


def _name_of(scalar: Any) -> bytes | None:
    """The unit's name; None where the cell is missing, is not a number, or says what Python cannot
    hold, such as a date beyond its calendar."""
    try:
        cell = scalar.as_py()
        is_missing = cell is None or cell != cell  # as nothing else but NaN is
    except (ValueError, ArithmeticError):
        return None
    return None if is_missing else unit_name(cell)
