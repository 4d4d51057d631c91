"""Conditions to filled-in rows, in chunks whose content depends on seed and number alone.

Unconditional rows are one pass through the generator. What is asked for is drawn first
(:mod:`synthgan.sample.conditioning`), then the rest of the row given that
(:mod:`synthgan.sample.drawing`). Constraints between columns limit the tokens that are drawn, and
cells are repaired where tokens are too coarse; a row that violates one all the same is drawn again,
and counted.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pandas as pd
import torch

from synthgan._typing import Bools, Floats, Ints
from synthgan.columns.cell_set import Allowed
from synthgan.encode.encoder import Encoder
from synthgan.errors import ConditionError
from synthgan.network.generator import Generator
from synthgan.sample.conditioning import Conditions
from synthgan.sample.draw import CHUNK_ROWS, Draw, Rngs
from synthgan.sample.drawing import Drawer, with_given
from synthgan.sample.partial_rows import Given
from synthgan.sample.repair import FRUITLESS, LEAST_AGAIN, ROUNDS, Rules
from synthgan.sample.token_masks import Limits
from synthgan.schema.constraints.base import Cells
from synthgan.schema.constraints.fixed_null_combinations import FixedNullCombinations
from synthgan.schema.constraints.unique import Unique


def _ahead(
    chunk: Callable[[int], pd.DataFrame], count: int, workers: int
) -> Iterator[pd.DataFrame]:
    """``chunk(0)`` to ``chunk(count - 1)`` in order, while others are made in threads."""
    pool = ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,))
    under_way: deque[Future[pd.DataFrame]] = deque()
    try:
        for number in range(count):
            under_way.append(pool.submit(chunk, number))
            if len(under_way) > workers:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _unheard() -> np.errstate:
    """Numbers at the end of what floats can hold are no matter for warnings: they come from the
    table, or from whoever made the file."""
    return np.errstate(all="ignore")


class Sampler:
    """Draws chunks of rows from a trained generator.

    All rows satisfy ``where`` and the schema's constraints. ``shares`` (for categorical columns,
    one a code) are what the columns are to have. ``given`` are partly filled rows, one for each
    row that is drawn. With ``fill`` no cell is left missing, unless its column has nothing else
    or a constraint has it so. With ``extrapolate``, numbers and dates may be asked for beyond
    the range that was shown: they are told to the network as the end of that range.

    Raises :class:`ConditionError` if no training row satisfies the condition on a column, or if
    given cells break a constraint (with ``fill`` or ``extrapolate`` they are let through).
    """

    def __init__(
        self,
        encoder: Encoder,
        generator: Generator,
        where: Mapping[str, Allowed] | None = None,
        *,
        shares: Mapping[str, Floats] | None = None,
        given: Given | None = None,
        fill: bool = False,
        extrapolate: bool = False,
    ) -> None:
        with _unheard():
            self._asked = Conditions(
                encoder,
                generator,
                where or {},
                shares=shares or {},
                given=given,
                fill=fill,
                extrapolate=extrapolate,
            )
            constraints = encoder.schema.constraints
            if fill:
                constraints = tuple(
                    each for each in constraints if not isinstance(each, FixedNullCombinations)
                )
            self._rules = Rules(constraints, encoder.context)
            if given is not None and self._rules.exist:
                self._asked.given = self._excuse(given, tolerant=fill or extrapolate)
            self._drawer = Drawer(self._asked, self._rules)

    @staticmethod
    def check(encoder: Encoder) -> None:
        """Raises :class:`SchemaError` if the constraints cannot be kept with these columns."""
        with _unheard():
            Limits(encoder, encoder.layout.drawable, torch.device("cpu"))

    @property
    def acceptance(self) -> dict[str, float]:
        """Of the rows drawn so far, the share that kept each constraint when they were first
        drawn, if not all did: the others were drawn again."""
        return self._rules.acceptance

    def chunks(self, rows: int, seed: int, locale: str | None = None) -> Iterator[pd.DataFrame]:
        """``rows`` rows, in tables of :data:`CHUNK_ROWS`; chunk i draws from (seed, i).

        On a CPU as many chunks are drawn at once as PyTorch has threads, each by one of them: the
        products are too small to share. Where a constraint wants rows to be unique, a chunk
        depends on those before it, and they are drawn in turn. Generated names and the like are
        those of ``locale``; None: the schema's.
        """
        count = math.ceil(rows / CHUNK_ROWS)
        on_cpu, threads = self._asked.device.type == "cpu", torch.get_num_threads()
        workers = min(threads, count) if on_cpu and not self._rules.look_back else 1
        seen: set[object] = set()
        if self._asked.given is not None:
            seen = self._rules.taken(dict(self._asked.given.cells), self._asked.given.settled)

        def chunk(number: int) -> pd.DataFrame:
            size = min(CHUNK_ROWS, rows - number * CHUNK_ROWS)
            return self.chunk(number, size, seed, seen, locale)

        def alone(number: int) -> pd.DataFrame:
            try:
                torch.set_num_threads(1 if on_cpu else threads)  # so that rows are the same
                return chunk(number)
            finally:
                torch.set_num_threads(threads)

        yield from map(alone, range(count)) if workers < 2 else _ahead(chunk, count, workers)

    def chunk(
        self,
        number: int,
        rows: int,
        seed: int,
        seen: set[object] | None = None,
        locale: str | None = None,
    ) -> pd.DataFrame:
        """Chunk ``number``, of ``rows`` rows, the same anywhere; ``seen`` are keys before it."""
        with _unheard():
            return self._chunk(number, rows, seed, set() if seen is None else seen, locale)

    def _chunk(
        self, number: int, rows: int, seed: int, seen: set[object], locale: str | None
    ) -> pd.DataFrame:
        words = np.random.SeedSequence([seed, number])
        rng = np.random.default_rng(words)
        torch_rng = torch.Generator(self._asked.device).manual_seed(int(words.generate_state(1)[0]))
        first = number * CHUNK_ROWS
        part = None if self._asked.given is None else self._asked.given.rows(first, first + rows)
        start = self._asked.start(part, rows, rng)
        cells = self._drawer.cells(start, part, np.arange(rows), (rng, torch_rng))
        if self._rules.exist:
            self._keep_rules(cells, start, part, (rng, torch_rng), seen)
        owners = None if part is None else part.owners
        inventor = self._asked.encoder.invent(seed, locale, full=self._asked.fill, owners=owners)
        frame = self._asked.encoder.assemble(cells, start=first, rows=rows, inventor=inventor)
        return frame if part is None or self._asked.fill else part.keep_in(frame)

    # Constraints

    def _keep_rules(
        self,
        cells: Cells,
        start: Draw,
        part: Given | None,
        rngs: Rngs,
        seen: set[object],
    ) -> None:
        """Mends ``cells`` (rows), and draws the rows again that no mending helps."""
        everyone, settled = np.arange(len(start.tokens)), {} if part is None else part.settled
        wrong = self._mend(cells, part, everyone, count=True)
        fruitless = 0
        for round_ in range(ROUNDS + 1):
            written = with_given(cells, part, everyone)
            repeated = self._rules.repeats(written, settled, seen, count=round_ == 0)
            left = np.flatnonzero(wrong | repeated)
            if not len(left) or fruitless == FRUITLESS or round_ == ROUNDS:
                break
            again = np.resize(left, max(len(left), min(LEAST_AGAIN, CHUNK_ROWS)))
            drawn = self._drawer.cells(start.take(again), part, again, rngs)
            good = np.flatnonzero(~self._mend(drawn, part, again, count=False))
            rows, firsts = np.unique(again[good], return_index=True)
            for name, values in drawn.items():
                cells[name][rows] = values[good[firsts]]
            wrong[rows] = False
            fruitless = 0 if len(rows) else fruitless + 1
        if len(left) and not self._asked.fill:  # known cells may leave nothing that keeps all
            raise ConditionError(self._hopeless(len(left), len(wrong)))
        self._rules.remember(written, seen)

    def _mend(self, cells: Cells, part: Given | None, rows: Ints, *, count: bool) -> Bools:
        """Mends ``cells``, of chunk rows ``rows``; which of them are broken all the same."""
        drawn, fixed = dict(cells), self._asked.fixed(part, rows)
        cells.update(with_given(cells, part, rows))
        wrong = self._rules.mend(cells, fixed, count=count)
        for name, allowed in self._asked.where.items():
            wrong |= ~allowed.admits(cells[name])
        if part is not None:  # given cells are put back as they came, later
            for name in part.cells:
                cells[name] = np.where(fixed[name], drawn[name], cells[name])
            wrong &= ~part.excused[rows]
        return wrong

    def _excuse(self, rows: Given, *, tolerant: bool) -> Given:
        """Excuses given rows that break a constraint as they came, or refuses them."""
        known = {name: ~np.asarray(pd.isna(cells)) for name, cells in rows.cells.items()}
        found = self._rules.breaking(dict(rows.cells), known)
        given = torch.from_numpy(rows.mask[:, self._asked.encoder.layout.column_of] > 0)
        tokens = torch.from_numpy(rows.tokens)
        for table in self._asked.limits.tables:
            lost = (
                ~table.admits(tokens.to(self._asked.device), given.to(self._asked.device))
                .cpu()
                .numpy()
            )
            if lost.any():
                found[table.constraint] = found.get(table.constraint, False) | lost
        for constraint, broken in found.items():
            if not tolerant:
                raise ConditionError(
                    f"{int(broken.sum()):,} of the given rows break the constraint {constraint}"
                )
        alone = [broken for rule, broken in found.items() if not isinstance(rule, Unique)]
        return replace(rows, excused=np.logical_or.reduce([rows.excused, *alone]))

    def _hopeless(self, rows: int, of: int) -> str:
        kept = "; ".join(f"{text} ({share:.1%})" for text, share in self.acceptance.items())
        return (
            f"{rows:,} of {of:,} rows still violate a constraint, or repeat another row, after "
            f"thousands of draws; too few rows satisfy both the condition and: "
            f"{kept or 'what the condition says'}"
        )
