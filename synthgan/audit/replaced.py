"""Other things under a module's names, for a while."""

from __future__ import annotations

import types
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def replaced(module: types.ModuleType, **names: object) -> Iterator[None]:
    """Within it, ``module`` has other things under some of its names."""
    before = {name: getattr(module, name) for name in names}
    vars(module).update(names)
    try:
        yield
    finally:
        vars(module).update(before)
