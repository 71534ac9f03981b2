"""Logs in remote directories."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.logs import NOW, path_in, scalar
from vizkit.errors import DataError, MissingDependencyError
from vizkit.format import encode
from vizkit.reading import LogRoot, RunReader, filesystem


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


def test_a_directory_that_is_gone_or_no_directory_holds_no_logs(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "none", tmp_path / "file"):
        assert filesystem.store_of(str(path)).logs(str(path)) == []
    assert filesystem.store_of("memory://vizkit-none").logs("memory://vizkit-none") == []


def test_what_vanishes_while_it_is_listed_costs_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log that is deleted, and a directory that may not be read."""
    for name in ("good", "gone", "closed"):
        path_in(tmp_path / name).write_bytes(scalar("a", 0.5))
    scandir = os.scandir

    class Entry:
        def __init__(self, entry: os.DirEntry[str]) -> None:
            self._entry = entry

        def __getattr__(self, name: str) -> Any:
            if name == "stat" and "gone" in self._entry.path and "vdlrecords" in self._entry.name:
                raise FileNotFoundError(self._entry.path)
            return getattr(self._entry, name)

    @contextmanager
    def listed(path: str) -> Iterator[Iterator[Entry]]:
        if path.endswith("closed"):
            raise PermissionError(13, "Permission denied")
        with scandir(path) as entries:
            yield map(Entry, entries)

    monkeypatch.setattr(os, "scandir", listed)
    found = filesystem.store_of(str(tmp_path)).runs(str(tmp_path))
    assert {name: len(logs) for name, (_, logs) in found.items()} == {"good": 1, "gone": 0}
    assert filesystem.store_of(str(tmp_path)).logs(str(tmp_path / "closed")) == []


def test_an_empty_remote_log_is_a_run_without_records(memory: Any) -> None:
    memory.pipe("/vizkit-test/log/run/vdlrecords.1.log", b"")
    (run,) = LogRoot("memory://vizkit-test/log").runs.values()
    assert run.files == [] and run.kinds == {}
