"""Conditions to filled-in rows, in chunks whose content depends on seed and number alone.

Unconditional rows are one pass through the generator. A condition restricts the cells that
a column may hold; the restricted cells are drawn first, then given to the generator, which
fills in the rest of the row conditioned on all of them:

- a column fixed to one cell is simply given;
- one restricted column, with nothing given, is drawn from the column's own distribution;
- otherwise each restricted column is drawn from the model given the cells before it, limited
  to what is allowed, and a candidate's weight is multiplied by the probability of what is
  allowed; candidates are then resampled by weight (sequential importance sampling).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from synthgan.codec import Options
from synthgan.condition import Allowed
from synthgan.encode import Encoder
from synthgan.errors import ConditionError
from synthgan.network import Chain, Generator, categorical
from synthgan.schema import Column, Kind
from synthgan.values import write_cells

Floats = npt.NDArray[np.float64]

CHUNK_ROWS = 8192
"""Rows a chunk. Part of what a seed means: another number gives other rows."""

_CANDIDATES = 4  # a row wanted, where candidates are weighted


@dataclass
class _Draw:
    """Rows under way: what is given so far, and how the conditioned cells are to be decoded."""

    tokens: Tensor
    mask: Tensor
    places: dict[str, Floats]
    values: dict[str, Floats]

    def take(self, index: npt.NDArray[np.int64]) -> None:
        """Keeps the rows at ``index``, in that order."""
        at = torch.from_numpy(index).to(self.tokens.device)
        self.tokens, self.mask = self.tokens[at], self.mask[at]
        self.places = {name: places[index] for name, places in self.places.items()}
        self.values = {name: values[index] for name, values in self.values.items()}


class Sampler:
    """Draws chunks of rows that satisfy ``where`` from a trained generator.

    Raises :class:`ConditionError` if the training data never showed a column as asked.
    """

    def __init__(
        self, encoder: Encoder, generator: Generator, where: Mapping[str, Allowed] | None = None
    ) -> None:
        self._encoder, self._generator = encoder, generator
        self._where = dict(where or {})
        self._options = {name: self._find_options(name) for name in self._where}

    def chunks(self, rows: int, seed: int) -> Iterator[pd.DataFrame]:
        """``rows`` rows, in tables of :data:`CHUNK_ROWS`; chunk i draws from (seed, i)."""
        for number in range(math.ceil(rows / CHUNK_ROWS)):
            yield self.chunk(number, min(CHUNK_ROWS, rows - number * CHUNK_ROWS), seed)

    def chunk(self, number: int, rows: int, seed: int) -> pd.DataFrame:
        """Chunk ``number``, of ``rows`` rows, whoever draws it."""
        words = np.random.SeedSequence([seed, number])
        rng = np.random.default_rng(words)
        torch_rng = torch.Generator(self._device).manual_seed(int(words.generate_state(1)[0]))
        draw = self._given(rows, rng, torch_rng)
        tokens = self._fill(draw, torch_rng).cpu().numpy()
        cells = self._encoder.decode(tokens, rng, draw.places)
        for name, values in draw.values.items():
            cells[name] = np.where(np.isnan(values), cells[name].astype(np.float64), values)
        for name, allowed in self._where.items():
            column = self._encoder.codecs[name].column
            if column.kind.is_numeric:
                cells[name] = _snap(cells[name].astype(np.float64), column, allowed)
        return self._encoder.assemble(cells, start=number * CHUNK_ROWS, rows=rows)

    @property
    def _device(self) -> torch.device:
        return self._generator.out.device

    def _fill(self, draw: _Draw, rng: torch.Generator) -> Tensor:
        if not self._encoder.layout.spans:
            return draw.tokens
        z = self._noise(draw, rng)
        return self._generator.draw(z, draw.tokens, draw.mask, rng, only_drawable=True)

    def _noise(self, draw: _Draw, rng: torch.Generator) -> Tensor:
        shape = (len(draw.tokens), self._generator.config.noise_width)
        return torch.randn(shape, generator=rng, device=self._device)

    def _find_options(self, name: str) -> Options:
        codec = self._encoder.codecs[name]
        options = codec.options(self._where[name])
        mass = codec.prior[options.codes] * options.share
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
        if isinstance(codec.levels, tuple) and codec.levels:
            shown = ", ".join(repr(level) for level in codec.levels[:10])
            return f"{text}; it showed {shown}" + (", ..." if len(codec.levels) > 10 else "")
        low, high = getattr(codec, "range", lambda: (math.nan, math.nan))()
        if math.isnan(low):
            return f"{text}: every cell is missing"
        plain = write_cells(np.array([low, high]), codec.column).astype(str)
        return f"{text}; it showed {plain.iloc[0]} to {plain.iloc[1]}"

    def _given(self, rows: int, rng: np.random.Generator, torch_rng: torch.Generator) -> _Draw:
        """Draws the conditioned cells of ``rows`` rows."""
        layout = self._encoder.layout
        free = [name for name, options in self._options.items() if len(options.codes) > 1]
        fixed = [name for name in self._options if name not in free]
        weighted = len(free) > 1 or (len(free) == 1 and len(fixed) > 0)
        count = rows * _CANDIDATES if weighted else rows
        draw = _Draw(
            torch.zeros((count, len(layout.spans)), dtype=torch.int64, device=self._device),
            torch.zeros((count, len(layout.columns)), device=self._device),
            {},
            {},
        )
        for name in fixed:
            self._set(draw, name, np.zeros(count, dtype=np.int64), rng)
        if not weighted:
            for name in free:
                mass = self._encoder.codecs[name].prior[self._options[name].codes]
                mass = mass * self._options[name].share
                self._set(draw, name, rng.choice(len(mass), size=count, p=mass / mass.sum()), rng)
            return draw
        weights = np.zeros(count)
        order = {name: position for position, name in enumerate(self._encoder.codecs)}
        for name in sorted(free, key=order.__getitem__):
            weights += self._draw_option(draw, name, rng, torch_rng)
        draw.take(_resample(weights, rows, rng))
        return draw

    @torch.no_grad()
    def _draw_option(
        self, draw: _Draw, name: str, rng: np.random.Generator, torch_rng: torch.Generator
    ) -> Floats:
        """Draws ``name`` from the model within its options; log probability of all options."""
        at = self._encoder.layout.code_position(name)
        options = self._options[name]
        if at is None:
            self._set(draw, name, np.zeros(len(draw.tokens), dtype=np.int64), rng)
            return np.zeros(len(draw.tokens))
        z = self._noise(draw, torch_rng)
        chain = Chain(self._generator, z, draw.tokens, draw.mask, only_drawable=True)
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
        draw: _Draw,
        name: str,
        choice: npt.NDArray[np.int64],
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


def _resample(log_weights: Floats, rows: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Systematic resampling (Kitagawa 1996): ``rows`` indices, in random order."""
    weights = np.exp(log_weights - log_weights.max())
    edges = np.cumsum(weights) / weights.sum()
    points = (np.arange(rows) + rng.random()) / rows
    index = np.minimum(np.searchsorted(edges, points), len(weights) - 1)
    return rng.permutation(index).astype(np.int64)


def _snap(cells: Floats, column: Column, allowed: Allowed) -> Floats:
    """Rounds ``cells`` as the column is written, without leaving what is allowed."""
    step = 1.0
    if column.kind is Kind.NUMBER:
        if column.decimals is None:
            low = np.nextafter(allowed.low, math.inf) if allowed.low_open else allowed.low
            high = np.nextafter(allowed.high, -math.inf) if allowed.high_open else allowed.high
            return np.clip(cells, low, high)
        step = 10.0**-column.decimals
    low = np.ceil(allowed.low / step - 1e-9) * step
    high = np.floor(allowed.high / step + 1e-9) * step
    low += step * (allowed.low_open and math.isclose(low, allowed.low, abs_tol=step / 1e6))
    high -= step * (allowed.high_open and math.isclose(high, allowed.high, abs_tol=step / 1e6))
    if low > high:
        raise ConditionError(
            f"column {column.name!r}: no number with its {column.decimals or 0} decimals "
            "lies in the range asked for"
        )
    snapped = np.clip(np.round(cells / step) * step, low, high)
    excluded = np.array([float(value) for value in allowed.excluded])
    for move in (step, -step):
        for _ in range(2 * len(excluded)):
            bad = np.isclose(snapped[:, None], excluded[None, :], atol=step / 4, rtol=0).any(axis=1)
            snapped = np.clip(np.where(bad, snapped + move, snapped), low, high)
    return snapped
