"""Conditions to filled-in rows, in chunks whose content depends on seed and number alone.

Unconditional rows are one pass through the generator. A condition restricts the cells that
a column may hold; the restricted cells are drawn first, then given to the generator, which
fills in the rest of the row conditioned on all of them:

- a column fixed to one cell is simply given;
- one restricted column, with nothing given, is drawn from the column's own distribution;
- otherwise each restricted column is drawn from the model given the cells before it, limited
  to what is allowed, and a candidate's weight is multiplied by the probability of what is
  allowed; candidates are then resampled by weight (sequential importance sampling).

Constraints between columns limit the tokens that are drawn, and are mended in the cells where
tokens are too coarse; a row that breaks one all the same is drawn again, and counted.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from synthgan.codec import NumberCodec, Options
from synthgan.condition import Allowed
from synthgan.constraints import Cells, Gap
from synthgan.encode import Encoder
from synthgan.errors import ConditionError
from synthgan.given import Given
from synthgan.limits import Limits
from synthgan.network import Chain, Generator, categorical
from synthgan.rules import Rules
from synthgan.sample.draw import Draw, resample, snap
from synthgan.schema import FixedNullCombinations, MissingWhen, Unique
from synthgan.values import write_cells

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_Rngs = tuple[np.random.Generator, torch.Generator]

CHUNK_ROWS = 8192
"""Rows a chunk. Part of what a seed means: another number gives other rows."""

_BLOCK_ROWS = 2048  # that a CPU draws at once, so that their states stay in its cache
_CANDIDATES = 4  # a row wanted, where candidates are weighted
_TRIED_ROWS, _TRIED_CANDIDATES = 128, 8
_MOST_CANDIDATES = 8
_BAD = 0.05  # share of rows whose candidates may all be bad
_REPLACINGS = 16  # times that places within a stretch of values are drawn again
_ROUNDS = 100  # in which rows that break a constraint are drawn again
_FRUITLESS = 10  # such rounds in turn without a row that keeps all, before giving up
_LEAST_AGAIN = 512  # rows drawn in such a round: the same ones several times, if there are fewer


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


class Sampler:
    """Draws chunks of rows from a trained generator.

    All rows satisfy ``where`` and the schema's constraints. ``shares`` (for categorical columns,
    one a code) are what the columns are to have. ``given`` are partly filled rows, one for each
    row that is drawn. With ``fill`` no cell is left missing, unless its column has nothing else
    or a constraint has it so. With ``extrapolate``, numbers and dates may be asked for beyond
    the range that was shown: they are told to the network as the end of that range.

    Raises :class:`ConditionError` if the training data never showed a column as asked, or if
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
        self._encoder, self._generator = encoder, generator
        self._where, self._shares, self._rows = dict(where or {}), dict(shares or {}), given
        self._fill_all = fill
        for name in {*self._where, *self._shares}:
            if given is not None and name in given.frame and given.frame[name].notna().any():
                raise ConditionError(
                    f"column {name!r} is given in the rows, and asked for besides; leave out one"
                )
        for name in self._where.keys() & self._shares.keys():
            raise ConditionError(
                f"column {name!r} is balanced, and asked for besides; leave out one"
            )
        self._options = {name: self._find_options(name, extrapolate) for name in self._where}
        self._limits = self._find_limits()
        self._check_options()
        constraints = encoder.schema.constraints
        if fill:
            constraints = tuple(c for c in constraints if not isinstance(c, FixedNullCombinations))
        self._rules = Rules(constraints, encoder.context)
        if self._rows is not None and self._rules.exist:
            self._rows = self._excuse(self._rows, tolerant=fill or extrapolate)
        self._candidates = self._find_candidates()

    @staticmethod
    def check(encoder: Encoder) -> None:
        """Raises :class:`SchemaError` if the constraints cannot be kept with these columns."""
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
        depends on those before it, and they are drawn in turn. Made-up names and the like are
        those of ``locale``; None: the schema's.
        """
        count = math.ceil(rows / CHUNK_ROWS)
        on_cpu, threads = self._device.type == "cpu", torch.get_num_threads()
        workers = min(threads, count) if on_cpu and not self._rules.look_back else 1
        seen: set[object] = set()
        if self._rows is not None:
            seen = self._rules.taken(dict(self._rows.cells), self._rows.settled)

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
        """Chunk ``number``, of ``rows`` rows, whoever draws it; ``seen`` are keys before it."""
        words = np.random.SeedSequence([seed, number])
        rng = np.random.default_rng(words)
        torch_rng = torch.Generator(self._device).manual_seed(int(words.generate_state(1)[0]))
        first = number * CHUNK_ROWS
        part = None if self._rows is None else self._rows.rows(first, first + rows)
        start = self._start(part, rows, rng)
        cells = self._draw_cells(start, part, np.arange(rows), (rng, torch_rng))
        if self._rules.exist:
            self._keep_rules(cells, start, part, (rng, torch_rng), set() if seen is None else seen)
        owners = None if part is None else part.owners
        inventor = self._encoder.invent(seed, locale, full=self._fill_all, owners=owners)
        frame = self._encoder.assemble(cells, start=first, rows=rows, inventor=inventor)
        return frame if part is None or self._fill_all else part.keep_in(frame)

    @property
    def _device(self) -> torch.device:
        return self._generator.out.device

    def _draw_cells(self, start: Draw, part: Given | None, rows: Ints, rngs: _Rngs) -> Cells:
        """Cells of each modelled column, of chunk rows ``rows``, that are to begin as ``start``."""
        draw = self._given(start, *rngs)
        tokens = self._fill(draw, rngs[1]).cpu().numpy()
        cells = self._decode(tokens, draw, rngs[0])
        self._close_gaps(cells, part, rows, rngs[0])
        # Two cells that lie in the same stretch may be in the wrong order: places in it are drawn
        # again, which tells nothing new.
        for _ in range(_REPLACINGS if self._rules.orders else 0):
            wrong = np.flatnonzero(self._rules.disordered(self._with_given(cells, part, rows)))
            if not len(wrong):
                break
            again = self._decode(tokens[wrong], draw.take(wrong), rngs[0])
            self._close_gaps(again, part, rows[wrong], rngs[0])
            for name, values in again.items():
                cells[name][wrong] = values
        return cells

    def _decode(self, tokens: Ints, draw: Draw, rng: np.random.Generator) -> Cells:
        cells: Cells = dict(self._encoder.decode(tokens, rng, draw.places))
        for name, values in draw.values.items():
            cells[name] = np.where(np.isnan(values), cells[name].astype(np.float64), values)
        for name, allowed in self._where.items():
            column = self._encoder.codecs[name].column
            if column.kind.is_numeric:
                cells[name] = snap(cells[name].astype(np.float64), column, allowed)
        return cells

    def _close_gaps(
        self, cells: Cells, part: Given | None, rows: Ints, rng: np.random.Generator
    ) -> None:
        """Makes columns of ``cells``, of chunk rows ``rows``, as far apart as was drawn; cells
        that are given or asked for stay."""
        if not self._encoder.gaps:
            return
        fixed = self._fixed(part, rows)
        for name in self._where:
            fixed[name][:] = True
        written = self._with_given(cells, part, rows)
        for gap in self._encoder.gaps:
            cells[gap.low], cells[gap.high] = written[gap.low], written[gap.high]
        self._encoder.close_gaps(cells, fixed, rng)

    @staticmethod
    def _with_given(cells: Cells, part: Given | None, rows: Ints) -> Cells:
        """``cells``, of chunk rows ``rows``, with those that came in the place of those drawn."""
        found = dict(cells)
        for name, given in (part.cells if part is not None else {}).items():
            found[name] = np.where(pd.isna(given[rows]), cells[name], given[rows])
        return found

    # Constraints

    def _keep_rules(
        self,
        cells: Cells,
        start: Draw,
        part: Given | None,
        rngs: _Rngs,
        seen: set[object],
    ) -> None:
        """Mends ``cells`` (rows), and draws the rows again that no mending helps."""
        everyone, settled = np.arange(len(start.tokens)), {} if part is None else part.settled
        wrong = self._mend(cells, part, everyone, count=True)
        fruitless = 0
        for round_ in range(_ROUNDS + 1):
            written = self._with_given(cells, part, everyone)
            repeated = self._rules.repeats(written, settled, seen, count=round_ == 0)
            left = np.flatnonzero(wrong | repeated)
            if not len(left) or fruitless == _FRUITLESS or round_ == _ROUNDS:
                break
            again = np.resize(left, max(len(left), min(_LEAST_AGAIN, CHUNK_ROWS)))
            drawn = self._draw_cells(start.take(again), part, again, rngs)
            good = np.flatnonzero(~self._mend(drawn, part, again, count=False))
            rows, firsts = np.unique(again[good], return_index=True)
            for name, values in drawn.items():
                cells[name][rows] = values[good[firsts]]
            wrong[rows] = False
            fruitless = 0 if len(rows) else fruitless + 1
        if len(left) and not self._fill_all:  # known cells may leave nothing that keeps all
            raise ConditionError(self._hopeless(len(left), len(wrong)))
        self._rules.remember(written, seen)

    def _mend(self, cells: Cells, part: Given | None, rows: Ints, *, count: bool) -> Bools:
        """Mends ``cells``, of chunk rows ``rows``; which of them are broken all the same."""
        drawn, fixed = dict(cells), self._fixed(part, rows)
        cells.update(self._with_given(cells, part, rows))
        wrong = self._rules.mend(cells, fixed, count=count)
        for name, allowed in self._where.items():
            wrong |= ~allowed.admits(cells[name])
        if part is not None:  # given cells are put back as they came, later
            for name in part.cells:
                cells[name] = np.where(fixed[name], drawn[name], cells[name])
            wrong &= ~part.excused[rows]
        return wrong

    def _fixed(self, part: Given | None, rows: Ints) -> dict[str, Bools]:
        """Which cells must stay as they are."""
        fixed = {name: np.zeros(len(rows), dtype=bool) for name in self._encoder.codecs}
        for name, allowed in self._where.items():
            fixed[name][:] = allowed.is_single is not None or allowed.missing == "only"
        for name in self._shares:
            fixed[name][:] = True
        for name, given in (part.cells if part is not None else {}).items():
            fixed[name] |= ~np.asarray(pd.isna(given[rows]))
        return fixed

    def _find_limits(self) -> Limits:
        layout, schema = self._encoder.layout, self._encoder.schema
        emptied = {c.column for c in schema.constraints if isinstance(c, MissingWhen)}
        emptied |= {gap.name for gap in self._encoder.gaps if emptied & {gap.low, gap.high}}
        kept = np.zeros(layout.entries, dtype=bool)
        for span in layout.spans:
            kept[span.start : span.start + span.width] = span.column in emptied
        barred = self._encoder.missing_entries & ~kept & self._fill_all
        return Limits(self._encoder, layout.drawable & ~barred, self._device)

    def _check_options(self) -> None:
        codes = {}
        for name, options in self._options.items():
            position = self._encoder.layout.code_position(name)
            if position is not None:
                codes[position] = torch.from_numpy(options.codes).to(self._device)
        for table in self._limits.tables:
            if not table.leaves(codes):
                raise ConditionError(
                    f"the constraint {table.constraint} leaves no row that is as asked for"
                )

    def _excuse(self, rows: Given, *, tolerant: bool) -> Given:
        """Excuses given rows that break a constraint as they came, or refuses them."""
        known = {name: ~np.asarray(pd.isna(cells)) for name, cells in rows.cells.items()}
        found = self._rules.breaking(dict(rows.cells), known)
        given = torch.from_numpy(rows.mask[:, self._encoder.layout.column_of] > 0)
        tokens = torch.from_numpy(rows.tokens)
        for table in self._limits.tables:
            lost = ~table.admits(tokens.to(self._device), given.to(self._device)).cpu().numpy()
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
            f"{rows:,} of {of:,} rows still break a constraint, or repeat another row, after "
            f"thousands of draws; what is asked for leaves too few rows that keep: "
            f"{kept or 'what the condition says'}"
        )

    def _fill(self, draw: Draw, rng: torch.Generator) -> Tensor:
        if not self._encoder.layout.spans:
            return draw.tokens
        z, drawn = self._noise(draw, rng), []
        block = _BLOCK_ROWS if self._device.type == "cpu" else CHUNK_ROWS
        block = max(block // self._candidates, 1)
        for start in range(0, len(z), block):
            part = slice(start, start + block)
            drawn.append(
                self._generator.draw(
                    z[part],
                    draw.tokens[part],
                    draw.mask[part],
                    rng,
                    drawable=self._limits,
                    candidates=self._candidates,
                )
            )
        return torch.cat(drawn)

    def _find_candidates(self) -> int:
        """How many candidates a row are worth their time."""
        if not (self._where or self._shares or self._rows) or not self._encoder.layout.spans:
            return 1
        part = None if self._rows is None else self._rows.some(_TRIED_ROWS)
        rows = _TRIED_ROWS if part is None else len(part)
        rng = torch.Generator(self._device).manual_seed(0)
        draw = self._start(part, rows, np.random.default_rng(0))
        draw = self._given(draw, np.random.default_rng(0), rng)
        share = self._generator.effective_share(
            self._noise(draw, rng),
            draw.tokens,
            draw.mask,
            rng,
            drawable=self._limits,
            candidates=_TRIED_CANDIDATES,
        )
        if share >= 1 - _BAD:
            return 1
        # About 1 - share of the draws are bad, and all of n are with that to the power of n.
        wanted = math.log(_BAD) / math.log(1 - share)
        return int(min(2 ** math.ceil(math.log2(wanted)), _MOST_CANDIDATES))

    def _noise(self, draw: Draw, rng: torch.Generator) -> Tensor:
        shape = (len(draw.tokens), self._generator.config.noise_width)
        return torch.randn(shape, generator=rng, device=self._device)

    def _find_options(self, name: str, extrapolate: bool) -> Options:
        codec = self._encoder.codecs[name]
        options = codec.options(self._where[name])
        mass = codec.prior[options.codes] * options.share
        if not mass.sum() > 0 and extrapolate and isinstance(codec, NumberCodec):
            options = codec.beyond(self._where[name])
            mass = np.ones(len(options.codes))
        if not mass.sum() > 0:
            raise ConditionError(self._never_shown(name))
        keep = mass > 0
        return Options(
            options.codes[keep], options.first[keep], options.last[keep], options.value[keep]
        )

    def _never_shown(self, name: str) -> str:
        codec = self._encoder.codecs[name]
        text = f"column {name!r}: the training data never showed what is asked for"
        if self._where[name].missing == "only":
            return f"{text}: it has no missing cells"
        levels = [level for level, mass in zip(codec.levels, codec.prior, strict=False) if mass > 0]
        if levels:
            shown = ", ".join(repr(level) for level in levels[:10])
            return f"{text}; it showed {shown}" + (", ..." if len(levels) > 10 else "")
        low, high = getattr(codec, "range", lambda: (math.nan, math.nan))()
        if math.isnan(low):
            return f"{text}: every cell is missing"
        plain = write_cells(np.array([low, high]), codec.column).astype(str)
        return f"{text}; it showed {plain.iloc[0]} to {plain.iloc[1]}"

    def _given(self, start: Draw, rng: np.random.Generator, torch_rng: torch.Generator) -> Draw:
        """What is given in each row: what it started with, and what is asked for."""
        draw = self._asked(start, rng, torch_rng)
        for gap in self._encoder.gaps:
            if gap.low in self._where and gap.high in self._where:
                self._give_gap(draw, gap, rng)
        return draw

    def _give_gap(self, draw: Draw, gap: Gap, rng: np.random.Generator) -> None:
        """Gives the difference of two columns that are both asked for."""
        layout = self._encoder.layout
        at = layout.code_position(gap.name)
        if at is None:
            return
        apart = gap.cells(self._decode(draw.tokens.cpu().numpy(), draw, rng))
        known = torch.from_numpy(apart >= 0).to(self._device)
        tokens = torch.from_numpy(self._encoder.tokens_of_gap(gap, apart, rng)).to(self._device)
        place = slice(at, at + tokens.shape[1])
        draw.tokens[:, place] = torch.where(known[:, None], tokens, draw.tokens[:, place])
        draw.mask[:, layout.columns.index(gap.name)] = known.to(draw.mask.dtype)

    def _asked(self, start: Draw, rng: np.random.Generator, torch_rng: torch.Generator) -> Draw:
        """Rows with what they started with, and what is asked for."""
        free = [name for name, options in self._options.items() if len(options.codes) > 1]
        fixed = [name for name in self._options if name not in free]
        rows = len(start.tokens)
        draw = start.take(np.arange(rows))  # a copy: rows may have to start again
        alike = not (fixed or self._shares or self._rows)
        if len(free) == 1 and alike:
            name = free[0]
            mass = self._encoder.codecs[name].prior[self._options[name].codes]
            mass = mass * self._options[name].share
            self._set(draw, name, rng.choice(len(mass), size=rows, p=mass / mass.sum()), rng)
            return draw
        wanted = draw.strata
        if free:
            draw = draw.take(np.repeat(np.arange(rows), _CANDIDATES))
        count = len(draw.tokens)
        for name in fixed:
            self._set(draw, name, np.zeros(count, dtype=np.int64), rng)
        if not free:
            return draw
        weights = np.zeros(count)
        order = {name: position for position, name in enumerate(self._encoder.codecs)}
        for name in sorted(free, key=order.__getitem__):
            weights += self._draw_option(draw, name, rng, torch_rng)
        return draw.take(resample(weights, draw.strata, wanted, rng))

    def _start(self, part: Given | None, rows: int, rng: np.random.Generator) -> Draw:
        """Rows with the cells that came with them, and the balanced ones."""
        layout = self._encoder.layout
        tokens = np.zeros((rows, len(layout.spans)), dtype=np.int64)
        mask = np.zeros((rows, len(layout.columns)), dtype=np.float32)
        strata = np.zeros(rows, dtype=np.int64)
        if part is not None:
            tokens[:], mask[:] = part.tokens, part.mask
            strata = np.arange(rows, dtype=np.int64)
        for name, shares in self._shares.items():
            points = (np.arange(rows) + rng.random()) / rows  # systematic: shares are kept
            codes = np.searchsorted(np.cumsum(shares) / shares.sum(), points)
            codes = rng.permutation(np.minimum(codes, np.flatnonzero(shares)[-1]))
            strata = np.unique(strata * len(shares) + codes, return_inverse=True)[1]
            at = layout.code_position(name)
            if at is not None:
                tokens[:, at] = codes
                mask[:, layout.columns.index(name)] = 1.0
        on = self._device
        return Draw(torch.from_numpy(tokens).to(on), torch.from_numpy(mask).to(on), strata, {}, {})

    @torch.no_grad()
    def _draw_option(
        self, draw: Draw, name: str, rng: np.random.Generator, torch_rng: torch.Generator
    ) -> Floats:
        """Draws ``name`` from the model within its options; log probability of all options."""
        at = self._encoder.layout.code_position(name)
        options = self._options[name]
        if at is None:
            self._set(draw, name, np.zeros(len(draw.tokens), dtype=np.int64), rng)
            return np.zeros(len(draw.tokens))
        z = self._noise(draw, torch_rng)
        chain = Chain(self._generator, z, draw.tokens, draw.mask, self._limits)
        for position in range(at):
            chain.advance(position, torch_rng)
        logits = chain.logits(at)
        codes = torch.from_numpy(options.codes).to(self._device)
        share = torch.from_numpy(options.share).to(self._device, logits.dtype)
        limited = logits.log_softmax(dim=1)[:, codes] + share.log()
        self._set(draw, name, categorical(limited, torch_rng).cpu().numpy(), rng)
        mass: Floats = limited.logsumexp(dim=1).cpu().numpy().astype(np.float64)
        return mass

    def _set(
        self,
        draw: Draw,
        name: str,
        choice: Ints,
        rng: np.random.Generator,
    ) -> None:
        """Gives ``name`` the cell that option ``choice`` (rows) stands for."""
        options, layout = self._options[name], self._encoder.layout
        first, last = options.first[choice], options.last[choice]
        places = first + (last - first) * rng.random(len(choice))
        draw.places[name] = places
        if not np.isnan(options.value).all():
            draw.values[name] = options.value[choice]
        at = layout.code_position(name)
        if at is None:
            return
        draw.tokens[:, at] = torch.from_numpy(options.codes[choice]).to(self._device)
        if self._encoder.codecs[name].has_fine:
            fine = self._encoder.codecs[name].steps(options.codes[choice], places)
            draw.tokens[:, at + 1] = torch.from_numpy(fine).to(self._device)
        draw.mask[:, layout.columns.index(name)] = 1.0
