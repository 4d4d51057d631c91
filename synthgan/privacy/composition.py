"""What several releases of one table add up to."""

from __future__ import annotations

from collections.abc import Sequence

from synthgan.errors import ConfigError
from synthgan.privacy.ledger import Guarantee, recompute


def compose(guarantees: Sequence[Guarantee], *, delta: float | None = None) -> Guarantee:
    """One guarantee for all that was released of the same rows.

    Every event of every release counts; epsilon is worked out once for all of them, which is
    less than the sum of the epsilons. ``delta`` is the sum of theirs, unless it is given.

    Raises :class:`ConfigError` if there are none, or if they are about different units.
    """
    if not guarantees:
        raise ConfigError("at least one guarantee is needed")
    units = {guarantee.unit for guarantee in guarantees}
    if len(units) > 1:
        raise ConfigError(
            f"guarantees for one {' and for one '.join(sorted(units))} cannot be added up"
        )
    events = tuple(event for guarantee in guarantees for event in guarantee.events)
    total = sum(guarantee.delta for guarantee in guarantees) if delta is None else delta
    try:
        epsilon = recompute(events, total)
    except ValueError as error:
        raise ConfigError(f"delta {total:g} does not do: {error}") from None
    return Guarantee(epsilon=epsilon, delta=total, unit=units.pop(), events=events)
