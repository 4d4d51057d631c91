"""Imports point one way: each module may import only those above it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import synthgan

ROOT = Path(synthgan.__file__).parent

ORDER = (
    "errors", "records", "config", "people", "table", "schema", "values", "condition",
    "constraints", "privacy", "almanac", "summary", "making_up", "private_summary", "codec",
    "encode", "limits", "network", "mixture",
    "objective", "distributed", "train", "private_critic",
    "private_fit", "given", "rules", "sample", "chunked_fit", "parts", "archive",
    "caveats", "protections", "synthesizer", "relations", "autoencoder", "baselines",
    "estimators", "on_ray", "audit", "comparison", "screen", "progress",
)  # fmt: skip
"""A folder counts as the module of its name."""

REPORT = {"errors", "schema", "table", "report"}
CLI = {"errors", "screen", "progress", "cli", "ui", ""}  # "" is the public package
UI = {"errors", "screen", "ui", ""}
COMPARISON = {*ORDER, "report"}  # learns, and judges


def modules() -> list[Path]:
    return sorted(ROOT.rglob("*.py"))


def layer_of(path: Path) -> str:
    first = path.relative_to(ROOT).parts[0]
    return first.removesuffix(".py")


def allowed_for(layer: str) -> set[str]:
    if layer == "__init__":
        return {*ORDER, "report"}
    if layer == "__main__":
        return {"cli"}
    if layer in ("report", "cli", "ui", "comparison"):
        return {"report": REPORT, "cli": CLI, "ui": UI, "comparison": COMPARISON}[layer]
    return {*ORDER[: ORDER.index(layer)], layer}


def imported_layers(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports are banned"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            if node.module != "synthgan":
                names = [node.module or ""]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "synthgan":
            names = [f"synthgan.{node.attr}"]  # reached through the package
        else:
            continue
        for name in names:
            top, _, rest = name.partition(".")
            assert top not in ("tests", "benchmarks", "datasets"), name
            if top == "synthgan":
                layer = rest.split(".")[0]
                yield layer if layer in {*ORDER, "report", "cli", "ui"} else ""


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_up(path: Path) -> None:
    layer = layer_of(path)
    assert layer in {*ORDER, "report", "cli", "ui", "__init__", "__main__"}, (
        f"{layer} is not in the order of modules: give it a place"
    )
    found = set(imported_layers(ast.parse(path.read_text(encoding="utf-8"))))
    assert found <= allowed_for(layer), f"{layer} must not import {found - allowed_for(layer)}"


def test_every_layer_exists() -> None:
    assert {layer_of(path) for path in modules()} >= {*ORDER, "report", "cli", "ui"}


@pytest.mark.parametrize(
    "line", ["from . import train", "from ..schema import Kind", "import tests"]
)
def test_the_test_sees_an_import_that_is_banned(line: str) -> None:
    with pytest.raises(AssertionError):
        list(imported_layers(ast.parse(line)))


def test_the_test_sees_a_wrong_import() -> None:
    tree = ast.parse(
        "from synthgan.train import Step\nimport synthgan.encode\n"
        "def later():\n    from synthgan import archive\n    synthgan.table.read_table()"
    )
    assert set(imported_layers(tree)) == {"train", "encode", "archive", "table"}
    assert not {"train"} <= allowed_for("schema")
