"""Long logs are opened again without being read, and never as they were before they changed."""

from __future__ import annotations

import mmap
import os
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.logs import NOW, TAGS, assert_same, mixed_log, path_in, regular_log, scalar
from vizkit.columns.column_builder import ColumnBuilder
from vizkit.columns.column_extremes import ColumnEdges, column_extremes
from vizkit.columns.frame_scan import Readable
from vizkit.reading import LogRoot, RunReader, column_cache
from vizkit.reading.column_cache import ColumnCache, cache_directory
from vizkit.reading.filesystem import LogStat


class Cache(ColumnCache):
    """A cache that counts the logs that it knew."""

    known = 0

    def load(self, log: Readable, stat: LogStat) -> tuple[ColumnBuilder, int] | None:
        found = super().load(log, stat)
        self.known += found is not None
        return found


@pytest.fixture(autouse=True)
def _everything_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vizkit.reading.column_cache._LEAST", 1)
    monkeypatch.setattr("vizkit.reading.log_tail._WORTH", 1)
    monkeypatch.setattr("vizkit.columns.series.LONG", 50)


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", [mixed_log, regular_log])
def test_a_log_is_the_same_when_it_is_opened_again_and_goes_on(
    kind: Callable[[random.Random, int, list[str]], list[bytes]], seed: int, tmp_path: Path, cache: Cache
) -> None:
    r = random.Random(seed)
    frames = [frame for frame in kind(r, 900, TAGS) if frame]
    log = path_in(tmp_path / "run")
    saved = False
    for cut in [*sorted(r.sample(range(50, len(frames)), 2)), len(frames)]:
        data = b"".join(frames[:cut])
        with log.open("ab") as file:
            file.write(data[file.tell() :])
        fresh = Cache(tmp_path / "cache")
        first = RunReader(tmp_path / "run", cache=fresh)
        assert_same(first, [data])
        assert fresh.known == saved
        saved = not first._logs[0].records.broken
        assert_same(RunReader(tmp_path / "run", cache=cache), [data])
        assert (cache.known > 0) is saved
        cache.known = 0


def test_pyramids_are_opened_again(tmp_path: Path, cache: Cache) -> None:
    values = np.random.default_rng(0).random(5000)
    values[100:120] = np.nan
    path_in(tmp_path / "run").write_bytes(b"".join(scalar("a", v, step) for step, v in enumerate(values)))
    for _ in range(2):
        recorded = RunReader(tmp_path / "run", cache=cache).recorded("a")
        edges = np.arange(0, 5001, 500)
        assert recorded.pyramid is not None
        ((least, greatest),) = column_extremes([(recorded.pyramid, recorded.values)], [ColumnEdges(edges)])
        assert least.tolist() == [np.nanmin(part) for part in values.reshape(10, 500)]
        assert greatest.tolist() == [np.nanmax(part) for part in values.reshape(10, 500)]
        assert recorded.pyramid.counts(recorded.values, edges)[0].tolist() == [20, *[0] * 9]
        cache.release()
    assert cache.known == 1


class _Mapped:
    """A file that is mapped, which counts how often its memory is given back."""

    released = 0

    def madvise(self, _: int) -> None:
        self.released += 1


@pytest.mark.skipif(not hasattr(mmap, "MADV_DONTNEED"), reason="the system does not take memory back")
def test_more_stays_mapped_while_curves_are_explored(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    mapped = _Mapped()
    cache._mapped.add(mapped)  # type: ignore[arg-type]
    machine = 64 << 30

    def released(mebibytes: int) -> bool:
        monkeypatch.setattr(column_cache, "_mapped_bytes", lambda: mebibytes << 20)
        monkeypatch.setattr(os, "sysconf", lambda _: machine // mmap.PAGESIZE)
        before = mapped.released
        cache.release()
        return mapped.released > before

    assert [released(50), released(200)] == [False, True]
    cache.explore()
    assert [released(200), released(2000)] == [False, True]
    machine = 1 << 30
    assert [released(100), released(200)] == [False, True]
    monkeypatch.setattr(column_cache, "_EXPLORED", 0.0)  # seconds, which have passed
    machine = 64 << 30
    cache.explore()
    assert released(200)


def written(tmp_path: Path, count: int = 3000) -> Path:
    log = path_in(tmp_path / "run")
    log.write_bytes(b"".join(scalar("a", step / 7, step, NOW + step) for step in range(count)))
    return log


def other(data: bytes, at: int) -> bytes:
    frame = scalar("a", 0.123, 0, NOW)
    at -= at % len(frame)
    return data[:at] + data[at:].replace(data[at + 30 : at + 34], b"\1\2\3\4", 1)


Change = Callable[[Path, bytes], object]
MORE = scalar("a", 9, 9999)
CHANGES: dict[str, Change] = {
    "first bytes": lambda log, data: log.write_bytes(other(data, 0)),
    "middle": lambda log, data: log.write_bytes(other(data, len(data) // 2)),
    "last bytes": lambda log, data: log.write_bytes(other(data, len(data) - 200)),
    "shorter": lambda log, data: log.write_bytes(data[: len(data) // 2]),
    "longer, other at the beginning": lambda log, data: log.write_bytes(
        other(data, 0) + scalar("a", 9, 9999)
    ),
    "longer, other at the end": lambda log, data: log.write_bytes(
        data[:-3] + b"\0\0\0" + scalar("a", 9, 9999)
    ),
    "another file": lambda log, data: (log.rename(log.with_name("old")), log.write_bytes(data)),
    "touched": lambda log, data: os.utime(log, ns=(5, 5)),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_a_log_that_changed_is_read(
    change: Callable[[Path, bytes], object], tmp_path: Path, cache: Cache
) -> None:
    log = written(tmp_path)
    RunReader(tmp_path / "run", cache=cache)
    os.utime(log, ns=(1, 1))  # a change within the clock's tick is one all the same
    RunReader(tmp_path / "run", cache=cache)
    cache.known = 0
    assert RunReader(tmp_path / "run", cache=cache).count("a") and cache.known == 1
    change(log, log.read_bytes())
    assert_same(RunReader(tmp_path / "run", cache=cache), [log.read_bytes()])
    assert cache.known == 1


def _replace_by_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


BREAKS: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-100]),
    "head": lambda path: path.write_bytes(path.read_bytes().replace(b'"position"', b'"positiom"')),
    "other": lambda path: path.write_bytes(b"x" * 5000),
    "long head": lambda path: path.write_bytes(path.read_bytes()[:33] + b"\xff" * 8),
    "of anybody": lambda path: path.chmod(0o666),
    "directory": lambda path: _replace_by_directory(path),
}


@pytest.mark.parametrize("broken", BREAKS.values(), ids=list(BREAKS))
def test_a_broken_file_is_passed_over(broken: Callable[[Path], object], tmp_path: Path, cache: Cache) -> None:
    log = written(tmp_path)
    RunReader(tmp_path / "run", cache=cache)
    (path,) = (tmp_path / "cache").iterdir()
    broken(path)
    assert_same(RunReader(tmp_path / "run", cache=cache), [log.read_bytes()])
    assert cache.known == 0


def test_the_files_used_least_recently_make_room(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache", most=110_000)
    for number in range(4):
        written(tmp_path / str(number))
        RunReader(tmp_path / str(number) / "run", cache=cache)
        for age, path in enumerate((tmp_path / "cache").iterdir()):
            os.utime(path, ns=(time.time_ns() - age * 10**9,) * 2)
    total = sum(path.stat().st_size for path in (tmp_path / "cache").iterdir())
    assert 0 < total <= 110_000 and len(list((tmp_path / "cache").iterdir())) < 4


@pytest.mark.parametrize("directory", [None, "file/below", "/proc/none"])
def test_where_nothing_can_be_written_columns_are_packed(directory: str | None, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    log = written(tmp_path)
    run = RunReader(tmp_path / "run", cache=Cache(None if directory is None else tmp_path / directory))
    assert_same(run, [log.read_bytes()])
    assert run._logs[0].records.series.popitem()[1].packed


def test_an_open_run_goes_on_with_the_file(tmp_path: Path, cache: Cache) -> None:
    log = written(tmp_path)
    run = RunReader(tmp_path / "run", cache=cache)
    before = run.recorded("a")
    with log.open("ab") as file:
        file.write(b"".join(scalar("a", 1.5, step, NOW) for step in range(3000, 3020)))
    assert run.refresh()
    assert_same(run, [log.read_bytes()])
    assert run.recorded("a").pyramid is before.pyramid and len(run.recorded("a").values) == 3020
    shutil.rmtree(tmp_path / "cache")  # an open file goes on all the same
    assert run.scalars("a").values[-1] == 1.5


def test_large_runs_are_read_in_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vizkit.reading.log_root._LARGE", 1)
    for number in range(7):
        written(tmp_path / str(number), 10)
    root = LogRoot(tmp_path, seconds=0)
    assert (len(root.runs), root.unread) == (3, 4)
    assert root.refresh(0).added == ["3/run", "4/run", "5/run"] and root.unread == 1
    assert root.refresh().added == ["6/run"] and root.unread == 0
    assert list(root.runs) == [f"{number}/run" for number in range(7)]
    assert root.refresh(0) == ([], [], [])


def test_the_directory_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert cache_directory() is None  # as tests are configured
    monkeypatch.setenv("VIZKIT_CACHE_DIR", str(tmp_path))
    assert cache_directory() == tmp_path
    monkeypatch.delenv("VIZKIT_CACHE_DIR")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_directory() == tmp_path / "vizkit"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_directory() == tmp_path / ".cache" / "vizkit"
