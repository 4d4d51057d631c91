"""The public names: complete, sorted, documented, and light to import."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

import synthgan


def test_names_are_sorted_and_complete() -> None:
    homes = [name for names in synthgan._HOMES.values() for name in names]
    assert synthgan.__all__ == sorted(synthgan.__all__)
    assert sorted(homes) == synthgan.__all__
    assert set(synthgan.__all__) <= set(dir(synthgan))


@pytest.mark.parametrize("name", synthgan.__all__)
def test_every_name_is_there_and_documented(name: str) -> None:
    value = getattr(synthgan, name)
    assert value.__doc__
    assert value.__module__.startswith("synthgan.")


def test_each_home_holds_what_it_is_said_to() -> None:
    for home, names in synthgan._HOMES.items():
        for name in names:
            assert getattr(import_module(home), name) is getattr(synthgan, name)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        _ = synthgan.nonsense


@pytest.mark.parametrize("module", ["synthgan", "synthgan.cli"])
def test_importing_is_light(module: str) -> None:
    code = f"import sys, {module}; print([m for m in ('torch', 'pandas') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_star_import_brings_the_public_names() -> None:
    names: dict[str, object] = {}
    exec("from synthgan import *", names)
    assert set(synthgan.__all__) <= set(names)
