"""AC-GAN: a classifier beside the critic, for a chosen column."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest
import torch
from click.testing import CliRunner
from sample_tables import people, quick
from torch.nn import functional as F

import synthgan
from synthgan.cli.app import main
from synthgan.config import ObjectiveName
from synthgan.encode.encoder import Encoder
from synthgan.encode.summarize import summarize
from synthgan.network.critic import Classifier, Critic
from synthgan.network.generator import Generator
from synthgan.network.geometry import onehot
from synthgan.network.losses import Constraint, auxiliary_loss, classification_loss
from synthgan.network.optim import adam
from synthgan.schema.infer import infer_columns
from synthgan.train.run import Run
from synthgan.train.steps import generator_step, step_critic


def test_the_loss_is_the_mean_cross_entropy_of_rows_that_have_a_label() -> None:
    logits = torch.tensor([[math.log(3.0), 0.0], [0.0, 0.0], [7.0, -7.0]])
    labels = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    by_hand = (math.log(4 / 3) + math.log(2)) / 2
    assert float(classification_loss(logits, labels)) == pytest.approx(by_hand)
    outside = F.cross_entropy(logits[:2], torch.tensor([0, 1]))
    torch.testing.assert_close(classification_loss(logits, labels), outside)
    assert float(classification_loss(logits, torch.zeros(3, 2))) == 0


@cache
def begun(auxiliary: str = "job") -> tuple[Run, Critic]:
    """A run and a critic before any step; not to be changed."""
    frame = people(300)
    schema = infer_columns(frame)
    encoder = Encoder(schema, summarize(frame, schema, synthgan.SummaryConfig()))
    tokens = encoder.encode(frame, np.random.default_rng(0))
    config = quick(1, warm_start=False, auxiliary=auxiliary)
    run = Run.begin(tokens, encoder.layout, config, torch.device("cpu"))
    rng = torch.Generator().manual_seed(0)
    return run, Critic(encoder.layout, config.network, rng, auxiliary=auxiliary)


def classifier_of(critic: Critic) -> Classifier:
    assert critic.classifier is not None
    return critic.classifier


@pytest.mark.parametrize("column", ["job", "rich", "member"])
def test_the_classifier_sees_every_cell_but_the_one_it_is_to_tell(column: str) -> None:
    run, critic = begun(column)
    layout = run.generator.layout
    p = layout.code_position(column)
    assert p is not None
    tokens = run.rows.training[:50].long()
    other = tokens.clone()
    other[:, p] = (other[:, p] + 1) % layout.spans[p].width
    mask = torch.zeros(50, len(layout.columns))
    given = mask.clone()
    given[:, layout.columns.index(column)] = 1
    told = critic.features(onehot(tokens, critic.geometry), mask)
    changed = critic.features(onehot(other, critic.geometry), given)
    classifier = classifier_of(critic)
    torch.testing.assert_close(classifier(changed), classifier(told))
    assert not torch.allclose(critic(changed), critic(told))
    assert torch.equal(classifier.labels(told).argmax(dim=1), tokens[:, p])
    assert torch.equal(classifier.given(changed), torch.ones(50, 1))
    assert torch.equal(classifier.given(told), torch.zeros(50, 1))
    for q in range(len(layout.spans)):
        if layout.spans[q].column == column:
            continue
        another = tokens.clone()
        another[:, q] = (another[:, q] + 1) % layout.spans[q].width
        seen = critic.features(onehot(another, critic.geometry), mask)
        assert not torch.equal(classifier(seen), classifier(told)), layout.spans[q]


def test_of_drawn_rows_those_count_whose_class_was_given() -> None:
    run, critic = begun()
    tokens = run.rows.training[:40].long()
    mask = torch.zeros(40, len(run.generator.layout.columns))
    mask[:10, run.generator.layout.columns.index("job")] = 1
    features = critic.features(onehot(tokens, critic.geometry), mask)
    classifier = classifier_of(critic)
    labels = classifier.labels(features).argmax(dim=1)
    each = F.cross_entropy(classifier(features), labels, reduction="none")
    real, drawn = (auxiliary_loss(critic, features, drawn=drawn) for drawn in (False, True))
    torch.testing.assert_close(real, each.mean())
    torch.testing.assert_close(drawn, each[:10].mean())
    assert auxiliary_loss(plain_critic(run), features, drawn=True) == 0


def plain_critic(run: Run) -> Critic:
    rng = torch.Generator().manual_seed(0)
    return Critic(run.generator.layout, run.config.network, rng)


def test_a_critic_scores_the_same_with_and_without_a_classifier() -> None:
    run, critic = begun()
    plain = plain_critic(run)
    tokens = onehot(run.rows.training[:20].long(), critic.geometry)
    mask = torch.zeros(20, len(run.generator.layout.columns))
    assert torch.equal(plain(plain.features(tokens, mask)), critic(critic.features(tokens, mask)))


@pytest.mark.parametrize("constraint", [Constraint(clip=0.01), Constraint(spectral=True)])
def test_what_bounds_the_critic_leaves_the_classifier_alone(constraint: Constraint) -> None:
    run, kept = begun()
    critic = Critic(run.generator.layout, run.config.network, torch.Generator(), auxiliary="job")
    critic.load_state_dict(kept.state_dict())
    mask = torch.zeros(2, len(run.generator.layout.columns))
    features = critic.features(onehot(run.rows.training[:2].long(), critic.geometry), mask)
    (constraint.scorer(critic)(features).sum() + loss_of(critic, features)).backward()
    constraint.project(critic)
    assert all(weight.grad is None for weight in classifier_of(critic).parameters())
    before, after = classifier_of(kept).state_dict(), classifier_of(critic).state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


@torch.no_grad()
def loss_of(critic: Critic, features: torch.Tensor) -> float:
    return float(auxiliary_loss(critic, features, drawn=False))


def test_each_network_descends_on_its_term() -> None:
    """The classifier learns real rows; generator steps leave it as it is."""
    run, kept = begun()
    critic = Critic(run.generator.layout, run.config.network, torch.Generator(), auxiliary="job")
    critic.load_state_dict(kept.state_dict())
    tokens = run.rows.training[:100].long()
    mask = run.rows.mask(100, len(run.generator.layout.columns))
    real = critic.features(onehot(tokens, critic.geometry), mask).detach()
    optimizer, mix = adam(critic, 3e-3), torch.full((100, 1), 0.5)
    before = loss_of(critic, real)
    for _ in range(40):
        step_critic(critic, optimizer, real, real, mix, run.objective)
    after = loss_of(critic, real)
    assert after < before - 0.3
    generator = Generator(run.generator.layout, run.config.network, torch.Generator())
    of_generator = Run(generator, run.rows, run.config)
    generator_step(of_generator, critic, adam(generator, 1e-3))
    assert loss_of(critic, real) == after
    assert all(weight.requires_grad for weight in critic.parameters())


def noisy(rows: int = 1500) -> pd.DataFrame:
    """A label of three classes, and two columns that say the same in 83 % of rows."""
    rng = np.random.default_rng(0)
    label = rng.integers(0, 3, rows)
    letters = np.array(list("abc"))
    told = [np.where(rng.random(rows) < 0.75, label, rng.integers(0, 3, rows)) for _ in range(2)]
    return pd.DataFrame(
        {"label": letters[label], "one": letters[told[0]], "other": letters[told[1]]}
    )


@pytest.mark.parametrize("name", get_args(ObjectiveName))
def test_rows_are_easier_to_classify_than_real_ones(name: ObjectiveName) -> None:
    """What the term is for, and what is known to be wrong with it."""
    config = quick(160, objective=name, warm_start=False, critic_steps=1, critic_lr=3e-3,
                   generator_lr=3e-3, auxiliary="label")  # fmt: skip
    table = noisy()
    drawn = synthgan.fit(table, config=config).sample(2000, seed=1)
    agree = [(t["label"] == t["one"]) & (t["label"] == t["other"]) for t in (table, drawn)]
    assert 0.6 < agree[0].mean() < 0.75
    assert agree[1].mean() > 0.9
    assert drawn["label"].value_counts(normalize=True).min() > 0.1, "no class is lost"


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("jbo", "'jbo', which is not there.*'job'"),
        ("same", "one value only"),
        ("age", "'age', which holds numbers or dates.*'rich'"),
        ("since", "numbers or dates"),
        ("town", "categories; at most 256"),
    ],
)
def test_columns_without_classes_are_refused(column: str, words: str) -> None:
    table = people(600).assign(same="x")
    table = pd.concat([table] * 5, ignore_index=True)
    table["town"] = [f"town {i % 300}" for i in range(len(table))]
    with pytest.raises(synthgan.ConfigError, match=words):
        synthgan.fit(table, config=quick(2, auxiliary=column))


def test_settings_that_cannot_be() -> None:
    with pytest.raises(synthgan.ConfigError, match="part of the game"):
        synthgan.TrainConfig(auxiliary="job", adversarial=False)
    train = synthgan.TrainConfig(auxiliary="job")
    with pytest.raises(synthgan.ConfigError, match="private fit"):
        synthgan.Config(train=train, privacy=synthgan.PrivacyConfig(epsilon=1))
    tables = {"a": pd.DataFrame({"id": [1, 2]}), "b": pd.DataFrame({"of": [1, 2]})}
    with pytest.raises(synthgan.ConfigError, match="one table"):
        synthgan.fit_tables(tables, "a.id=b.of", config=synthgan.Config(train=train))


def test_the_command_keeps_the_column_in_the_model(tmp_path: Path) -> None:
    data, model = tmp_path / "data.csv", tmp_path / "m.synthgan"
    synthgan.write_table([people(200)], data)
    args = ["fit", str(data), "-o", str(model), "--steps", "6", "--quiet", "--auxiliary"]
    result = CliRunner().invoke(main, [*args, "job"])
    assert result.exit_code == 0, result.output
    assert synthgan.load(model).config.train.auxiliary == "job"
    wrong = CliRunner().invoke(main, [*args, "age", "--overwrite"])
    assert wrong.exit_code == 2
    assert "numbers or dates" in wrong.stderr
    assert len(wrong.stderr.splitlines()) == 1
