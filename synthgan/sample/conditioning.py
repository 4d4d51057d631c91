"""Conditions on rows: cells that they require, drawn before the rest of the row.

A condition restricts the cells that a column may hold; the restricted cells are drawn first, then
given to the generator:

- a column fixed to one cell is simply given;
- one restricted column, with nothing given, is drawn from the column's own distribution;
- otherwise each restricted column is drawn from the model given the cells before it, limited
  to what is allowed, and a candidate's weight is multiplied by the probability of what is
  allowed; candidates are then resampled by weight (sequential importance sampling).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from synthgan._typing import Bools, Floats, Ints
from synthgan.columns.cell_set import Allowed
from synthgan.columns.cells import write_cells
from synthgan.encode.date_difference import Gap
from synthgan.encode.encoder import Encoder
from synthgan.encode.number_codec import NumberCodec
from synthgan.encode.options import Options
from synthgan.errors import ConditionError
from synthgan.network.generator import Chain, Generator
from synthgan.network.kernels import categorical
from synthgan.sample.draw import CANDIDATES, Draw, snap
from synthgan.sample.partial_rows import Given
from synthgan.sample.token_masks import Limits
from synthgan.schema.constraints.base import Cells
from synthgan.schema.constraints.missing_when import MissingWhen


class Conditions:
    """What is asked of rows: cells of columns (``where``), shares of the codes of others
    (``shares``), and partly filled rows, one for each that is drawn (``given``). With ``fill`` no
    cell is left missing, unless its column has nothing else or a constraint has it so.

    Raises :class:`ConditionError` if no training row satisfies the condition on a column.
    """

    def __init__(
        self,
        encoder: Encoder,
        generator: Generator,
        where: Mapping[str, Allowed],
        *,
        shares: Mapping[str, Floats],
        given: Given | None,
        fill: bool,
        extrapolate: bool,
    ) -> None:
        self.encoder, self.generator = encoder, generator
        self.where, self.shares, self.given = dict(where), dict(shares), given
        self.fill = fill
        self._check_asked()
        self.options = {name: self._find_options(name, extrapolate) for name in self.where}
        self.limits = self._find_limits()
        self._check_options()

    @property
    def device(self) -> torch.device:
        """Where rows are drawn."""
        return self.generator.device

    def _check_asked(self) -> None:
        """Raises :class:`ConditionError` for a column that is given in two ways."""
        for name in {*self.where, *self.shares}:
            given = self.given
            if given is not None and name in given.frame and given.frame[name].notna().any():
                raise ConditionError(
                    f"column {name!r} is given in the rows and in the condition; leave out one"
                )
        for name in self.where.keys() & self.shares.keys():
            raise ConditionError(f"column {name!r} is balanced and in the condition; leave out one")

    def _find_limits(self) -> Limits:
        layout, schema = self.encoder.layout, self.encoder.schema
        emptied = {c.column for c in schema.constraints if isinstance(c, MissingWhen)}
        emptied |= {gap.name for gap in self.encoder.gaps if emptied & {gap.low, gap.high}}
        kept = np.zeros(layout.entries, dtype=bool)
        for span in layout.spans:
            kept[span.start : span.start + span.width] = span.column in emptied
        barred = self.encoder.missing_entries & ~kept & self.fill
        return Limits(self.encoder, layout.drawable & ~barred, self.device)

    def _check_options(self) -> None:
        codes = {}
        for name, options in self.options.items():
            position = self.encoder.layout.code_position(name)
            if position is not None:
                codes[position] = torch.from_numpy(options.codes).to(self.device)
        for table in self.limits.tables:
            if not table.leaves(codes):
                raise ConditionError(
                    f"no row satisfies both the condition and the constraint {table.constraint}"
                )

    def _find_options(self, name: str, extrapolate: bool) -> Options:
        codec = self.encoder.codecs[name]
        options = codec.options(self.where[name])
        mass = codec.prior[options.codes] * options.share
        if not mass.sum() > 0 and extrapolate and isinstance(codec, NumberCodec):
            options = codec.beyond(self.where[name])
            mass = np.ones(len(options.codes))
        if not mass.sum() > 0:
            raise ConditionError(self._never_shown(name))
        keep = mass > 0
        return Options(
            options.codes[keep], options.first[keep], options.last[keep], options.value[keep]
        )

    def _never_shown(self, name: str) -> str:
        codec = self.encoder.codecs[name]
        text = f"column {name!r}: no training row satisfies the condition"
        if self.where[name].missing == "only":
            return f"{text}: it has no missing cells"
        levels = [level for level, mass in zip(codec.levels, codec.prior, strict=False) if mass > 0]
        if levels:
            shown = ", ".join(repr(level) for level in levels[:10])
            return f"{text}; its values are {shown}" + (", ..." if len(levels) > 10 else "")
        low, high = getattr(codec, "range", lambda: (math.nan, math.nan))()
        if math.isnan(low):
            return f"{text}: every cell is missing"
        plain = write_cells(np.array([low, high]), codec.column).astype(str)
        return f"{text}; its values are {plain.iloc[0]} to {plain.iloc[1]}"

    def start(self, part: Given | None, rows: int, rng: np.random.Generator) -> Draw:
        """Rows with the cells that came with them, and the balanced ones."""
        layout = self.encoder.layout
        tokens = np.zeros((rows, len(layout.spans)), dtype=np.int64)
        mask = np.zeros((rows, len(layout.columns)), dtype=np.float32)
        strata = np.zeros(rows, dtype=np.int64)
        if part is not None:
            tokens[:], mask[:] = part.tokens, part.mask
            strata = np.arange(rows, dtype=np.int64)
        for name, shares in self.shares.items():
            points = (np.arange(rows) + rng.random()) / rows  # systematic: shares are kept
            codes = np.searchsorted(np.cumsum(shares) / shares.sum(), points)
            codes = rng.permutation(np.minimum(codes, np.flatnonzero(shares)[-1]))
            strata = np.unique(strata * len(shares) + codes, return_inverse=True)[1]
            at = layout.code_position(name)
            if at is not None:
                tokens[:, at] = codes
                mask[:, layout.columns.index(name)] = 1.0
        on = self.device
        return Draw(torch.from_numpy(tokens).to(on), torch.from_numpy(mask).to(on), strata, {}, {})

    def draw_asked(self, start: Draw, rng: np.random.Generator, torch_rng: torch.Generator) -> Draw:
        """Cells given in each row: those it started with, and those drawn from the condition."""
        draw = self._asked(start, rng, torch_rng)
        for gap in self.encoder.gaps:
            if gap.low in self.where and gap.high in self.where:
                self._give_gap(draw, gap, rng)
        return draw

    def _give_gap(self, draw: Draw, gap: Gap, rng: np.random.Generator) -> None:
        """Gives the difference of two columns that are both in the condition."""
        layout = self.encoder.layout
        at = layout.code_position(gap.name)
        if at is None:
            return
        apart = gap.cells(self.decode(draw.tokens.cpu().numpy(), draw, rng))
        known = torch.from_numpy(apart >= 0).to(self.device)
        tokens = torch.from_numpy(self.encoder.tokens_of_gap(gap, apart, rng)).to(self.device)
        place = slice(at, at + tokens.shape[1])
        draw.tokens[:, place] = torch.where(known[:, None], tokens, draw.tokens[:, place])
        draw.mask[:, layout.columns.index(gap.name)] = known.to(draw.mask.dtype)

    def _asked(self, start: Draw, rng: np.random.Generator, torch_rng: torch.Generator) -> Draw:
        """Rows with the cells they started with, and those drawn from the condition."""
        free = [name for name, options in self.options.items() if len(options.codes) > 1]
        fixed = [name for name in self.options if name not in free]
        rows = len(start.tokens)
        draw = start.take(np.arange(rows))  # a copy: rows may have to start again
        alike = not (fixed or self.shares or self.given)
        if len(free) == 1 and alike:
            name = free[0]
            mass = self.encoder.codecs[name].prior[self.options[name].codes]
            mass = mass * self.options[name].share
            self._set(draw, name, rng.choice(len(mass), size=rows, p=mass / mass.sum()), rng)
            return draw
        wanted = draw.strata
        if free:
            draw = draw.take(np.repeat(np.arange(rows), CANDIDATES))
        count = len(draw.tokens)
        for name in fixed:
            self._set(draw, name, np.zeros(count, dtype=np.int64), rng)
        if not free:
            return draw
        weights = np.zeros(count)
        order = {name: position for position, name in enumerate(self.encoder.codecs)}
        for name in sorted(free, key=order.__getitem__):
            weights += self._draw_option(draw, name, rng, torch_rng)
        return draw.take(resample(weights, draw.strata, wanted, rng))

    @torch.no_grad()
    def _draw_option(
        self, draw: Draw, name: str, rng: np.random.Generator, torch_rng: torch.Generator
    ) -> Floats:
        """Draws ``name`` from the model within its options; log probability of all options."""
        at = self.encoder.layout.code_position(name)
        options = self.options[name]
        if at is None:
            self._set(draw, name, np.zeros(len(draw.tokens), dtype=np.int64), rng)
            return np.zeros(len(draw.tokens))
        z = self.noise(draw, torch_rng)
        chain = Chain(self.generator, z, draw.tokens, draw.mask, self.limits)
        for position in range(at):
            chain.advance(position, torch_rng)
        logits = chain.logits(at)
        codes = torch.from_numpy(options.codes).to(self.device)
        share = torch.from_numpy(options.share).to(self.device, logits.dtype)
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
        options, layout = self.options[name], self.encoder.layout
        first, last = options.first[choice], options.last[choice]
        places = first + (last - first) * rng.random(len(choice))
        draw.places[name] = places
        if not np.isnan(options.value).all():
            draw.values[name] = options.value[choice]
        at = layout.code_position(name)
        if at is None:
            return
        draw.tokens[:, at] = torch.from_numpy(options.codes[choice]).to(self.device)
        if self.encoder.codecs[name].has_fine:
            fine = self.encoder.codecs[name].steps(options.codes[choice], places)
            draw.tokens[:, at + 1] = torch.from_numpy(fine).to(self.device)
        draw.mask[:, layout.columns.index(name)] = 1.0

    def noise(self, draw: Draw, rng: torch.Generator) -> Tensor:
        shape = (len(draw.tokens), self.generator.config.noise_width)
        return torch.randn(shape, generator=rng, device=self.device)

    def decode(self, tokens: Ints, draw: Draw, rng: np.random.Generator) -> Cells:
        cells: Cells = dict(self.encoder.decode(tokens, rng, draw.places))
        for name, values in draw.values.items():
            cells[name] = np.where(np.isnan(values), cells[name].astype(np.float64), values)
        for name, allowed in self.where.items():
            column = self.encoder.codecs[name].column
            if column.kind.is_numeric:
                cells[name] = snap(cells[name].astype(np.float64), column, allowed)
        return cells

    def fixed(self, part: Given | None, rows: Ints) -> dict[str, Bools]:
        """Which cells must stay as they are."""
        fixed = {name: np.zeros(len(rows), dtype=bool) for name in self.encoder.codecs}
        for name, allowed in self.where.items():
            fixed[name][:] = allowed.is_single is not None or allowed.missing == "only"
        for name in self.shares:
            fixed[name][:] = True
        for name, given in (part.cells if part is not None else {}).items():
            fixed[name] |= ~np.asarray(pd.isna(given[rows]))
        return fixed


def resample(log_weights: Floats, strata: Ints, wanted: Ints, rng: np.random.Generator) -> Ints:
    """Systematic resampling (Kitagawa 1996) within strata, one index for each row ``wanted``.

    ``strata`` are those of the candidates; each that is wanted has some.
    """
    order = np.argsort(strata, kind="stable")
    names, first, size = np.unique(strata[order], return_index=True, return_counts=True)
    group = np.repeat(np.arange(len(names)), size)
    logs = np.maximum(log_weights[order], -1e9)  # a condition that a constraint rules out
    weights = np.exp(logs - np.maximum.reduceat(logs, first)[group])
    total = np.cumsum(weights)
    before = np.r_[0.0, total[first[1:] - 1]]
    edges = group + (total - before[group]) / np.add.reduceat(weights, first)[group]
    index = np.empty(len(wanted), dtype=np.int64)
    rows = rng.permutation(len(wanted))
    rows = rows[np.argsort(wanted[rows], kind="stable")]
    which, start, count = np.unique(wanted[rows], return_index=True, return_counts=True)
    place = np.arange(len(rows)) - np.repeat(start, count)
    points = (place + np.repeat(rng.random(len(which)), count)) / np.repeat(count, count)
    at = np.searchsorted(names, np.repeat(which, count))
    found = np.searchsorted(edges, at + points)
    index[rows] = order[np.clip(found, first[at], first[at] + size[at] - 1)]
    return index
