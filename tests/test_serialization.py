"""Dataclasses to plain JSON values and back: nothing is lost, nothing unexpected gets in."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthgan.serialization import from_plain, to_plain


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, kw_only=True)
class Leaf:
    name: str
    size: float = 1.0
    kind: Literal["oak", "elm"] = "oak"


@dataclass(frozen=True, kw_only=True)
class Tree:
    colour: Colour
    count: int
    green: bool = True
    height: float | None = None
    label: str | int | float | bool = ""
    leaves: tuple[Leaf, ...] = ()
    by_name: dict[str, Leaf] = field(default_factory=dict)
    edges: tuple[tuple[float, ...], ...] = ()


finite = st.floats(allow_nan=False, allow_infinity=False)
leaves = st.builds(Leaf, name=st.text(), size=finite, kind=st.sampled_from(["oak", "elm"]))
trees = st.builds(
    Tree,
    colour=st.sampled_from(Colour),
    count=st.integers(),
    green=st.booleans(),
    height=st.none() | finite,
    label=st.text() | st.integers() | finite | st.booleans(),
    leaves=st.lists(leaves, max_size=3).map(tuple),
    by_name=st.dictionaries(st.text(), leaves, max_size=3),
    edges=st.lists(st.lists(finite, max_size=3).map(tuple), max_size=3).map(tuple),
)
SMALL: dict[str, Any] = {"colour": "red", "count": 3}


@given(tree=trees)
def test_all_comes_back_through_json(tree: Tree) -> None:
    text = json.dumps(to_plain(tree), allow_nan=False)
    back = from_plain(Tree, json.loads(text))
    assert back == tree
    assert type(back.label) is type(tree.label)  # 1, 1.0 and True are equal, and not the same


@given(tree=trees)
def test_defaults_can_be_left_out_and_come_back(tree: Tree) -> None:
    plain = to_plain(tree, skip_defaults=True)
    assert isinstance(plain, dict)
    assert ("green" in plain) == (not tree.green)
    assert ("height" in plain) == (tree.height is not None)
    assert from_plain(Tree, plain) == tree


def test_what_was_left_out_has_its_default() -> None:
    assert from_plain(Tree, SMALL) == Tree(colour=Colour.RED, count=3)


def test_a_whole_number_does_for_a_float_and_becomes_one() -> None:
    built = from_plain(Leaf, {"name": "a", "size": 2})
    assert built.size == 2
    assert type(built.size) is float


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"count": None}, "tree.count"),
        ({"count": 3.0}, "tree.count"),
        ({"count": True}, "tree.count"),
        ({"count": "3"}, "tree.count"),
        ({"green": 1}, "tree.green"),
        ({"green": None}, "tree.green"),
        ({"height": "1"}, "tree.height"),
        ({"height": True}, "tree.height"),
        ({"height": float("nan")}, "tree.height"),
        ({"height": float("inf")}, "tree.height"),
        ({"label": None}, "tree.label"),
        ({"label": []}, "tree.label"),
        ({"label": float("nan")}, "tree.label"),
        ({"colour": "green"}, "tree.colour"),
        ({"colour": "RED"}, "tree.colour"),
        ({"colour": []}, "tree.colour"),
        ({"leaves": {}}, "tree.leaves"),
        ({"leaves": "ab"}, "tree.leaves"),
        ({"leaves": [{"name": "a"}, {"name": 1}]}, "tree.leaves[1].name"),
        ({"leaves": [{"name": "a", "kind": "ash"}]}, "tree.leaves[0].kind"),
        ({"leaves": [{"name": "a", "kind": []}]}, "tree.leaves[0].kind"),
        ({"leaves": [{}]}, "tree.leaves[0]"),
        ({"leaves": [None]}, "tree.leaves[0]"),
        ({"by_name": []}, "tree.by_name"),
        ({"by_name": {"a": {"name": "a", "sise": 1}}}, "tree.by_name.a"),
        ({"edges": [[1.0], [float("-inf")]]}, "tree.edges[1][0]"),
        ({"edges": [1.0]}, "tree.edges[0]"),
    ],
)
def test_wrong_values_are_refused_and_the_place_is_named(
    change: dict[str, Any], place: str
) -> None:
    with pytest.raises(ValueError, match="tree") as error:
        from_plain(Tree, SMALL | change, "tree")
    assert str(error.value).startswith(f"{place}:")
    assert "\n" not in str(error.value)


def test_an_unknown_key_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(ValueError, match=r"unknown key 'sise'.*'size'"):
        from_plain(Leaf, {"name": "a", "sise": 1})


@pytest.mark.parametrize("missing", ["colour", "count"])
def test_a_missing_key_is_refused(missing: str) -> None:
    plain = {key: value for key, value in SMALL.items() if key != missing}
    with pytest.raises(ValueError, match=f"{missing}.*missing"):
        from_plain(Tree, plain)


@pytest.mark.parametrize("value", [None, 3, "text", [], [SMALL]])
def test_only_an_object_becomes_a_dataclass(value: object) -> None:
    with pytest.raises(ValueError, match="must be an object"):
        from_plain(Tree, value)


@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["colour", "count", "leaves", "name"]), inner)
        ),
    )
)
def test_whatever_comes_it_is_built_or_refused(value: object) -> None:
    with suppress(ValueError):
        assert isinstance(from_plain(Tree, value), Tree)


@pytest.mark.parametrize("value", [{1, 2}, b"bytes", 1j, object(), Leaf])
def test_what_has_no_json_form_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="no JSON form"):
        to_plain(value)
