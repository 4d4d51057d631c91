"""Rows of a chunk: the cells that a condition requires, then the rest by the generator."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from synthgan._typing import Ints
from synthgan.sample.conditioning import Conditions
from synthgan.sample.draw import BLOCK_ROWS, CHUNK_ROWS, Draw, Rngs
from synthgan.sample.partial_rows import Given
from synthgan.sample.repair import REPLACINGS, Rules
from synthgan.schema.constraints.base import Cells

_TRIED_ROWS, _TRIED_CANDIDATES = 128, 8
_MOST_CANDIDATES = 8
_BAD = 0.05  # share of rows whose candidates may all be bad


class Drawer:
    """Draws the cells of rows that are as ``asked`` for."""

    def __init__(self, asked: Conditions, rules: Rules) -> None:
        self._asked, self._rules = asked, rules
        self._candidates = self._find_candidates()

    def cells(self, start: Draw, part: Given | None, rows: Ints, rngs: Rngs) -> Cells:
        """Cells of each modelled column, of chunk rows ``rows``, that are to begin as ``start``."""
        draw = self._asked.draw_asked(start, *rngs)
        tokens = self._fill(draw, rngs[1]).cpu().numpy()
        cells = self._asked.decode(tokens, draw, rngs[0])
        self._close_gaps(cells, part, rows, rngs[0])
        # Two cells that lie in the same stretch may be in the wrong order: places in it are drawn
        # again, which tells nothing new.
        for _ in range(REPLACINGS if self._rules.orders else 0):
            wrong = np.flatnonzero(self._rules.disordered(with_given(cells, part, rows)))
            if not len(wrong):
                break
            again = self._asked.decode(tokens[wrong], draw.take(wrong), rngs[0])
            self._close_gaps(again, part, rows[wrong], rngs[0])
            for name, values in again.items():
                cells[name][wrong] = values
        return cells

    def _close_gaps(
        self, cells: Cells, part: Given | None, rows: Ints, rng: np.random.Generator
    ) -> None:
        """Makes columns of ``cells``, of chunk rows ``rows``, as far apart as was drawn; cells
        that are given or asked for stay."""
        if not self._asked.encoder.gaps:
            return
        fixed = self._asked.fixed(part, rows)
        for name in self._asked.where:
            fixed[name][:] = True
        written = with_given(cells, part, rows)
        for gap in self._asked.encoder.gaps:
            cells[gap.low], cells[gap.high] = written[gap.low], written[gap.high]
        self._asked.encoder.close_gaps(cells, fixed, rng)

    def _fill(self, draw: Draw, rng: torch.Generator) -> Tensor:
        if not self._asked.encoder.layout.spans:
            return draw.tokens
        z, drawn = self._asked.noise(draw, rng), []
        block = BLOCK_ROWS if self._asked.device.type == "cpu" else CHUNK_ROWS
        block = max(block // self._candidates, 1)
        for start in range(0, len(z), block):
            part = slice(start, start + block)
            drawn.append(
                self._asked.generator.draw(
                    z[part],
                    draw.tokens[part],
                    draw.mask[part],
                    rng,
                    drawable=self._asked.limits,
                    candidates=self._candidates,
                )
            )
        return torch.cat(drawn)

    def _find_candidates(self) -> int:
        """How many candidates a row are worth their time."""
        if (
            not (self._asked.where or self._asked.shares or self._asked.given)
            or not self._asked.encoder.layout.spans
        ):
            return 1
        part = None if self._asked.given is None else self._asked.given.some(_TRIED_ROWS)
        rows = _TRIED_ROWS if part is None else len(part)
        rng = torch.Generator(self._asked.device).manual_seed(0)
        draw = self._asked.start(part, rows, np.random.default_rng(0))
        draw = self._asked.draw_asked(draw, np.random.default_rng(0), rng)
        share = self._asked.generator.effective_share(
            self._asked.noise(draw, rng),
            draw.tokens,
            draw.mask,
            rng,
            drawable=self._asked.limits,
            candidates=_TRIED_CANDIDATES,
        )
        if share >= 1 - _BAD:
            return 1
        # About 1 - share of the draws are bad, and all of n are with that to the power of n.
        wanted = math.log(_BAD) / math.log(1 - share)
        return int(min(2 ** math.ceil(math.log2(wanted)), _MOST_CANDIDATES))


def with_given(cells: Cells, part: Given | None, rows: Ints) -> Cells:
    """``cells``, of chunk rows ``rows``, with those that came in the place of those drawn."""
    found = dict(cells)
    for name, given in (part.cells if part is not None else {}).items():
        found[name] = np.where(pd.isna(given[rows]), cells[name], given[rows])
    return found
