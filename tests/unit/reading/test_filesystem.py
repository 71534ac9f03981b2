"""Logs in remote directories."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.logs import NOW, scalar
from vizkit.errors import DataError, MissingDependencyError
from vizkit.format import encode
from vizkit.reading import LogRoot, RunReader


@pytest.fixture
def memory() -> Iterator[Any]:
    fsspec = pytest.importorskip("fsspec")
    files = fsspec.filesystem("memory")
    yield files
    files.rm("/vizkit-test", recursive=True)


def test_a_remote_directory_is_read_and_followed(memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    first = b"".join(scalar("a", step / 2, step) for step in range(100))
    memory.pipe("/vizkit-test/log/run1/vdlrecords.1.log", first + encode.encode_text("t", "远", 0, NOW))
    memory.pipe("/vizkit-test/log/run1/other.txt", b"nothing")
    memory.pipe("/vizkit-test/log/deep/运行/vdlrecords.1.log", scalar("b", 0.5))
    root = LogRoot("memory://vizkit-test/log")
    assert list(root.runs) == ["deep/运行", "run1"]
    run = root.runs["run1"]
    assert run.scalars("a").steps.tolist() == list(range(100))
    assert list(run.entries("t")) == ["远"]
    assert root.refresh() == ([], [], [])
    asked: list[tuple[int, int]] = []
    cat_file = type(memory).cat_file

    def counted(self: Any, path: str, start: int, end: int, **more: Any) -> bytes:
        asked.append((start, end))
        return bytes(cat_file(self, path, start=start, end=end, **more))

    monkeypatch.setattr(type(memory), "cat_file", counted)
    with memory.open("/vizkit-test/log/run1/vdlrecords.1.log", "ab") as file:
        file.write(scalar("a", 50.0, 100))
    memory.pipe("/vizkit-test/log/new/vdlrecords.1.log", scalar("c", 0.5))
    assert root.refresh() == (["new"], [], ["run1"])
    assert run.scalars("a").values[-1] == 50.0
    assert max(end - start for start, end in asked) < 500
    alone = RunReader("memory://vizkit-test/log/run1")
    assert alone.count("a") == 101
    assert alone.files == run.files
    with pytest.raises(FileNotFoundError):
        LogRoot("memory://vizkit-test/none")


def test_missing_packages_for_remote_directories_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'paddle-vizkit\[remote\]'"):
        LogRoot("memory://vizkit-test")


def test_the_package_of_a_remote_file_system_is_named() -> None:
    fsspec = pytest.importorskip("fsspec")
    fsspec.register_implementation("gs", "no_such_module.Files", clobber=True, errtxt="x")
    with pytest.raises(MissingDependencyError, match="pip install gcsfs"):
        RunReader("gs://bucket/run")


def test_an_unknown_scheme_is_named() -> None:
    pytest.importorskip("fsspec")
    with pytest.raises(DataError, match="nonsense://bucket cannot be read"):
        LogRoot("nonsense://bucket")
