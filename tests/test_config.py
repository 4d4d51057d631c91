"""The settings: recipe by default, frozen, and refused where they make no sense."""

from __future__ import annotations

import dataclasses
import json
import math
from fractions import Fraction
from typing import Any, get_args, get_type_hints

import numpy as np
import pytest

from synthgan.config import Config, NetworkConfig, PrivacyConfig, SummaryConfig, TrainConfig
from synthgan.errors import ConfigError, SynthganError
from synthgan.serialization import from_plain, to_plain

ANY = SummaryConfig | NetworkConfig | TrainConfig | Config
CLASSES = [SummaryConfig, NetworkConfig, TrainConfig, Config]

GOOD = [
    (SummaryConfig, "bins", [2, 1000]),
    (SummaryConfig, "min_category_rows", [1, 10**9]),
    (SummaryConfig, "extreme_rows", [1, 10**9]),
    (SummaryConfig, "max_categories", [2, 10**9]),
    (NetworkConfig, "noise_width", [1, 16_384]),
    (NetworkConfig, "width", [1, 16_384]),
    (NetworkConfig, "head_width", [1, 16_384]),
    (NetworkConfig, "block_width", [0, 16_384]),
    (NetworkConfig, "head_dropout", [0, 0.999]),
    (NetworkConfig, "critic_width", [1, 16_384]),
    (NetworkConfig, "critic_depth", [1, 16_384]),
    (TrainConfig, "warm_start", [True, False]),
    (TrainConfig, "adversarial", [True, False]),
    (TrainConfig, "steps", [None, 1, 10**9]),
    (TrainConfig, "max_minutes", [None, 1e-6, 10**6]),
    (TrainConfig, "batch_size", [2, 10**6]),
    (TrainConfig, "objective", ["wgan-gp", "minimax", "non-saturating", "wgan-clip", "hinge-sn"]),
    (TrainConfig, "auxiliary", [None, "job"]),
    (TrainConfig, "detection_every", [None, 1, 10**9]),
    (TrainConfig, "critic_steps", [1, 1000]),
    (TrainConfig, "gradient_penalty", [0, 1e6]),
    (TrainConfig, "likelihood_weight", [0, 1e6]),
    (TrainConfig, "warm_start_lr", [1e-9, 1]),
    (TrainConfig, "generator_lr", [None, 1e-9, 1]),
    (TrainConfig, "critic_lr", [1e-9, 1]),
    (TrainConfig, "validation_share", [1e-6, 0.5]),
    (TrainConfig, "cuda_graphs", [True, False]),
    (TrainConfig, "device", ["auto", "cpu", "cuda:1"]),
    (Config, "seed", [0, 2**63 - 1]),
]
"""Each setting at its bounds."""

BAD = [
    (SummaryConfig, "bins", [1, 0, -1, 1001]),
    (SummaryConfig, "min_category_rows", [0, -1]),
    (SummaryConfig, "extreme_rows", [0, -1]),
    (SummaryConfig, "max_categories", [1, 0]),
    (NetworkConfig, "noise_width", [0, 16_385]),
    (NetworkConfig, "width", [0, 16_385]),
    (NetworkConfig, "head_width", [0, 16_385]),
    (NetworkConfig, "block_width", [-1, 16_385]),
    (NetworkConfig, "head_dropout", [-0.001, 1, math.nan]),
    (NetworkConfig, "critic_width", [0, 16_385]),
    (NetworkConfig, "critic_depth", [0, 16_385]),
    (TrainConfig, "steps", [0, -1]),
    (TrainConfig, "max_minutes", [0, -1, math.nan]),
    (TrainConfig, "detection_every", [0, -1]),
    (TrainConfig, "batch_size", [1, 0]),
    (TrainConfig, "objective", ["gan", "", None]),
    (TrainConfig, "critic_steps", [0, -1]),
    (TrainConfig, "gradient_penalty", [-1e-9, math.nan]),
    (TrainConfig, "likelihood_weight", [-1e-9, math.nan]),
    (TrainConfig, "warm_start_lr", [0, -1, 1.001, math.nan]),
    (TrainConfig, "generator_lr", [0, -1, 1.001, math.nan]),
    (TrainConfig, "critic_lr", [0, -1, 1.001, math.nan]),
    (TrainConfig, "validation_share", [0, -0.1, 0.501, math.nan]),
    (Config, "seed", [-1, 2**63]),
]
"""Each setting just beyond them."""


def each(cases: list[tuple[type[ANY], str, list[object]]]) -> list[object]:
    return [
        pytest.param(cls, name, value, id=f"{cls.__name__}.{name}={value}")
        for cls, name, values in cases
        for value in values
    ]


@pytest.mark.parametrize(("cls", "name", "value"), each(GOOD))
def test_bounds_are_allowed(cls: type[ANY], name: str, value: object) -> None:
    assert getattr(cls(**{name: value}), name) == value


@pytest.mark.parametrize(("cls", "name", "value"), each(BAD))
def test_beyond_the_bounds_is_refused_in_one_line(cls: type[ANY], name: str, value: object) -> None:
    with pytest.raises(ConfigError) as error:
        cls(**{name: value})
    assert name in str(error.value)
    assert "\n" not in str(error.value)
    assert isinstance(error.value, SynthganError)


def test_every_setting_has_its_bounds_tested() -> None:
    tested = {(cls, name) for cls, name, _ in GOOD}
    parts = {"summary", "network", "train", "privacy"}
    for cls in CLASSES:
        for field in dataclasses.fields(cls):
            assert (cls, field.name) in tested or (cls is Config and field.name in parts)


OTHERS: dict[type, list[tuple[object, object]]] = {
    bool: [(np.True_, True), (np.False_, False)],
    int: [(np.int64(3), 3), (np.uint8(3), 3), (np.int16(3), 3)],
    float: [(np.float32(0.25), 0.25), (np.float64(0.25), 0.25), (Fraction(1, 4), 0.25)],
    str: [(np.str_("cpu"), "cpu")],
}
"""What is taken for a type, and what becomes of it."""

WRONG: dict[type, list[object]] = {
    bool: [1, 0, "yes", None, np.array([True])],
    int: [True, 3.0, "3", np.float64(3), np.True_, np.array([3]), [3], 10**5000],
    float: [True, "0.25", np.True_, np.array([0.25, 0.25]), {}, 1j, 10**400, math.inf],
    str: [3, b"cpu", None, ["cpu"]],
    PrivacyConfig: [{}, 3, SummaryConfig(), 0.5],  # None is the default: no guarantee
}


def typed_settings() -> list[tuple[type[ANY], str, type]]:
    """Class, name and type of each setting; None, where it is allowed, aside."""
    return [
        (cls, name, (get_args(hint) or (hint,))[0])
        for cls in CLASSES
        for name, hint in get_type_hints(cls).items()
    ]


@pytest.mark.parametrize(("cls", "name", "kind"), typed_settings())
def test_every_setting_is_of_its_type(cls: type[ANY], name: str, kind: type) -> None:
    for value, becomes in OTHERS.get(kind, []):
        settings = cls(**{name: value})
        assert getattr(settings, name) == becomes
        assert type(getattr(settings, name)) is kind
        text = json.dumps(to_plain(settings))
        assert from_plain(cls, json.loads(text)) == settings
    wrong = WRONG.get(kind, [{}, None, SummaryConfig, Config(), 3])
    if type(None) in get_args(get_type_hints(cls)[name]) and kind is str:
        wrong = [value for value in wrong if value is not None]
    for value in wrong:
        with pytest.raises(ConfigError, match=name) as error:
            cls(**{name: value})
        assert "\n" not in str(error.value)


def test_numbers_are_told_in_one_type() -> None:
    assert type(TrainConfig(max_minutes=5).max_minutes) is float
    assert type(TrainConfig(steps=np.int32(5)).steps) is int  # type: ignore[arg-type]
    assert TrainConfig(steps=None).steps is None


def test_one_phase_of_training_is_needed() -> None:
    with pytest.raises(ConfigError, match="both"):
        TrainConfig(warm_start=False, adversarial=False)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_settings_are_frozen_and_named(cls: type[ANY]) -> None:
    settings = cls()
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(settings, dataclasses.fields(cls)[0].name, 3)
    with pytest.raises(TypeError):
        cls(3)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        cls(nonsense=3)  # type: ignore[call-arg]


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_defaults_are_equal_and_come_back_from_plain_values(cls: type[ANY]) -> None:
    assert cls() == cls()
    assert hash(cls()) == hash(cls())
    assert from_plain(cls, to_plain(cls())) == cls()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epsilon": 0}, "epsilon must be above 0"),
        ({"epsilon": math.inf}, "epsilon must"),
        ({"epsilon": 1, "delta": 0}, "delta must be above 0"),
        ({"epsilon": 1, "delta": 1}, "delta must be above 0"),
        ({"epsilon": 1, "unit": "who", "unit_rows": 0}, "unit_rows must be at least 1"),
        ({"epsilon": 1, "unit_rows": 2}, "name it"),
    ],
)
def test_privacy_without_a_meaning_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        PrivacyConfig(**settings)
    assert PrivacyConfig(epsilon=1).delta == 1e-6


def test_a_file_with_settings_out_of_bounds_is_refused() -> None:
    plain = to_plain(Config())
    assert isinstance(plain, dict)
    assert isinstance(plain["train"], dict)
    plain["train"]["batch_size"] = 0
    with pytest.raises(ConfigError, match="batch_size"):
        from_plain(Config, plain)
