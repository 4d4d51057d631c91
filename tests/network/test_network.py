"""The two networks: the three ways of running the generator agree, and the critic sees."""

from __future__ import annotations

import copy
import dataclasses
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import torch
from sample_tables import people

from synthgan.config import NetworkConfig, SummaryConfig
from synthgan.encode.encoder import Encoder
from synthgan.encode.layout import Layout
from synthgan.encode.summarize import summarize
from synthgan.network.critic import Critic
from synthgan.network.generator import Chain, Generator
from synthgan.network.geometry import onehot
from synthgan.network.kernels import categorical, dropped, head_activation, residual, row_states
from synthgan.schema.infer import infer_columns

SMALL = NetworkConfig(
    noise_width=8, width=24, block_width=20, head_width=12, critic_width=16, critic_depth=2
)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def encoded() -> tuple[Layout, torch.Tensor]:
    frame = people(400)
    frame.loc[:9, "job"] = [f"odd job {i // 2}" for i in range(10)]
    schema = infer_columns(frame)
    encoder = Encoder(schema, summarize(frame, schema, SummaryConfig()))
    tokens = encoder.encode(frame, np.random.default_rng(0))
    return encoder.layout, torch.from_numpy(tokens).long()


@pytest.fixture(scope="module")
def generator(encoded: tuple[Layout, torch.Tensor]) -> Generator:
    return Generator(encoded[0], SMALL, seeded(0))


@pytest.mark.parametrize("block", [0, SMALL.block_width])
def test_the_least_size_is_near_the_size(encoded: tuple[Layout, torch.Tensor], block: int) -> None:
    config = dataclasses.replace(SMALL, block_width=block)
    size = sum(each.numel() for each in Generator(encoded[0], config, seeded(0)).parameters())
    assert size / 2 < Generator.least_size(encoded[0], config) <= size


def half_mask(rows: int, layout: Layout) -> torch.Tensor:
    return (torch.rand(rows, len(layout.columns), generator=seeded(3)) < 0.5).float()


@pytest.mark.parametrize("block", [0, SMALL.block_width])
def test_the_chain_gives_the_logits_of_teacher_forcing(
    encoded: tuple[Layout, torch.Tensor], block: int
) -> None:
    layout, tokens = encoded
    generator = Generator(layout, dataclasses.replace(SMALL, block_width=block), seeded(0))
    mask = half_mask(len(tokens), layout)
    z = torch.randn(len(tokens), SMALL.noise_width, generator=seeded(1))
    chain, met = Chain(generator, z, tokens, mask), []
    with torch.no_grad():
        for p in range(len(layout.spans)):
            met.append(chain.logits(p))
            chain.advance(p, seeded(2))
        forced = generator.logits(z, chain.tokens, mask, None)
    seen = [p for group in forced for p in group.positions.tolist()]
    assert sorted(seen) == list(range(len(layout.spans)))
    for group in forced:
        for p, theirs in zip(group.positions.tolist(), group.values, strict=True):
            width = layout.spans[p].width
            torch.testing.assert_close(met[p], theirs[:, :width], rtol=1e-4, atol=1e-5)
            assert (theirs[:, width:] == -torch.inf).all()


def test_codes_of_near_value_begin_alike_and_categories_apart(
    encoded: tuple[Layout, torch.Tensor],
) -> None:
    layout, _ = encoded
    tables = Generator(layout, NetworkConfig(), seeded(0)).tables()
    for table in (tables.embedding, tables.given):
        alike: dict[bool, list[torch.Tensor]] = {False: [], True: []}
        for span, rows in zip(layout.spans, table, strict=True):
            if span.role == "code" and span.width > 2:
                near = torch.cosine_similarity(rows[:-1], rows[1:]).detach()
                alike[bool(layout.is_number[span.start])].append(near)
        assert torch.cat(alike[True]).median() > 0.6
        assert torch.cat(alike[False]).abs().median() < 0.3


def test_draws_that_look_ahead_follow_the_chain_if_there_are_candidates(
    encoded: tuple[Layout, torch.Tensor], generator: Generator
) -> None:
    layout, _ = encoded
    spans, rows = layout.spans, 100_000
    sharp = copy.deepcopy(generator)
    with torch.no_grad():
        sharp.embedding.mul_(3)
        sharp.out.mul_(6)
        sharp.noise.weight.mul_(0)
    blank = torch.zeros(rows, len(spans), dtype=torch.int64)
    nothing = torch.zeros(rows, len(layout.columns))
    z = torch.zeros(rows, SMALL.noise_width)
    free = sharp.draw(z, blank, nothing, seeded(0))
    first, last = spans[0], sharp.geometry.column_of.tolist().index(len(layout.columns) - 1)
    token = int(free[:, last].mode().values)
    asked = free[free[:, last] == token]
    mask = nothing.clone()
    mask[:, -1] = 1.0
    given = free[:1].expand_as(blank).clone()
    given[:, last] = token
    chance = torch.bincount(asked[:, 0], minlength=first.width) / len(asked)

    def distance(candidates: int) -> float:
        size = 8_000
        drawn = sharp.draw(z[:size], given[:size], mask[:size], seeded(1), candidates=candidates)
        assert (drawn[:, last] == token).all()
        share = torch.bincount(drawn[:, 0], minlength=first.width) / len(drawn)
        return float((share - chance).abs().sum()) / 2

    assert distance(candidates=16) < 0.06 < 0.08 < distance(candidates=1)


def test_relaxed_rows_are_one_hot_with_gradients(
    encoded: tuple[Layout, torch.Tensor], generator: Generator
) -> None:
    layout, tokens = encoded
    mask = half_mask(len(tokens), layout)
    z = torch.randn(len(tokens), SMALL.noise_width, generator=seeded(1))
    rows = generator.relaxed(z, tokens, mask, seeded(5), 0.5)
    torch.testing.assert_close(rows.detach(), rows.detach().round(), atol=1e-5, rtol=0)
    assert rows.detach().sum(dim=1) == pytest.approx(len(layout.spans), abs=1e-3)
    given = mask[:, generator.geometry.column_of].bool()
    for p in range(len(layout.spans)):
        part = rows[:, generator.geometry.entries_of(p)].argmax(dim=1)
        assert (part[given[:, p]] == tokens[given[:, p], p]).all()
    rows.square().sum().backward()
    assert generator.head_in.grad is not None
    assert generator.head_in.grad.abs().sum() > 0
    generator.zero_grad(set_to_none=True)


def test_given_cells_stay_and_change_the_rest(
    encoded: tuple[Layout, torch.Tensor], generator: Generator
) -> None:
    layout, tokens = encoded
    z = torch.randn(len(tokens), SMALL.noise_width, generator=seeded(1))
    mask = half_mask(len(tokens), layout)
    given = mask[:, generator.geometry.column_of].bool()
    drawn = generator.draw(z, tokens, mask, seeded(2))
    assert (drawn[given] == tokens[given]).all()
    free = generator.draw(z, tokens, torch.zeros_like(mask), seeded(2))
    assert (drawn[~given] != free[~given]).any()


@dataclass(frozen=True)
class _Only:
    """Lets through what the layout lets through."""

    layout: Layout

    def at(self, p: int, tokens: torch.Tensor, given: torch.Tensor) -> torch.Tensor:
        span = self.layout.spans[p]
        return torch.from_numpy(self.layout.drawable[span.start : span.start + span.width])


def test_rare_codes_are_never_drawn_when_they_must_not_be(
    encoded: tuple[Layout, torch.Tensor], generator: Generator
) -> None:
    layout, _ = encoded
    span = next(s for s in layout.spans if s.column == "job")
    rare = int(np.flatnonzero(~layout.drawable)[0]) - span.start
    position = layout.spans.index(span)
    biased = Generator(layout, SMALL, seeded(0))
    with torch.no_grad():
        biased.out_bias[span.start + rare] += 20
    rows = torch.zeros(200, len(layout.spans), dtype=torch.int64)
    mask = torch.zeros(200, len(layout.columns))
    z = torch.randn(200, SMALL.noise_width, generator=seeded(1))
    assert (biased.draw(z, rows, mask, seeded(2))[:, position] == rare).all()
    drawn = biased.draw(z, rows, mask, seeded(2), drawable=_Only(layout))
    assert (drawn[:, position] != rare).all()


def test_every_weight_learns_from_the_likelihood(
    encoded: tuple[Layout, torch.Tensor], generator: Generator
) -> None:
    layout, tokens = encoded
    mask = half_mask(len(tokens), layout)
    z = torch.randn(len(tokens), SMALL.noise_width, generator=seeded(1))
    logits = generator.logits(z, tokens, mask, seeded(4))
    sum(each.values.logsumexp(dim=2).sum() for each in logits).backward()  # type: ignore[union-attr]
    for name, weight in generator.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.isfinite().all(), name
    generator.zero_grad(set_to_none=True)


def test_dropout_is_in_the_block_too(
    encoded: tuple[Layout, torch.Tensor], generator: Generator
) -> None:
    layout, tokens = encoded
    mask = torch.zeros(1, len(layout.columns))
    z = torch.randn(1, SMALL.noise_width, generator=seeded(1))
    untouched = []
    for rng in (seeded(4), None):
        group = generator.logits(z, tokens[:1], mask, rng)[0]
        group.values[0].logsumexp(dim=1).sum().backward()
        assert generator.deeper is not None
        grad = generator.deeper.block_out.grad
        assert grad is not None
        untouched.append(int((grad == 0).all(dim=1).sum()))
        generator.zero_grad(set_to_none=True)
    assert untouched[1] == 0 < untouched[0] < SMALL.block_width


def test_what_dropout_leaves_makes_up_for_what_it_takes() -> None:
    factors = dropped((100, 1000), 0.25, seeded(0), torch.device("cpu"))
    assert factors is not None
    assert float((factors == 0).float().mean()) == pytest.approx(0.25, abs=0.01)
    assert float(factors.mean()) == pytest.approx(1, abs=0.01)
    assert dropped((2, 2), 0.25, None, torch.device("cpu")) is None
    assert dropped((2, 2), 0.0, seeded(0), torch.device("cpu")) is None


def test_the_fused_backward_passes_are_right() -> None:
    def numbers(*shape: int) -> torch.Tensor:
        made = torch.randn(*shape, dtype=torch.float64, generator=seeded(sum(shape)))
        return made.requires_grad_()

    kept = (torch.rand(3, 4, 5, generator=seeded(0)) < 0.7).double()
    heads = numbers(3, 4, 6), numbers(3, 6, 5), numbers(3, 1, 5)
    assert torch.autograd.gradcheck(lambda *x: head_activation(*x, kept), heads)
    assert torch.autograd.gradcheck(lambda *x: head_activation(*x, None), heads)
    block = numbers(3, 4, 6), numbers(6, 5), numbers(5), numbers(5, 6)
    some = (torch.rand(3, 4, 5, generator=seeded(1)) < 0.7).double() / 0.7
    assert torch.autograd.gradcheck(lambda *x: residual(*x, some), block)
    assert torch.autograd.gradcheck(residual, block)
    assert torch.autograd.gradcheck(row_states, (numbers(4, 6), numbers(3, 4, 6), numbers(3, 4, 6)))


def test_a_given_cell_counts_until_its_place_and_a_past_one_from_it_on() -> None:
    past = torch.tensor([1.0, 2.0, 4.0]).view(3, 1, 1)
    ahead = torch.tensor([0.0, 100.0, 0.0]).view(3, 1, 1)
    states = row_states(torch.full((1, 1), 10.0), past, ahead)
    assert states.flatten().tolist() == [110.0, 111.0, 13.0]


def test_draws_follow_the_softmax() -> None:
    logits = torch.tensor([[0.0, -torch.inf, 1.0, -2.0]]).repeat(50_000, 1)
    drawn = torch.bincount(categorical(logits, seeded(0)), minlength=4) / 50_000
    torch.testing.assert_close(drawn, logits[0].softmax(0), atol=0.01, rtol=0)


def test_the_critic_sees_offsets_ranks_and_codes(encoded: tuple[Layout, torch.Tensor]) -> None:
    layout, tokens = encoded
    critic = Critic(layout, SMALL, seeded(0))
    mask = torch.zeros(len(tokens), len(layout.columns))
    features = critic.features(onehot(tokens, critic.geometry), mask)
    for p in range(len(layout.spans)):
        other = tokens.clone()
        other[:, p] = (other[:, p] + 1) % layout.spans[p].width
        changed = critic.features(onehot(other, critic.geometry), mask)
        assert (changed != features).any(), layout.spans[p]
    assert critic(features).shape == (len(tokens),)


def test_wide_columns_reach_the_critic_through_a_projection() -> None:
    frame = pd.DataFrame({"zip": np.repeat([f"z{i}" for i in range(700)], 6), "x": [0, 1] * 2100})
    schema = infer_columns(frame)
    layout = Encoder(schema, summarize(frame, schema, SummaryConfig())).layout
    critic = Critic(layout, SMALL, seeded(0))
    assert critic.layers[0].in_features < 100
    weights = Generator(layout, SMALL, seeded(0))
    assert sum(w.numel() for w in weights.parameters()) < 150 * layout.entries


def test_networks_leave_the_global_generator_alone(encoded: tuple[Layout, torch.Tensor]) -> None:
    before = torch.get_rng_state()
    generator = Generator(encoded[0], SMALL, seeded(0))
    Critic(encoded[0], SMALL, seeded(0))
    tokens = encoded[1]
    mask = torch.zeros(len(tokens), len(encoded[0].columns))
    generator.logits(torch.zeros(len(tokens), 8), tokens, mask, seeded(0))
    generator.draw(torch.zeros(len(tokens), 8), tokens, mask, seeded(0))
    assert torch.equal(torch.get_rng_state(), before)
