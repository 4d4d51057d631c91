"""The losses, against what they are by definition."""

from __future__ import annotations

import pytest
import torch

from synthgan.network import GroupLogits
from synthgan.objective import (
    critic_loss,
    generator_loss,
    gradient_penalty,
    negative_log_likelihood,
)


def test_critic_and_generator_pull_in_opposite_directions() -> None:
    real, fake = torch.tensor([3.0, 5.0]), torch.tensor([1.0, 2.0])
    assert float(critic_loss(real, fake)) == pytest.approx(-2.5)
    assert float(generator_loss(fake)) == pytest.approx(-1.5)


@pytest.mark.parametrize(("slope", "penalty"), [(1.0, 0.0), (3.0, 4.0), (0.0, 1.0)])
def test_the_penalty_of_a_linear_critic(slope: float, penalty: float) -> None:
    direction = torch.tensor([0.6, 0.8]) * slope

    def critic(x: torch.Tensor) -> torch.Tensor:
        return x @ direction

    real, fake, mix = torch.randn(7, 2), torch.randn(7, 2), torch.rand(7, 1)
    found = gradient_penalty(critic, real, fake, mix).detach()
    assert float(found) == pytest.approx(penalty, abs=1e-5)


def test_the_penalty_is_taken_between_real_and_fake() -> None:
    seen = []

    def critic(x: torch.Tensor) -> torch.Tensor:
        seen.append(x.detach())
        return x.square().sum(dim=1)

    real, fake = torch.ones(1, 2), torch.zeros(1, 2)
    penalty = gradient_penalty(critic, real, fake, torch.full((1, 1), 0.25))
    torch.testing.assert_close(seen[0], torch.full((1, 2), 0.25))
    assert float(penalty.detach()) == pytest.approx((2 * 0.25 * 2**0.5 - 1) ** 2, abs=1e-5)


def test_the_penalty_has_gradients_for_the_critic() -> None:
    weight = torch.ones(2, requires_grad=True)
    real, fake = torch.ones(3, 2), torch.zeros(3, 2)
    penalty = gradient_penalty(lambda x: x @ weight, real, fake, torch.rand(3, 1))
    penalty.backward()
    assert weight.grad is not None
    assert (weight.grad > 0).all()


def test_the_likelihood_is_the_log_probability_of_what_counts() -> None:
    logits = [torch.tensor([[0.0, 1.0], [2.0, 0.0]]), torch.zeros(2, 4)]
    padded = torch.full((2, 2, 4), -torch.inf)
    padded[0, :, :2], padded[1] = logits
    tokens = torch.tensor([[1, 3], [1, 0]])
    counts = torch.tensor([[1.0, 1.0], [1.0, 0.0]])
    wanted = sum(
        float(logits[p][b].log_softmax(0)[tokens[b, p]]) for b, p in ((0, 0), (0, 1), (1, 0))
    )
    together = [GroupLogits(torch.tensor([0, 1]), padded)]
    apart = [GroupLogits(torch.tensor([p]), logits[p].unsqueeze(0)) for p in (1, 0)]
    for groups in (together, apart):
        assert float(negative_log_likelihood(groups, tokens, counts)) == pytest.approx(-wanted / 2)
