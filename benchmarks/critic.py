"""What a critic adds to a generator that has learned by likelihood: docs/critic.md.

    python benchmarks/critic.py TABLE.parquet... shapes --json OUT [--seeds 0 1 2] [--show]
    python benchmarks/critic.py TABLE.parquet... --why

A TABLE may be NAME.parquet@ROWS, for so many of its rows; ``shapes`` is made here. For each table
and seed there is one warm start; all variants go on from it, each is drawn three times, and every
figure is taken against the 20 % held out. Differences are paired: the same seed, the same draws.
Each table and seed is written to OUT when it is done, and not run again.
"""

from __future__ import annotations

import argparse
import copy
import dataclasses
import json
import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from fidelity import Split, split_table
from scipy import stats
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn
from torch.nn import functional as F

import synthgan
from synthgan.metrics.columns import Columns
from synthgan.metrics.fidelity.detection import c2st
from synthgan.metrics.privacy.distances import dcr_share, membership_auc
from synthgan.metrics.utility.prediction import tstr
from synthgan.network.critic import Critic
from synthgan.network.generator import Generator
from synthgan.network.geometry import onehot, soft_rank
from synthgan.network.kernels import linear
from synthgan.network.losses import critic_objective, objective_of
from synthgan.network.optim import adam, adamw, fade, set_rate
from synthgan.train.phases import Adversarial
from synthgan.train.run import Run
from synthgan.train.steps import critic_step, descend, generator_step, likelihood, validation_loss

STEPS = 150  # of the generator, in a long game
HEAD_START = 150  # of the critic, before them
CRITIC_RATE, GENERATOR_RATE = 1e-3, 1e-4
HELD_BACK = 0.2  # of the rows, which the critic alone sees
CANDIDATES = 3  # for each row, where the critic accepts or refuses
CLIPPED = 0.99  # quantile of the odds above which they do not count more
FIGURES = ("C2ST", "TSTR", "DCR", "MIA")

Record = dict[str, Any]


# --- tables ---------------------------------------------------------------------------------


def shapes(rows: int = 12_000) -> pd.DataFrame:
    """What a chain of columns finds hard: a ring, a spiral, heavy tails, tight relations."""
    rng = np.random.default_rng(0)
    angle, turn = 2 * np.pi * rng.random(rows), rng.random(rows)
    tail = rng.standard_t(2, rows)
    size = np.exp(rng.normal(3, 0.8, rows))
    share = rng.beta(2, 5, rows)
    return pd.DataFrame(
        {
            "ring_x": np.cos(angle) + 0.05 * rng.normal(size=rows),
            "ring_y": np.sin(angle) + 0.05 * rng.normal(size=rows),
            "spiral_x": turn * np.cos(12 * turn) + 0.02 * rng.normal(size=rows),
            "spiral_y": turn * np.sin(12 * turn) + 0.02 * rng.normal(size=rows),
            "tail": tail,
            "tail_twice": 2 * tail + 0.3 * rng.standard_t(3, rows),
            "size": size,
            "part": size * share,
            "rest": size * (1 - share) * np.exp(0.02 * rng.normal(size=rows)),
            "side": np.where(np.sin(angle) > 0, np.where(turn > 0.5, "far", "near"), "below"),
        }
    ).round(4)


def split_of(name: str) -> Split:
    """``name`` cut in two: a file, a file @ rows, or the shapes."""
    if name == "shapes":
        frame = shapes()
        held = frame.sample(frac=0.2, random_state=0)
        train = frame.drop(held.index).reset_index(drop=True)
        return Split(
            name=name,
            train=train,
            holdout=held.reset_index(drop=True),
            columns=Columns.of(train),
            target="side",
            task="multiclass",
        )
    path, _, rows = name.partition("@")
    split = split_table(Path(path), int(rows) if rows else None, None, None)
    return dataclasses.replace(split, name=f"{split.name}@{rows}") if rows else split


# --- a critic that sees -----------------------------------------------------------------------


class SharpCritic(Critic):
    """Scores rows like the product's critic, but sees numbers as normal scores, also whitened, and
    waves of their ranks, and categories of many codes not at all."""

    def __init__(self, run: Run) -> None:
        super().__init__(run.generator.layout, run.config.network, torch.Generator().manual_seed(1))
        self._numbers = tuple(self._ranked)
        spans = self.geometry.spans
        self._shown = tuple(p for p in self._codes if spans[p].width <= 12 or p not in self._ranked)
        rows = run.rows.training[:20_000].long()
        with torch.no_grad():
            ranks = self._rank(onehot(rows, self.geometry))[0]
            scores = _scores(ranks)
            self.register_buffer("mean", scores.mean(dim=0))
            spread = torch.cov((scores - self.mean).T).reshape(scores.shape[1], -1)
            values, vectors = torch.linalg.eigh(spread)
            self.register_buffer("whiten", vectors / values.clamp(min=0.01).sqrt())
            inputs = self.features(onehot(rows[:2], self.geometry), rows.new_zeros(2, 0)).shape[1]
        sizes = [inputs + self.geometry.columns, 256, 256, 256]
        rng = torch.Generator().manual_seed(2)
        self.layers = nn.ModuleList(linear(a, b, rng) for a, b in pairwise(sizes))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for width in sizes[1:])
        self.score = linear(sizes[-1], 1, rng)

    def _rank(self, onehots: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Ranks (B, numbers), and offsets and gates (B,) of those that have bins."""
        g = self.geometry
        ranks, places = [], []
        for p in self._numbers:
            entries = g.entries_of(p)
            code = onehots[:, entries]
            if g.fine_index(p) is None:
                ranks.append(code @ (g.rank[entries] + g.rank_width[entries] / 2))
                continue
            rank, gate, offset = soft_rank(g, p, code, onehots[:, g.entries_of(p + 1)])
            ranks.append(rank)
            places += [(offset - 0.5) * 2 * gate, 1 - gate]
        return torch.stack(ranks, dim=1) if ranks else onehots[:, :0], places

    def features(self, onehots: Tensor, mask: Tensor) -> Tensor:
        g = self.geometry
        shown = [
            onehots[:, g.entries_of(p)] @ self.get_buffer(f"projection_{p}")
            if g.spans[p].width > 256
            else onehots[:, g.entries_of(p)]
            for p in self._shown
        ]
        ranks, places = self._rank(onehots)
        parts = [*shown, *(place.unsqueeze(1) for place in places), mask]
        if ranks.shape[1]:
            scores = _scores(ranks) - self.mean
            angles = [2 * math.pi * 2**wave * ranks for wave in range(3)]
            parts += [scores, scores @ self.whiten]
            parts += [0.5 * wave(angle) for angle in angles for wave in (torch.sin, torch.cos)]
        return torch.cat(parts, dim=1)

    def forward(self, features: Tensor) -> Tensor:
        hidden = features
        for layer, norm in zip(self.layers, self.norms, strict=True):
            hidden = F.leaky_relu(norm(layer(hidden)), 0.2)
        score: Tensor = self.score(hidden)
        return score.squeeze(1)


def _scores(ranks: Tensor) -> Tensor:
    return torch.special.ndtri(ranks.clamp(0.002, 0.998))


# --- one warm start, and what goes on from it -------------------------------------------------


@dataclass
class Start:
    """A generator after its warm start, and the rows that it may learn from."""

    split: Split
    seed: int
    model: synthgan.Synthesizer
    run: Run
    seconds: float
    held_back: Tensor | None = None
    """Tokens of rows that the warm start has not seen."""

    @staticmethod
    def of(split: Split, seed: int, share: float = 1.0) -> Start:
        """Learns ``share`` of the training rows."""
        began = time.process_time()
        train = synthgan.TrainConfig(adversarial=False, device="cpu")
        config = synthgan.Config(seed=seed, train=train)
        learned = split.train.sample(frac=share, random_state=seed) if share < 1 else split.train
        model = synthgan.fit(learned, config=config)
        encode = model._encoder.encode
        game = dataclasses.replace(
            config, train=dataclasses.replace(train, adversarial=True, gradient_penalty=0.2)
        )
        tokens = encode(learned, np.random.default_rng(seed))
        run = Run.begin(tokens, model._encoder.layout, game, torch.device("cpu"))
        run.generator.load_state_dict(model._generator.state_dict())
        run.average.load_state_dict(model._generator.state_dict())
        run.keep(validation_loss(run))
        held = None
        if share < 1:
            rest = split.train.drop(learned.index)
            held = torch.from_numpy(encode(rest, np.random.default_rng(seed)))
        return Start(split, seed, model, run, time.process_time() - began, held)

    def again(self) -> Run:
        """A copy to go on with."""
        run = copy.deepcopy(self.run)
        run.rows.rng.manual_seed(self.seed + 17)
        return run

    def with_generator(self, generator: Generator) -> synthgan.Synthesizer:
        return dataclasses.replace(self.model, _generator=generator.eval())

    def tokens(self, rows: pd.DataFrame) -> Tensor:
        """``rows`` as the critic is to see them."""
        rng = np.random.default_rng(self.seed)
        return torch.from_numpy(self.model._encoder.encode(rows, rng)).long()


Draw = Callable[[int, int], pd.DataFrame]
"""(rows, seed) to a sample."""


def warm_start(start: Start) -> Draw:
    """The generator as it is: what the others are measured by."""
    return lambda rows, seed: start.model.sample(rows, seed=seed)


def more_likelihood(start: Start) -> Draw:
    """As much time as a long game, spent on the likelihood at the last rate of the warm start."""
    run = start.again()
    rate = run.settings.warm_start_lr * 0.027
    optimizer = adamw(run.generator, rate)
    for step in range(1, 3 * STEPS + 1):
        descend(run.generator, optimizer, likelihood(run, run.batch_size), run.ranks)
        run.blend(0.98, 10**6)
        if step % 50 == 0:
            _keep_if_sane(run)
    return _draws(start, run)


def default_game(start: Start) -> Draw:
    """The product's second phase."""
    run = start.again()
    run.config = dataclasses.replace(run.config, train=synthgan.TrainConfig(device="cpu"))
    phase = Adversarial(run)
    while not phase.at.over:
        phase.advance()
    return _draws(start, run)


def long_game(start: Start) -> Draw:
    """WGAN-GP with the sharp critic, gradients straight through the codes."""
    run = start.again()
    critic = SharpCritic(run)
    _play(run, critic, run, lambda of_generator: generator_step(run, critic, of_generator))
    return _draws(start, run)


def held_back(start: Start) -> Draw:
    """The long game of a generator that learned four fifths of the rows; the critic's real rows
    are the last fifth."""
    part = Start.of(start.split, start.seed, 1 - HELD_BACK)
    assert part.held_back is not None
    run = part.again()
    judging = copy.copy(run)
    judging.rows = dataclasses.replace(run.rows, training=part.held_back)
    critic = SharpCritic(run)
    _play(run, critic, judging, lambda of_generator: generator_step(run, critic, of_generator))
    return _draws(part, run)


def offsets_only(start: Start) -> Draw:
    """The long game with gradients through the places within bins; codes are detached."""
    run = start.again()
    critic = SharpCritic(run)
    g = run.generator.geometry
    fine = torch.zeros(g.entries)
    for p in g.fine_positions:
        fine[g.entries_of(p)] = 1.0
    seen = critic.features

    def features(onehots: Tensor, mask: Tensor) -> Tensor:
        return seen(onehots * fine + onehots.detach() * (1 - fine), mask)

    critic.features = features  # type: ignore[method-assign]
    _play(run, critic, run, lambda of_generator: generator_step(run, critic, of_generator))
    return _draws(start, run)


def policy_gradient(start: Start) -> Draw:
    """The score as a reward, on the chain's exact log-probabilities; two draws of the same given
    cells are each other's baseline (RLOO: Kool et al. 2019)."""
    run = start.again()
    critic = SharpCritic(run)
    size, generator = run.adversarial_batch_size, run.generator

    def step(optimizer: torch.optim.Optimizer) -> None:
        tokens = run.rows.batch(size).repeat(2, 1)
        mask = run.rows.mask(size, generator.geometry.columns).repeat(2, 1)
        z = run.rows.noise(2 * size, run.config.network.noise_width)
        drawn = generator.draw(z, tokens, mask, run.rows.rng)
        with torch.no_grad():
            score = critic(critic.features(onehot(drawn, generator.geometry), mask))
            reward = (score - score.roll(size)) / score.std().clamp(min=1e-6)
        loss = -(reward * _log_chance(generator, drawn, mask, z)).mean()
        descend(generator, optimizer, loss + likelihood(run, size), run.ranks)

    _play(run, critic, run, step)
    return _draws(start, run)


def accepted(start: Start) -> Draw:
    """Draws of the warm start that a critic trained by WGAN-GP takes for real: its score, turned
    into odds on rows set aside, is the chance to be accepted (Azadi et al. 2019)."""
    return _accepted(start, "wgan-gp")


def accepted_by_odds(start: Start) -> Draw:
    """The same with a critic trained by cross-entropy, whose score is the logarithm of the odds."""
    return _accepted(start, "non-saturating")


VARIANTS: dict[str, Callable[[Start], Draw]] = {
    "warm start": warm_start,
    "more likelihood": more_likelihood,
    "default game": default_game,
    "long game": long_game,
    "held back": held_back,
    "offsets only": offsets_only,
    "policy gradient": policy_gradient,
    "accepted": accepted,
    "accepted, cross-entropy": accepted_by_odds,
}


def _play(
    run: Run,
    critic: Critic,
    judging: Run,
    move: Callable[[torch.optim.Optimizer], object],
) -> None:
    """A long game: ``move`` is one step of the generator, ``judging`` has the critic's rows."""
    of_critic, of_generator = adam(critic, CRITIC_RATE), adam(run.generator, GENERATOR_RATE)
    for step in range(1, HEAD_START + STEPS + 1):
        set_rate(of_critic, CRITIC_RATE * fade(step, HEAD_START + STEPS))
        critic_step(judging, critic, of_critic, 1 if step <= HEAD_START else 2)
        if step > HEAD_START:
            set_rate(of_generator, GENERATOR_RATE * fade(step - HEAD_START, STEPS))
            move(of_generator)
            run.blend(0.99, 10**6)
            if step % 50 == 0:
                _keep_if_sane(run)


def _keep_if_sane(run: Run) -> None:
    """Keeps the averaged weights, as the product does: unless they have lost much likelihood."""
    loss = validation_loss(run)
    if loss <= run.best_loss + 0.02 * abs(run.best_loss) + 0.1:
        best = run.best_loss
        run.keep(loss)
        run.best_loss = min(best, loss)


def _draws(start: Start, run: Run) -> Draw:
    assert run.best is not None
    run.average.load_state_dict(run.best)
    model = start.with_generator(run.average)
    return lambda rows, seed: model.sample(rows, seed=seed)


def _log_chance(generator: Generator, tokens: Tensor, mask: Tensor, z: Tensor) -> Tensor:
    """Log-probability (B,) of the cells of ``tokens`` that were not given."""
    g = generator.geometry
    counts = g.applies(tokens) * (1 - mask[:, g.column_of])
    total = z.new_zeros(len(tokens))
    for group in generator.logits(z, tokens, mask, None):
        for values, p in zip(group.values, group.positions.tolist(), strict=True):
            total = total - F.cross_entropy(values, tokens[:, p], reduction="none") * counts[:, p]
    return total


@dataclass(frozen=True)
class Taught:
    """A critic of the warm start, and what turns its scores into log odds."""

    critic: Critic
    slope: float
    level: float
    fake: Tensor
    """Rows drawn that it has not seen."""

    def log_odds(self, tokens: Tensor) -> np.ndarray:
        return self.slope * _judge(self.critic, tokens) + self.level


def _teach(start: Start, run: Run, objective: str) -> Taught:
    """A critic that learns training rows from drawn ones, as good as it was at best on rows set
    aside."""
    critic, rows = SharpCritic(run), len(start.split.train)
    g = critic.geometry
    game = objective_of(objective, 0.2)  # type: ignore[arg-type]
    fake = start.tokens(start.model.sample(4 * rows, seed=1_000))
    own = start.tokens(start.model.sample(4 * len(run.rows.validation), seed=2_000))
    held = run.rows.validation.long()
    optimizer = adam(critic, CRITIC_RATE)
    best = (math.inf, copy.deepcopy(critic.state_dict()), 1.0, 0.0)
    steps = 4 * STEPS
    for step in range(1, steps + 1):
        set_rate(optimizer, CRITIC_RATE * fade(step, steps))
        real = run.rows.batch(500)
        drawn = fake[torch.randint(len(fake), (500,), generator=run.rows.rng)]
        mix = torch.rand((500, 1), generator=run.rows.rng)
        none = torch.zeros(500, g.columns)
        pair = (critic.features(onehot(each, g), none) for each in (real, drawn))
        descend(critic, optimizer, critic_objective(critic, *pair, mix, game)[0], run.ranks)
        if step % 50 == 0:
            slope, level, wrong = _calibrate(_judge(critic, held), _judge(critic, own))
            if wrong < best[0]:
                best = (wrong, copy.deepcopy(critic.state_dict()), slope, level)
    critic.load_state_dict(best[1])
    return Taught(critic, best[2], best[3], own)


def _accepted(start: Start, objective: str) -> Draw:
    taught = _teach(start, start.again(), objective)
    highest = float(np.quantile(taught.log_odds(taught.fake), CLIPPED))

    def draw(wanted: int, seed: int) -> pd.DataFrame:
        kept: list[pd.DataFrame] = []
        for part in range(20):
            table = start.model.sample(CANDIDATES * wanted, seed=1_000_003 * (seed + 1) + part)
            odds = np.exp(np.minimum(taught.log_odds(start.tokens(table)) - highest, 0))
            kept.append(table[np.random.default_rng(seed + part).random(len(table)) < odds])
            if sum(map(len, kept)) >= wanted:
                break
        return pd.concat(kept, ignore_index=True).iloc[:wanted]

    return draw


# --- why --------------------------------------------------------------------------------------


def why(split: Split, seed: int) -> Iterator[str]:
    """Whether the step that the best critic asks of the generator is more than noise, and whether
    it is the step that the likelihood of rows held out would ask for."""
    start = Start.of(split, seed)
    run = start.again()
    taught = _teach(start, run, "non-saturating")
    held = start.tokens(split.holdout)
    drawn = start.tokens(start.model.sample(2 * len(held), seed=3_000))
    scores = torch.from_numpy(taught.log_odds(drawn)).float()
    scores = scores - scores.mean()
    ones = torch.ones(len(held))
    halves = {
        "critic": [_direction(run, drawn[k::2], scores[k::2]) for k in (0, 1)],
        "likelihood of rows held out": [_direction(run, held[k::2], ones[k::2]) for k in (0, 1)],
        "likelihood of rows drawn": [
            _direction(run, drawn[k::2], ones[: len(held)]) for k in (0, 1)
        ],
    }
    yield f"{split.name}, seed {seed}: cosines between directions from halves of the rows"
    for name, (one, other) in halves.items():
        yield f"  {name}, its halves: {_cosine(one, other):+.3f}"
    whole = {name: one + other for name, (one, other) in halves.items()}
    for name in list(whole)[1:]:
        yield f"  critic and {name}: {_cosine(whole['critic'], whole[name]):+.3f}"


def _direction(run: Run, tokens: Tensor, weights: Tensor) -> Tensor:
    """Gradient of the mean of weight x log p(row), nothing given, in all weights at once."""
    generator, columns = run.generator, run.generator.geometry.columns
    generator.zero_grad()
    for part, weight in zip(tokens.split(1000), weights.split(1000), strict=True):
        z = run.rows.noise(len(part), run.config.network.noise_width)
        chance = _log_chance(generator, part, torch.zeros(len(part), columns), z)
        (weight @ chance / len(tokens)).backward()
    return torch.cat([w.grad.flatten() for w in generator.parameters() if w.grad is not None])


def _cosine(one: Tensor, other: Tensor) -> float:
    return float(F.cosine_similarity(one, other, dim=0))


@torch.no_grad()
def _judge(critic: Critic, tokens: Tensor) -> np.ndarray:
    """Scores (B,) of rows of which nothing was given."""
    critic.eval()
    g = critic.geometry
    found = [
        critic(critic.features(onehot(part, g), torch.zeros(len(part), g.columns)))
        for part in tokens.split(4096)
    ]
    return torch.cat(found).numpy()


def _calibrate(real: np.ndarray, fake: np.ndarray) -> tuple[float, float, float]:
    """Slope and level that turn scores into log odds, and the cross-entropy that is left."""
    scores = np.concatenate([real, fake])[:, None]
    is_real = np.repeat([1, 0], [len(real), len(fake)])
    weight = np.where(is_real == 1, len(fake) / len(real), 1.0)
    scale = max(float(scores.std()), 1e-9)
    fitted = LogisticRegression(C=1.0).fit(scores / scale, is_real, weight)
    chance = fitted.predict_proba(scores / scale)[np.arange(len(scores)), is_real]
    wrong = -float(np.average(np.log(chance), weights=weight))
    return float(fitted.coef_[0, 0]) / scale, float(fitted.intercept_[0]), wrong


# --- figures ----------------------------------------------------------------------------------


def judge(split: Split, rows: pd.DataFrame) -> dict[str, float]:
    """The figures that a gain is told by, and TSTR's yardstick."""
    tables = (rows, split.train, split.holdout)
    use = tstr(*tables, split.target, split.task, columns=split.columns)
    return {
        "C2ST": c2st(split.holdout, rows, columns=split.columns).value,
        "TSTR": use.tstr.value,
        "DCR": dcr_share(*tables, columns=split.columns).value,
        "MIA": membership_auc(*tables, columns=split.columns).value,
    }


def run_one(split: Split, seed: int, names: Iterable[str]) -> Record:
    """All variants from one warm start: their draws' figures and CPU seconds."""
    start = Start.of(split, seed)
    record: Record = {"warm start CPU s": start.seconds}
    for name in names:
        began = time.process_time()
        draw = VARIANTS[name](start)
        trained = time.process_time() - began
        samples = [draw(len(split.train), seed=k) for k in range(3)]  # type: ignore[call-arg]
        drawn = time.process_time() - began - trained
        figures = [judge(split, sample) for sample in samples]
        record[name] = {"CPU s": trained, "draw CPU s": drawn / 3, "draws": figures}
        told = ", ".join(f"{k} {np.mean([f[k] for f in figures]):.4f}" for k in FIGURES)
        _show(f"{split.name}, seed {seed}, {name}: {told} ({trained:.0f} s)")
    return record


def paired(found: Record, name: str, than: str, figure: str) -> np.ndarray:
    """Differences between two variants, one a seed: means over the draws."""
    pairs = [
        (one[name]["draws"], one[than]["draws"])
        for one in found.values()
        if name in one and than in one
    ]
    differences = [[a[figure] - b[figure] for a, b in zip(*pair, strict=True)] for pair in pairs]
    return np.array([np.mean(each) for each in differences])


def interval(differences: np.ndarray) -> str:
    """Mean and, from two seeds on, half the width of Student's 95 % interval."""
    mean = differences.mean()
    if len(differences) < 2:
        return f"{mean:+.3f}"
    half = stats.t.ppf(0.975, len(differences) - 1) * differences.std(ddof=1)
    return f"{mean:+.3f} ±{half / math.sqrt(len(differences)):.3f}"


def markdown(found: Record) -> Iterator[str]:
    """For each figure, variants x tables: differences to the warm start, whose own figures come
    first; then C2ST against as much time for the likelihood, and what all cost."""
    for figure in FIGURES:
        yield from matrix(found, figure, "warm start")
    yield from matrix(found, "C2ST", "more likelihood")
    yield from ["**CPU seconds** of training / of a draw", "", *_head(found)]
    for name in VARIANTS:
        cells = [
            "/".join(f"{np.mean([one[k] for one in ones]):.1f}" for k in ("CPU s", "draw CPU s"))
            for ones in (_having(seeds, name) for seeds in found.values())
            if ones
        ]
        yield f"| {name} | " + " | ".join(cells) + " |"


def matrix(found: Record, figure: str, than: str) -> Iterator[str]:
    """Variants x tables: paired differences in ``figure`` to ``than``, with intervals over seeds;
    last their mean over tables, with an interval over tables."""
    yield from [f"**{figure}**, difference to {than}", "", *_head(found, "mean of tables")]
    own = [
        np.mean([draw[figure] for one in _having(seeds, than) for draw in one["draws"]])
        for seeds in found.values()
    ]
    yield f"| *{than}* | " + " | ".join(f"*{each:.3f}*" for each in [*own, np.mean(own)]) + " |"
    for name in VARIANTS:
        if name not in (than, "warm start"):
            all_of_it = [paired(seeds, name, than, figure) for seeds in found.values()]
            means = np.array([each.mean() for each in all_of_it if len(each)])
            cells = [*map(interval, all_of_it), interval(means)]
            yield f"| {name} | " + " | ".join(cells) + " |"
    yield ""


def _having(seeds: Record, name: str) -> list[Record]:
    return [one[name] for one in seeds.values() if name in one]


def _head(found: Record, *more: str) -> Iterator[str]:
    tables = [*(f"{table} ({len(seeds)})" for table, seeds in found.items()), *more]
    yield "| variant | " + " | ".join(tables) + " |"
    yield "|---" * (len(tables) + 1) + "|"


def _show(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    """Runs what is missing in OUT, prints the table of differences."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tables", nargs="*", metavar="TABLE")
    parser.add_argument("--json", type=Path, metavar="OUT", default=Path("critic.json"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--variants", nargs="+", choices=list(VARIANTS), default=list(VARIANTS))
    parser.add_argument("--why", action="store_true", help="compare directions instead")
    parser.add_argument("--show", action="store_true", help="run nothing, print what is in OUT")
    how = parser.parse_args()
    if how.why:
        for name in how.tables:
            print("\n".join(why(split_of(name), how.seeds[0])), flush=True)
        return
    found: Record = json.loads(how.json.read_text("utf-8")) if how.json.exists() else {}
    for seed in how.seeds if not how.show else ():
        for name in how.tables:
            split = split_of(name)
            seeds = found.setdefault(split.name, {})
            if str(seed) in seeds:
                continue
            seeds[str(seed)] = run_one(split, seed, how.variants)
            draft = how.json.with_name(how.json.name + ".part")
            draft.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
            draft.replace(how.json)
    print("\n".join(markdown(found)))


if __name__ == "__main__":
    main()
