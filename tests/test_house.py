"""The house: a folder is a stage of the data's way, a file one kind of thing that it handles."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import synthgan

ROOT = Path(synthgan.__file__).parent

FOLDERS = (
    "columns", "table", "schema", "encode", "metrics", "network", "sample", "report", "train",
    "privacy", "model", "multitable", "compare", "audit", "integrations",
)  # fmt: skip
"""Each imports only those before it, and the files of the root."""
FACES = ("ui", "cli")
"""What people use: these know the public names, the files of the root, and those before them."""
ROOT_FILES = {
    "__init__", "__main__", "_typing", "config", "errors", "files", "on_ray", "progress",
    "serialization",
}  # fmt: skip


@cache
def modules() -> dict[str, ast.Module]:
    """All modules by name; a folder's face has the name of the folder."""
    return {
        ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(
            ".__init__"
        ): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(ROOT.rglob("*.py"))
    }


def imports(tree: ast.AST, *, at_once: bool = False) -> Iterator[str]:
    """Modules of the package that ``tree`` imports; ``at_once`` leaves out what a function or a
    type checker alone does."""
    for node in ast.iter_child_nodes(tree):
        later = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        unseen = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        if at_once and (later or unseen):
            continue
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports are banned"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in modules() else str(node.module)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        else:
            yield from imports(node, at_once=at_once)


def folder_of(module: str) -> str:
    """The folder that a module is in; "" for the root."""
    parts = module.split(".")
    inside = parts[0] == "synthgan" and len(parts) > 1
    return parts[1] if inside and parts[1] in (*FOLDERS, *FACES) else ""


def allowed_for(folder: str) -> set[str]:
    if folder in FACES:
        return {"", *FACES[: FACES.index(folder) + 1]}
    return {"", *FOLDERS[: FOLDERS.index(folder) + 1]}


@pytest.mark.parametrize("name", [name for name in modules() if folder_of(name)])
def test_a_folder_imports_only_those_before_it(name: str) -> None:
    found = {each for each in imports(modules()[name]) if each.split(".")[0] == "synthgan"}
    assert {folder_of(each) for each in found} <= allowed_for(folder_of(name))
    if folder_of(name) not in FACES:
        assert "synthgan" not in found, "the public names are for outside"


@pytest.mark.parametrize("name", sorted(ROOT_FILES - {"__init__", "__main__", "on_ray"}))
def test_files_of_the_root_import_no_folder(name: str) -> None:
    assert not any(folder_of(each) for each in imports(modules()[f"synthgan.{name}"]))


def test_the_root_is_small_and_every_folder_has_its_place() -> None:
    assert {path.stem for path in ROOT.glob("*.py")} == ROOT_FILES
    assert {path.name for path in ROOT.iterdir() if (path / "__init__.py").exists()} == {
        *FOLDERS,
        *FACES,
    }


def test_nothing_imports_tests() -> None:
    tops = {each.split(".")[0] for tree in modules().values() for each in imports(tree)}
    assert not tops & {"tests", "benchmarks", "datasets"}


def test_no_imports_go_in_a_circle() -> None:
    graph = {
        name: {each for each in imports(tree, at_once=True) if each in modules() and each != name}
        for name, tree in modules().items()
    }
    TopologicalSorter(graph).prepare()


def test_a_circle_would_be_seen() -> None:
    with pytest.raises(CycleError):
        TopologicalSorter({"a": {"b"}, "b": {"a"}}).prepare()


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_no_file_and_no_class_is_long(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef):
            methods = [each.name for each in node.body if isinstance(each, ast.FunctionDef)]
            assert len(methods) <= 20, node.name


@pytest.mark.parametrize("path", sorted(ROOT.rglob("__init__.py")), ids=lambda p: p.parent.name)
def test_a_face_is_short_and_defines_nothing(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") < 40
    if path.parent != ROOT:
        assert not re.search(r"^(def|class) ", text, re.MULTILINE)


@pytest.mark.parametrize("name", sorted(modules()))
def test_faces_are_for_outside(name: str) -> None:
    """Inside, names are imported from the file that defines them."""
    faces = {each for each in modules() if (ROOT.parent / each.replace(".", "/")).is_dir()}
    allowed = (
        {"synthgan", "synthgan.cli"} if folder_of(name) in FACES or not folder_of(name) else set()
    )
    assert not {each for each in imports(modules()[name]) if each in faces} - allowed - {name}
