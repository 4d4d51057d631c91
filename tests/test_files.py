"""Temporary files: who can open them, and what else may lie about under their names."""

from __future__ import annotations

import os
import signal
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest

from synthgan.files import read_small, replacing, write_bytes_atomically
from synthgan.table.read import read_table
from synthgan.table.split_files import split_file
from synthgan.table.write import write_table

if os.name != "posix":
    pytest.skip("modes, links and pipes of POSIX", allow_module_level=True)

LEFT = ".synthgan-0123.tmp"


@contextmanager
def within(seconds: int) -> Iterator[None]:
    """Fails where something waits for the other end of a pipe."""

    def fail(*_: object) -> None:
        raise TimeoutError("it hangs")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@pytest.mark.parametrize("old", [None, 0o600, 0o640, 0o444, 0o666, 0o755])
@pytest.mark.parametrize("secret", [False, True])
@pytest.mark.parametrize("mask", [0o022, 0o077, 0o000])
def test_a_file_has_its_final_mode_from_the_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: int | None, secret: bool, mask: int
) -> None:
    path = tmp_path / "model.synthgan"
    if old is not None:
        path.touch()
        path.chmod(old)
    seen: list[int] = []
    opened = os.open

    def watched(*arguments: object, **more: object) -> int:
        found = opened(*arguments, **more)  # type: ignore[arg-type]
        seen.append(stat.S_IMODE(os.fstat(found).st_mode))
        return found

    monkeypatch.setattr(os, "open", watched)
    with umask(mask), replacing(path, secret=secret) as temporary:
        first = seen[0]
        seen.append(stat.S_IMODE(temporary.stat().st_mode))
        temporary.write_bytes(b"new")
    final = stat.S_IMODE(path.stat().st_mode)
    wanted = 0o666 & ~mask if old is None else old
    assert final == (0o600 if secret else wanted)
    assert first & ~final == 0, "more could open it at first than in the end"
    assert set(seen[1:]) == {final}


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / LEFT).write_bytes(b"half of a model")
    write_bytes_atomically(tmp_path / "m.synthgan", b"whole")
    assert [each.name for each in tmp_path.iterdir()] == ["m.synthgan"]


def lay(where: Path, what: str) -> None:
    """Puts something that is no left-over file of this user under its name."""
    other = where.parent / "elsewhere"
    other.write_bytes(b"keep")
    if what == "pipe":
        os.mkfifo(where)
    elif what == "folder":
        where.mkdir()
    elif what == "socket":
        with socket.socket(socket.AF_UNIX) as end:
            end.bind(os.path.relpath(where))
    elif what == "link":
        where.symlink_to(other)
    elif what == "link to a pipe":
        os.mkfifo(where.parent / "pipe")
        where.symlink_to(where.parent / "pipe")
    elif what == "link to nothing":
        where.symlink_to(where.parent / "nothing")
    elif what == "hard link":
        where.hardlink_to(other)
    else:
        where.symlink_to("/dev/null")


@pytest.mark.parametrize(
    "what",
    [
        *("pipe", "folder", "socket", "link", "link to a pipe", "link to nothing", "hard link"),
        "link to a device",
    ],
)
def test_what_is_no_left_over_is_neither_opened_nor_removed(tmp_path: Path, what: str) -> None:
    lay(tmp_path / LEFT, what)
    with within(10):
        write_bytes_atomically(tmp_path / "m.synthgan", b"whole")
        write_table(pd.DataFrame({"a": [1]}), tmp_path / "t.csv")
    assert os.path.lexists(tmp_path / LEFT)
    assert (tmp_path / "elsewhere").read_bytes() == b"keep"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files of others")
def test_what_others_left_stays(tmp_path: Path) -> None:
    (tmp_path / LEFT).write_bytes(b"theirs")
    os.chown(tmp_path / LEFT, 65534, 65534)
    write_bytes_atomically(tmp_path / "m.synthgan", b"whole")
    assert (tmp_path / LEFT).read_bytes() == b"theirs"


def test_a_pipe_where_a_note_may_be_is_not_waited_for(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("a\n" + "1\n2\n" * 50)
    os.mkfifo(tmp_path / "t.csv.split.json")
    with within(10):
        assert len(read_table(table)) == 100
        split_file(table, tmp_path / "one.csv", tmp_path / "two.csv")


def test_only_small_regular_files_are_notes(tmp_path: Path) -> None:
    (tmp_path / "note").write_bytes(b"12345")
    assert read_small(tmp_path / "note") == b"12345"
    for path, most in ((tmp_path / "note", 4), (Path("/dev/zero"), 4), (tmp_path, 4)):
        with pytest.raises(OSError):  # noqa: PT011
            read_small(path, most)
