"""Tables in files: read, iterate and write them, whole or in chunks.

The ending of a file's name decides its format. Parquet, Feather and Arrow files say
themselves what their columns are. A CSV file says nothing, so each column is read as text
first and then judged by *all* its cells. Files are written beside their final place and then
moved there: a failed write leaves nothing behind, and the old file as it was.

Modules, each importing only those before it: ``files`` (names, endings, errors, atomic
replacing), ``frames`` (is it a table at all?), ``sources`` (files, folders, globs, URLs),
``split_marks`` (which tables are parts that a private fit refuses), ``csv_cells``,
``csv_reading``, ``lines``, ``arrow_reading``, ``reading``; ``writing`` needs ``files``, ``frames``,
``csv_cells`` and ``split_marks``; ``splitting`` (coins, and frames) no file at all, and
``split_files`` (rows copied from one file to two) all but ``reading``.
"""

from synthgan.table.arrow_reading import frame_of
from synthgan.table.csv_cells import FIXED_DECIMALS, MISSING_WORDS
from synthgan.table.files import (
    check_target,
    check_writable,
    format_of,
    mode_of,
    near_column,
    near_words,
    read_small,
    write_by_ending,
    write_bytes_atomically,
)
from synthgan.table.frames import check_frame
from synthgan.table.reading import (
    Dataset,
    check_source,
    count_cells,
    iter_table,
    open_dataset,
    read_alone,
    read_table,
    take_table,
)
from synthgan.table.split_files import FileSplit, SplitConfig, split_file
from synthgan.table.split_marks import refuse_public_split
from synthgan.table.splitting import split_table
from synthgan.table.writing import arrow_of, delimiter_of, write_table

__all__ = [
    "FIXED_DECIMALS",
    "MISSING_WORDS",
    "Dataset",
    "FileSplit",
    "SplitConfig",
    "arrow_of",
    "check_frame",
    "check_source",
    "check_target",
    "check_writable",
    "count_cells",
    "delimiter_of",
    "format_of",
    "frame_of",
    "iter_table",
    "mode_of",
    "near_column",
    "near_words",
    "open_dataset",
    "read_alone",
    "read_small",
    "read_table",
    "refuse_public_split",
    "split_file",
    "split_table",
    "take_table",
    "write_by_ending",
    "write_bytes_atomically",
    "write_table",
]
