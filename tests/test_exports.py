"""The public names: complete, sorted, documented, and light to import."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import synthgan

STUB = Path(synthgan.__file__).with_suffix(".pyi")


def homes() -> dict[str, str]:
    """Where the stub says that each name is defined."""
    tree = ast.parse(STUB.read_text(encoding="utf-8"))
    return {
        alias.name: f"synthgan.{node.module}"
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def test_names_are_sorted_and_complete() -> None:
    assert synthgan.__all__ == sorted(synthgan.__all__)
    assert sorted(homes()) == synthgan.__all__
    assert set(synthgan.__all__) <= set(dir(synthgan))


def test_what_is_listed_is_public_and_once() -> None:
    plain = [name for name in dir(synthgan) if not name.startswith("__")]
    assert plain == synthgan.__all__
    assert "__version__" in dir(synthgan)


@pytest.mark.parametrize("name", synthgan.__all__)
def test_every_name_is_there_and_documented(name: str) -> None:
    value = getattr(synthgan, name)
    assert value.__module__.startswith("synthgan.")
    assert inspect.getdoc(value)
    assert not value.__doc__.startswith(f"{name}("), "this is what dataclass makes up"
    if inspect.isclass(value) and value.__module__ != "synthgan.errors":
        members = {n: m for n, m in vars(value).items() if not n.startswith("_")}
        described = (property, staticmethod, classmethod)
        for member, what in members.items():
            if inspect.isfunction(what) or isinstance(what, described):
                assert inspect.getdoc(what), f"{name}.{member}"


@pytest.mark.parametrize("name", [each for each in synthgan.__all__ if each.endswith("Config")])
def test_help_says_of_each_setting_what_it_does(name: str) -> None:
    kind = getattr(synthgan, name)
    told = kind.__doc__.partition("Attributes:\n")[2]
    assert re.findall(r"^ {8}(\w+): \S", told, re.MULTILINE) == list(kind.__dataclass_fields__)


def test_each_name_is_defined_where_the_stub_says() -> None:
    for name, home in homes().items():
        value = getattr(synthgan, name)
        assert value is getattr(import_module(home), name)
        assert value.__module__ == home, name


def test_the_former_place_of_ray_holds_for_one_more_release() -> None:
    tree = ast.parse(STUB.with_name("on_ray.py").read_text(encoding="utf-8"))
    (line,) = (node for node in tree.body if isinstance(node, ast.ImportFrom))
    assert line.module == "synthgan.integrations.ray"


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
