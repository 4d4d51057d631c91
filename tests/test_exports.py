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


def test_names_are_sorted_and_complete() -> None:
    homes = [name for names in synthgan._HOMES.values() for name in names]
    assert synthgan.__all__ == sorted(synthgan.__all__)
    assert sorted(homes) == synthgan.__all__
    assert set(synthgan.__all__) <= set(dir(synthgan))


def test_what_is_listed_is_public_and_once() -> None:
    plain = [name for name in dir(synthgan) if not name.startswith("__")]
    assert plain == synthgan.__all__
    assert "__version__" in dir(synthgan)


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse(Path(synthgan.__file__).read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    assert ast.unparse(block.test) == "TYPE_CHECKING"
    seen = {
        str(node.module): tuple(alias.name for alias in node.names)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
    }
    assert seen == synthgan._HOMES


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
