"""Simple generators, to hold a model against: the same columns, the same tokens, the same judge.

- ``independent``: each column on its own.
- ``markov-chain``: each column given the one before it.
- ``chow-liu``: each column given one other, chosen so that the tree says most of the table
  (Chow & Liu 1968).
- ``copula``: a Gaussian copula, correlations of normal scores (Nelsen 2006, chapter 2).
- ``vae``: a variational autoencoder (Kingma & Welling 2014; on tables Xu et al. 2019).

All learn the tokens of :class:`~synthgan.encode.encoder.Encoder`, so that numbers, rare levels and
extremes are protected and written as in any other model here. They hold counts and weights,
never a row, and they are not saved. Conditions and constraints between columns are not theirs.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Protocol, get_args

import numpy as np
import pandas as pd

from synthgan._typing import Ints
from synthgan.compare.copula import Copula
from synthgan.compare.trees import Forest, Shape, chain, chow_liu, no_edges
from synthgan.compare.vae import Autoencoder, VaeConfig
from synthgan.config import Config, as_config
from synthgan.encode.encoder import Encoder
from synthgan.encode.layout import Layout
from synthgan.encode.summarize import summarize
from synthgan.errors import ConfigError
from synthgan.schema.discover import infer_schema
from synthgan.schema.loading import as_schema
from synthgan.schema.schema import Schema

BaselineKind = Literal["independent", "markov-chain", "chow-liu", "copula", "vae"]
BASELINES: tuple[BaselineKind, ...] = get_args(BaselineKind)


class _Model(Protocol):
    @property
    def size(self) -> int:
        """How many numbers it has learned."""

    def draw(self, n: int, rng: np.random.Generator) -> Ints:
        """Tokens (n, positions)."""


@dataclass(frozen=True, eq=False, repr=False)
class Baseline:
    """A simple generator that has learned a table. Made by :func:`fit_baseline`."""

    kind: BaselineKind
    _encoder: Encoder
    _model: _Model

    def __repr__(self) -> str:
        return f"Baseline({self.kind!r}, {len(self.schema)} columns)"

    @property
    def schema(self) -> Schema:
        """The columns, as they come out."""
        return self._encoder.schema

    @property
    def parameters(self) -> int:
        """How many numbers it has learned: counts, shares, correlations or weights."""
        return self._model.size

    def sample(self, n: int, *, seed: int | None = None) -> pd.DataFrame:
        """``n`` synthetic rows with the columns, order and dtypes of the learned table.

        The same ``seed`` gives the same rows; None draws fresh ones. Raises
        :class:`ConfigError` for an ``n`` that is no number of rows.
        """
        if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
            raise ConfigError(f"n must be a whole number of rows, at least 1, got {n!r}")
        if seed is not None and not 0 <= seed < 2**63:
            raise ConfigError(f"seed must be 0 to 2**63 - 1, got {seed!r}")
        seed = secrets.randbits(62) if seed is None else seed
        rng = np.random.default_rng(seed)
        cells = self._encoder.decode(self._model.draw(int(n), rng), rng)
        return self._encoder.assemble(
            cells, start=0, rows=int(n), inventor=self._encoder.invent(seed)
        )


def fit_baseline(
    data: pd.DataFrame,
    kind: BaselineKind,
    schema: Schema | str | Path | None = None,
    config: Config | None = None,
    *,
    vae: VaeConfig | None = None,
) -> Baseline:
    """Learns a table with the generator ``kind``.

    ``schema`` and the summary and the seed of ``config`` mean what they mean to
    :func:`synthgan.fit`; ``vae`` has the sizes of the autoencoder.

    Raises :class:`ConfigError` for another kind, or if ``config`` asks for a guarantee, which no
    baseline has; :class:`TableError` or :class:`SchemaError` for a table that cannot be learned.
    """
    config, schema = as_config(config), as_schema(schema, table=data)
    if kind not in BASELINES:
        raise ConfigError(f"kind must be one of {', '.join(BASELINES)}; got {kind!r}")
    if config.privacy is not None:
        raise ConfigError("baselines have no differential privacy; leave privacy out")
    enough = config.summary.min_category_rows
    schema = infer_schema(data, word_rows=enough) if schema is None else schema
    schema.check(data)
    summary = replace(summarize(data, schema, config.summary), gaps=())  # no rule is kept
    encoder = Encoder(schema, summary)
    tokens = encoder.encode(data, np.random.default_rng(config.seed)).astype(np.int64)
    return Baseline(kind, encoder, _learn(kind, tokens, encoder.layout, config.seed, vae))


def _learn(
    kind: BaselineKind, tokens: Ints, layout: Layout, seed: int, vae: VaeConfig | None
) -> _Model:
    if not layout.spans:
        return Forest.learn(tokens, layout, lambda codes, widths: ((), ()))
    if kind == "copula":
        return Copula.learn(tokens, layout, np.random.default_rng(seed))
    if kind == "vae":
        return Autoencoder.learn(tokens, layout, vae or VaeConfig(), seed)
    shapes: dict[str, Shape] = {
        "independent": no_edges,
        "markov-chain": chain,
        "chow-liu": chow_liu,
    }
    return Forest.learn(tokens, layout, shapes[kind])
