"""How many threads small models get."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits


@contextmanager
def one_thread() -> Iterator[None]:
    """Around what trains boosted trees and linear models, or as its decorator.

    On the tens of thousands of rows that are looked at, two threads take as long as one and twice
    the CPU time; and threads of scikit-learn's trees that end together can leave Python without
    warning filters.
    """
    with threadpool_limits(limits=1):
        yield
