"""What a private fit that failed has spent, kept in a file."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import synthgan
from synthgan.cli.failures import INTERRUPTED, fail
from synthgan.errors import TableError
from synthgan.progress import say

_MOST_ACCOUNTS = 100  # of fits that failed, beside one model file


class SavedElsewhere(TableError):
    """The model is not where it was wanted, but it is somewhere, with its ledger."""


@contextmanager
def keeping_account(output: Path, spent: synthgan.Guarantee | None = None) -> Iterator[None]:
    """Of a private fit that fails or is stopped inside, writes beside ``output`` what it has spent:
    ``spent``, or what the error tells."""
    try:
        yield
    except SavedElsewhere:
        raise
    except BaseException as error:
        spent = spent or synthgan.spent_in(error)
        if spent is not None:
            kept = _write_account(output, spent)
            if isinstance(error, KeyboardInterrupt):
                fail(f"interrupted; no model was written; {kept}", INTERRUPTED)
            say(f"note: {kept}")
        raise


def _write_account(output: Path, spent: synthgan.Guarantee) -> str:
    """Writes a ledger; gives what to say of it."""
    told = f"epsilon {spent.epsilon:.6g} was spent on the rows all the same"
    folders = (output.parent, Path.cwd(), Path(tempfile.gettempdir()))
    for folder, number in itertools.product(folders, range(1, _MOST_ACCOUNTS)):
        path = folder / f"{output.name}{f'-{number}' if number > 1 else ''}.ledger.json"
        try:
            synthgan.save_ledger(path, spent)
        except TableError:  # there is one already, or it cannot be written there
            continue
        return f"{told}; {path} has the ledger, which 'synthgan ledger add' reads"
    return f"{told}, and no ledger of it could be written: keep this line"
