"""The losses, against what they are by definition."""

from __future__ import annotations

from typing import get_args

import pytest
import torch

from synthgan.config import ObjectiveName
from synthgan.network.generator import GroupLogits
from synthgan.network.losses import (
    Constraint,
    critic_loss,
    critic_objective,
    cross_entropy_critic_loss,
    generator_loss,
    gradient_penalty,
    hinge_critic_loss,
    minimax_generator_loss,
    negative_log_likelihood,
    non_saturating_generator_loss,
    objective_of,
    spectral_norm,
)


def test_critic_and_generator_pull_in_opposite_directions() -> None:
    real, fake = torch.tensor([3.0, 5.0]), torch.tensor([1.0, 2.0])
    assert float(critic_loss(real, fake)) == pytest.approx(-2.5)
    assert float(generator_loss(fake)) == pytest.approx(-1.5)


def test_cross_entropy_is_that_of_labels() -> None:
    real, fake = torch.tensor([3.0, -1.0]), torch.tensor([0.5, -2.0])
    by_definition = -real.sigmoid().log().mean() - (1 - fake.sigmoid()).log().mean()
    torch.testing.assert_close(cross_entropy_critic_loss(real, fake), by_definition)
    torch.testing.assert_close(minimax_generator_loss(fake), (1 - fake.sigmoid()).log().mean())
    torch.testing.assert_close(non_saturating_generator_loss(fake), -fake.sigmoid().log().mean())


def test_hinge_asks_for_a_margin_of_one_and_no_more() -> None:
    assert float(hinge_critic_loss(torch.tensor([1.0, 7.0]), torch.tensor([-1.0, -9.0]))) == 0
    assert float(hinge_critic_loss(torch.tensor([0.5]), torch.tensor([0.5]))) == 2


def test_minimax_leaves_nothing_to_learn_where_the_critic_is_sure() -> None:
    """The known failure, and why the other form exists (Goodfellow et al. 2014, section 3)."""
    slopes = {}
    for loss in (minimax_generator_loss, non_saturating_generator_loss, generator_loss):
        score = torch.tensor([-10.0], requires_grad=True)
        loss(score).backward()
        assert score.grad is not None
        slopes[loss] = float(score.grad)
    assert all(slope < 0 for slope in slopes.values()), "a higher score is what all of them want"
    assert slopes[minimax_generator_loss] > -1e-4
    assert slopes[non_saturating_generator_loss] < -0.99
    assert slopes[generator_loss] == -1


def test_the_best_critic_scores_the_log_ratio_of_densities() -> None:
    """With two kinds of rows, 3 : 1 real and 1 : 1 fake, gradient descent finds log p / q."""
    scores = torch.zeros(2, requires_grad=True)
    optimizer = torch.optim.SGD([scores], lr=3.0)
    for _ in range(100):
        optimizer.zero_grad()
        cross_entropy_critic_loss(scores[[0, 0, 0, 1]], scores[[0, 1]]).backward()
        optimizer.step()
    wanted = torch.tensor([0.75 / 0.5, 0.25 / 0.5]).log()
    torch.testing.assert_close(scores.detach(), wanted, atol=1e-3, rtol=0)


def network() -> torch.nn.Sequential:
    rng = torch.Generator().manual_seed(0)
    layers = [torch.nn.Linear(6, 20), torch.nn.LeakyReLU(0.2), torch.nn.Linear(20, 1)]
    for layer in layers[::2]:
        for weight in layer.parameters():
            torch.nn.init.normal_(weight, 0, 3, generator=rng)
    return torch.nn.Sequential(*layers)


def test_the_spectral_norm_is_the_largest_singular_value() -> None:
    for shape in ((20, 6), (1, 20), (30, 30)):
        weight = torch.randn(shape, generator=torch.Generator().manual_seed(1))
        exact = torch.linalg.matrix_norm(weight, 2)
        assert 0.9 * exact < spectral_norm(weight) <= exact * (1 + 1e-5)


def test_a_spectral_critic_is_nowhere_steeper_than_one() -> None:
    critic = network()
    rng = torch.Generator().manual_seed(2)
    one, other = torch.randn((400, 6), generator=rng), torch.randn((400, 6), generator=rng)
    far = (one - other).norm(dim=1)
    free, bound = Constraint().scorer(critic), Constraint(spectral=True).scorer(critic)
    assert free is critic
    rises = [((c(one) - c(other)).squeeze(1).abs() / far).max() for c in (free, bound)]
    assert rises[0] > 5
    assert rises[1] < 1.1  # the power iteration is cut short
    bound(one).sum().backward()
    assert all(w.grad is not None and w.grad.isfinite().all() for w in critic.parameters())


def test_clipping_cuts_weights_and_leaves_the_critic_flat() -> None:
    """The known failure: capacity is not used (Gulrajani et al. 2017, section 3)."""
    critic = network()
    Constraint().project(critic)
    assert max(float(w.detach().abs().max()) for w in critic.parameters()) > 3
    Constraint(clip=0.01).project(critic)
    assert max(float(w.detach().abs().max()) for w in critic.parameters()) <= 0.01
    x = torch.randn(50, 6, requires_grad=True)
    (slope,) = torch.autograd.grad(critic(x).sum(), x)
    assert slope.norm(dim=1).max() < 0.01


@pytest.mark.parametrize("name", get_args(ObjectiveName))
def test_only_wgan_gp_pays_a_penalty(name: ObjectiveName) -> None:
    objective = objective_of(name, 10.0)
    rows, mix = (torch.randn(5, 2), torch.randn(5, 2)), torch.rand(5, 1)
    total, loss = critic_objective(lambda x: 3 * x.sum(dim=1), *rows, mix, objective)
    paid = float(total - loss)
    assert paid == (pytest.approx(10 * (3 * 2**0.5 - 1) ** 2, rel=1e-4) if name == "wgan-gp" else 0)


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
