"""Setting rows of a file aside: cells are copied, never read and written again.

Of CSV a row is a physical line, copied byte by byte behind the file's own header. So a line that is
no row, such as one with an odd quote, costs itself alone, and never joins others: its coin, like
every coin (:mod:`synthgan.table.split`), has nothing to do with another line. Which delimiter
and quotes a file has is asked only where a column is named, and told from the header alone.
Quoted cells that go on in the next line are kept whole where rows are *records*; then a quote
decides over the lines after it, so such a split, like one by a seed, is marked.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from synthgan.errors import TableError
from synthgan.files import check_target
from synthgan.table.formats import format_of, read_errors
from synthgan.table.part_files import Source, find_sources
from synthgan.table.split import Source as Random
from synthgan.table.split_arrow import split_arrow, table_of
from synthgan.table.split_config import FileSplit, How, SplitConfig
from synthgan.table.split_csv import form_of, split_text
from synthgan.table.write import delimiter_of


def split_file(
    data: str | Path,
    train_file: str | Path,
    holdout_file: str | Path,
    config: SplitConfig | None = None,
    *,
    delimiter: str | None = None,
    overwrite: bool = False,
    coins: Random = os.urandom,
) -> FileSplit:
    """Writes the rows of a file to two: rows to learn from, and rows set aside to judge against.

    ``data`` is as for :func:`read_table`; the parts have its format. Each row is set aside by a
    secret coin of its own, as :func:`split_table` does it. Lines of CSV are copied byte by byte,
    empty ones left out; Arrow's types stay in Parquet, Feather and Arrow files.

    Of CSV one line is one row, as for a private fit. With ``config.records``, or a ``config.seed``,
    a private fit of the parts does not cover the table, and each gets a mark beside it
    (``train.csv.split.json``) by which it refuses them. With a ``delimiter`` the lines are
    written anew, with that between their cells, in UTF-8. ``coins`` gives random bytes; only
    tests pass another source.

    Raises :class:`TableError` as :func:`split_table`, if a file cannot be read or written, and
    unless the parts have the format of ``data``.
    """
    files = (Path(train_file), Path(holdout_file))
    if files[0].absolute() == files[1].absolute():
        raise TableError(f"both parts would be written to {files[0]}; name two files")
    how = How(data, find_sources(data), config or SplitConfig(), coins)
    _check_formats(how.sources[0], files)
    wanted = None if delimiter is None else delimiter_of(files[0], delimiter)
    if how.is_text:
        with read_errors(data):
            form = form_of(how)
        write = partial(split_text, how, form, files, wanted)
    else:
        with read_errors(data):
            write = partial(split_arrow, how, table_of(how), files)
    for file in files:
        check_target(file, overwrite=overwrite)
    return write()


def _check_formats(source: Source, files: tuple[Path, Path]) -> None:
    for file in files:
        if format_of(file)[0] != source.ending:
            raise TableError(
                f"{file}: rows are copied as they are, so the file must end in {source.ending}, as "
                f"{source} does"
            )
