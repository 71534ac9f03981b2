"""Fast parsing of many records finds what decoding one by one finds."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers import log_of
from tests.logs import NOW, TAGS, assert_same, damaged, mixed_log, path_in, regular_log, scalar
from vizkit import LogWriter
from vizkit._files import FileReader
from vizkit.columns import column_builder, frame_scan
from vizkit.columns.column_builder import read_log
from vizkit.format import encode
from vizkit.reading import RunReader


@pytest.fixture
def small_windows(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Has logs read in windows of so many bytes, so that small ones need many."""

    def choose(size: int) -> None:
        monkeypatch.setattr(FileReader, "window", size)
        monkeypatch.setattr(column_builder, "_SHORT", size // 2 + 50)
        monkeypatch.setattr(frame_scan, "_LARGE", size // 4)
        monkeypatch.setattr(frame_scan, "_BEGINNING", min(2048, size // 2))
        monkeypatch.setattr(column_builder, "_STRETCH", size % 5)

    yield choose
    monkeypatch.undo()


@pytest.mark.parametrize("make", [mixed_log, regular_log])
@pytest.mark.parametrize("seed", range(25))
def test_fast_reading_finds_what_slow_reading_finds(
    make: Any, seed: int, tmp_path: Path, small_windows: Any
) -> None:
    """Whole, broken, cut anywhere and grown piece by piece, in windows of any size."""
    r = random.Random(seed)
    small_windows(r.choice([300, 1000, 5000, 1 << 20]))
    tags = r.sample(TAGS, r.randrange(1, len(TAGS)))
    datas = [
        damaged(r, b"".join(make(r, r.choice([0, 3, 50, 300]), tags))) for _ in range(r.choice([1, 1, 2]))
    ]
    ends = [r.randrange(len(data) + 1) for data in datas]
    paths = [path_in(tmp_path, number) for number in range(len(datas))]
    for path, data, end in zip(paths, datas, ends, strict=True):
        path.write_bytes(data[:end])
    run = RunReader(tmp_path)
    assert_same(run, [data[:end] for data, end in zip(datas, ends, strict=True)])
    for grow in [r.choice([0, 1, 7, 50, 500]), 10_000, 1 << 30]:
        for index, (path, data) in enumerate(zip(paths, datas, strict=True)):
            with path.open("ab") as file:
                file.write(data[ends[index] : ends[index] + grow])
            ends[index] = min(ends[index] + grow, len(data))
        run.refresh()
        assert_same(run, [data[:end] for data, end in zip(datas, ends, strict=True)])
    assert not run.refresh()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("count", [1, 20_000])
def test_a_nan_of_any_bits_is_a_nan(tmp_path: Path, count: int) -> None:
    signalling = scalar("a", 0.5)[:-4] + b"\x01\0\xa0\x7f"
    path_in(tmp_path).write_bytes(signalling * count)
    values = RunReader(tmp_path).scalars("a").values
    assert len(values) == count
    assert np.isnan(values).all()


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200),
            st.floats(),
            st.one_of(st.integers(-(2**63), 2**63 - 1), st.floats(-1e6, 1e6)),
            st.integers(0, 2**63 - 1),
        ),
        max_size=30,
    ),
    st.integers(0, 40),
)
def test_any_scalars_come_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, float, Any, int]], cut: int
) -> None:
    directory = tmp_path_factory.mktemp("run")
    data = b"".join(scalar(*row) for row in rows)
    path_in(directory).write_bytes(data[: max(len(data) - cut, 0)])
    assert_same(RunReader(directory), [data[: max(len(data) - cut, 0)]])


def test_fractions_of_one_tag_leave_the_steps_of_others_whole(tmp_path: Path) -> None:
    with LogWriter(str(tmp_path)) as writer:
        for step in (2**53 + 1, 2**53 + 2, 2**53 + 3):
            writer.add_scalar("whole", 0.5, step, 1.0)
            writer.add_scalar("fractions", 0.5, step % 8 + 0.25, 1.0)
        writer.add_scalar("both", 0.5, 7, 1.0)
        writer.add_scalar("both", 0.5, 7.5, 1.0)
    run = RunReader(str(tmp_path))
    steps = {tag: run.scalars(tag).steps for tag in ("whole", "fractions", "both")}
    assert steps["whole"].dtype == np.int64
    assert steps["whole"].tolist() == [2**53 + 1, 2**53 + 2, 2**53 + 3]
    assert steps["fractions"].tolist() == [1.25, 2.25, 3.25]
    assert steps["both"].tolist() == [7, 7.5]


def test_a_long_log_is_read_whole_and_in_bounded_memory(tmp_path: Path) -> None:
    import tracemalloc

    count = 20_000
    frames = [scalar(f"tag{tag}", step / 7, step, NOW + step) for step in range(count) for tag in range(10)]
    path_in(tmp_path).write_bytes(b"".join(frames))
    del frames
    RunReader(tmp_path)
    tracemalloc.start()
    run = RunReader(tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    for tag in range(10):
        steps, walltimes, values = run.scalars(f"tag{tag}")
        np.testing.assert_array_equal(steps, np.arange(count))
        np.testing.assert_array_equal(walltimes, NOW + steps)
        np.testing.assert_array_equal(values, steps / 7)
    assert peak < 4 * 24 * 10 * count


def test_a_frame_that_is_no_record_is_reported(tmp_path: Path) -> None:
    start = scalar("a", 0.5)
    empty = encode._head(3) + b"\x12\x01b"  # a tag, and no content
    path_in(tmp_path).write_bytes(start + empty + scalar("a", 0.25, 1))
    run = RunReader(tmp_path)
    assert run.scalars("a").values.tolist() == [0.5, 0.25]
    assert [p[1:4] for p in run.problems] == [("undecodable", len(start), len(start + empty))]


def test_reading_one_log_gives_a_writer_what_it_continues(tmp_path: Path) -> None:
    with LogWriter(str(tmp_path)) as writer:
        writer.add_scalar("a", 1.0, 7)
        writer.add_text("t", "x", 3)
        writer.add_hparams({"lr": 0.1}, ["a"])
    path = log_of(tmp_path)
    with FileReader(str(path)) as log:
        hparams = read_log(log, path.stat().st_size).hparams
    assert hparams is not None
    assert (hparams.hparams, hparams.metrics) == ({"lr": 0.1}, ["a"])
    with LogWriter(str(tmp_path)) as writer:
        writer.add_scalar("a", 2.0, None)
        writer.add_text("t", "y", None)
    run = RunReader(tmp_path)
    assert run.scalars("a").steps.tolist() == [7, 8]
    assert run.entries("t").steps.tolist() == [3, 4]
