"""What a private fit has spent that came to nothing: budget is gone once rows were asked.

A fit that fails, or is stopped, after its first question has revealed something to those who saw
its outcome, and so it counts. Its guarantee is kept with the error, and can be kept in a file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from synthgan.errors import ModelFileError
from synthgan.files import write_bytes_atomically
from synthgan.privacy.ledger import Guarantee, check_claim
from synthgan.serialization import from_plain, to_plain

_KEY = "synthgan_ledger"
_VERSION = 1
_SPENT = "synthgan_spent"  # attribute of an error
_MOST_BYTES = 64 * 2**20


@contextmanager
def spending(spent: Callable[[], Guarantee]) -> Iterator[None]:
    """Any exception raised inside remembers what was ``spent`` until then."""
    try:
        yield
    except BaseException as error:
        if spent_in(error) is None:
            guarantee = spent()
            if guarantee.events:
                vars(error)[_SPENT] = guarantee
        raise


def spent_in(error: BaseException) -> Guarantee | None:
    """What a private fit had spent when it raised ``error``; None if it had not asked yet.

    It holds for what came of the fit (an error, a time), and adds up with other releases of the
    same rows like any other (:func:`synthgan.compose`).
    """
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        found = vars(each).get(_SPENT)
        if isinstance(found, Guarantee):
            return found
        each = each.__cause__ or each.__context__
    return None


def save_ledger(path: str | Path, guarantee: Guarantee) -> None:
    """Writes a guarantee with its events as JSON, which ``synthgan ledger add`` reads.

    Raises :class:`TableError` if the file cannot be written or is there already.
    """
    plain = {_KEY: _VERSION, "guarantee": to_plain(guarantee)}
    write_bytes_atomically(path, f"{json.dumps(plain, indent=1)}\n".encode())


def load_ledger(path: str | Path) -> Guarantee | None:
    """The guarantee in a file of :func:`save_ledger`; None if it is something else.

    Raises :class:`ModelFileError` if it is damaged, or claims more than its events allow for.
    """
    where = Path(path)
    try:
        with where.open("rb") as file:
            if file.read(1) != b"{":
                return None
            text = b"{" + file.read(_MOST_BYTES)
        plain = json.loads(text)
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(plain, dict) or _KEY not in plain:
        return None
    if plain[_KEY] != _VERSION:
        raise ModelFileError(f"{path}: the ledger has another version than this SynthGAN reads")
    try:
        guarantee = from_plain(Guarantee, plain.get("guarantee"), "guarantee")
        check_claim(guarantee)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise ModelFileError(f"{path}: the ledger does not hold: {error}") from None
    return guarantee
