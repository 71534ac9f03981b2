"""Reading costs a bounded amount a record, whatever the values: counted in stretches, not in seconds."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import worst_logs
from vizkit._files import FileReader
from vizkit.columns import column_builder, repeats
from vizkit.columns.column_builder import read_log
from vizkit.columns.series import Series
from vizkit.format import encode
from vizkit.format.decode import decode_record
from vizkit.format.types import Record, SessionMark
from vizkit.reading import RunReader, run_reader
from vizkit.reading.parts import Part, parts_of_trainings

Scalar = tuple[str, float, int]
RECORDS = 20_000


def loss_and_accuracy(draw: random.Random) -> Iterator[Scalar]:
    """Of an accuracy of k/50 some values survive float32, and their frames are shorter."""
    for step in range(RECORDS // 2):
        yield "train/loss", draw.random(), step
        yield "train/acc", draw.randrange(51) / 50, step


def rounded(draw: random.Random) -> Iterator[Scalar]:
    for step in range(RECORDS):
        yield "rate", round(5 * draw.random(), 1), step


def tenths(draw: random.Random) -> Iterator[Scalar]:
    for step in range(RECORDS):
        yield "rate", 0.1 * step, step


def changing_order(draw: random.Random) -> Iterator[Scalar]:
    tags = [f"tag{index}" for index in range(8)]
    for step in range(RECORDS // 8):
        if step % 5 == 0:
            draw.shuffle(tags)
        for tag in tags:
            yield tag, draw.random(), step


def long_and_short_stretches(draw: random.Random) -> Iterator[Scalar]:
    for step in range(RECORDS):
        yield "rate", 0.5 if step % 700 else 0.1, step


def evaluations(draw: random.Random) -> Iterator[Scalar]:
    """Rounds of many tags that others interrupt again and again: each end costs something for each tag."""
    for step in range(RECORDS // 20):
        for tag in range(20):
            yield f"train/{tag}", draw.random(), step
        if step % 50 == 0:
            for tag in range(20):
                yield f"eval/{tag}", draw.random(), step


def steps_that_begin_again(draw: random.Random) -> Iterator[Scalar]:
    """A step of 0 is left out of a record, whose round is shorter for that."""
    for step in range(RECORDS // 4):
        for tag in range(4):
            yield f"train/{tag}", draw.random(), step % 100


def encoded(tag: str, value: float, step: int, walltime: int = 0) -> bytes:
    fields = encode.step_field(step), encode.walltime_field(walltime or step)
    return encode.encode_scalar(encode.tag_field(tag), value, *fields)


@pytest.mark.parametrize(
    "scalars",
    [
        loss_and_accuracy,
        rounded,
        tenths,
        changing_order,
        long_and_short_stretches,
        evaluations,
        steps_that_begin_again,
    ],
)
def test_stretches_are_few_whatever_the_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scalars: Callable[[random.Random], Iterator[Scalar]]
) -> None:
    monkeypatch.setattr(repeats, "_known", {})
    stretches = compared = 0
    count, begins = repeats.Repeats.count, repeats.Repeats.begins

    def counted(self: repeats.Repeats, buf: np.ndarray, size: int) -> tuple[int, bool]:
        nonlocal stretches
        stretches += 1
        return count(self, buf, size)

    def counted_compare(self: repeats.Repeats, buf: np.ndarray) -> bool:
        nonlocal compared
        compared += 1
        return begins(self, buf)

    monkeypatch.setattr(repeats.Repeats, "count", counted)
    monkeypatch.setattr(repeats.Repeats, "begins", counted_compare)
    wanted = list(scalars(random.Random(0)))
    path = tmp_path / "vdlrecords.1.log"
    frames = [
        encode.encode_scalar(
            encode.tag_field(tag), value, encode.step_field(step), encode.walltime_field(step)
        )
        for tag, value, step in wanted
    ]
    path.write_bytes(b"".join(frames))
    for again in range(2):  # a second log of the same kind finds rounds that the first one taught
        stretches = compared = 0
        with FileReader(str(path)) as log:
            columns = read_log(log, path.stat().st_size)
        assert stretches <= RECORDS / 1000, again
        assert compared <= RECORDS / 100, again
    for key, series in columns.series.items():
        steps, _, values = series.columns()
        mine = [(step, value) for tag, value, step in wanted if tag == key.tag]
        assert list(zip(steps.tolist(), values.tolist(), strict=True)) == mine


def counted_appends(monkeypatch: pytest.MonkeyPatch) -> list[Series]:
    """The series that records are appended to from now on, one for each call."""
    found: list[Series] = []
    append = Series.append

    def counted(self: Series, *args: Any) -> None:
        found.append(self)
        append(self, *args)

    monkeypatch.setattr(Series, "append", counted)
    return found


@pytest.mark.parametrize("seed", range(10))
def test_few_records_are_decoded_alone_and_columns_grow_in_few_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Whatever a log is like; the patterns are those of the search for the logs that cost the most."""
    pattern = worst_logs.changed(worst_logs.Pattern(), random.Random(seed))
    decoded = 0
    appends = counted_appends(monkeypatch)

    def counted_decode(data: bytes) -> Record:
        nonlocal decoded
        decoded += 1
        return decode_record(data)

    for name in ("decode_head", "decode_record"):
        monkeypatch.setattr(column_builder, name, counted_decode)
    for frames in worst_logs.frames_of(pattern, RECORDS // 4):
        path = tmp_path / "vdlrecords.1.log"
        path.write_bytes(b"".join(frames))
        decoded = 0
        appends.clear()
        with FileReader(str(path)) as log:
            columns = read_log(log, path.stat().st_size)
        assert sum(series.count for series in columns.series.values()) + len(columns.sessions) == len(frames)
        assert decoded <= len(frames) / 50
        of_sessions = sum(len(series.sessions) for series in columns.series.values())
        assert len(appends) <= of_sessions + len(frames) / 16


def test_a_short_log_whose_rounds_change_is_read_in_few_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To look for rounds at every change may cost a share of the log, and not several times all of it."""
    monkeypatch.setattr(repeats, "_known", {})
    values = "k/10000", "float64", "nan"
    pattern = worst_logs.Pattern(33, 188, 2, values, 942, walltimes="seconds", order="in blocks", others=100)
    [frames] = worst_logs.frames_of(pattern, 6000)
    path = tmp_path / "vdlrecords.1.log"
    path.write_bytes(b"".join(frames))
    pieces = 0
    take = column_builder.ColumnBuilder.take

    def counted_take(self: column_builder.ColumnBuilder, *args: Any) -> None:
        nonlocal pieces
        pieces += 1
        take(self, *args)

    monkeypatch.setattr(column_builder.ColumnBuilder, "take", counted_take)
    for again in range(2):
        pieces = 0
        with FileReader(str(path)) as log:
            columns = read_log(log, path.stat().st_size)
        assert pieces <= 4, again
    counts = {(key.tag, key.kind): series.count for key, series in columns.series.items()}
    decoded = Counter((record.tag, record.kind) for record in (decode_record(frame[8:]) for frame in frames))
    del decoded["meta_data_tag", "meta_data"]
    assert counts == decoded


def test_rounds_end_where_the_last_record_of_a_tag_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repeats, "_known", {})
    frames = [encoded(tag, 0.1, step + 200, walltime=7) for step in range(9000) for tag in "abc"]
    path = tmp_path / "vdlrecords.1.log"
    path.write_bytes(b"".join(frames))
    with FileReader(str(path)) as log:
        columns = read_log(log, path.stat().st_size)
    size = path.stat().st_size
    ends = {key.tag: series.end for key, series in columns.series.items()}
    assert ends == {"a": size - 2 * len(frames[-1]), "b": size - len(frames[-1]), "c": size}


def test_evaluations_between_long_rounds_are_sorted_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rounds that are few beside the tags wait with what was recorded before them."""
    monkeypatch.setattr(repeats, "_known", {})
    draw = random.Random(0)
    wanted: list[Scalar] = []
    for step in range(11):  # long names, so that what is looked through for rounds holds few records
        wanted += [("loss".ljust(200), draw.random(), 1500 * step + batch + 20_000) for batch in range(1500)]
        wanted += [(f"eval/{tag}".ljust(200), draw.random(), step + 1) for tag in range(100)]
    frames = [encoded(*scalar, walltime=7) for scalar in wanted]
    places = [0, *itertools.accumulate(map(len, frames))]
    path = tmp_path / "vdlrecords.1.log"
    path.write_bytes(b"".join(frames))
    appends = counted_appends(monkeypatch)
    with FileReader(str(path)) as log:
        columns = read_log(log, path.stat().st_size)
    assert len(appends) <= len(columns.series) + len(wanted) / 32
    for key, series in columns.series.items():
        steps, walltimes, values = series.columns()
        mine = [(step, value) for tag, value, step in wanted if tag == key.tag]
        assert list(zip(steps.tolist(), values.tolist(), strict=True)) == mine
        assert walltimes.tolist() == [7] * len(mine)
        ends = [n for n, (tag, _, _) in enumerate(wanted) if tag == key.tag]
        assert (series.first, series.end) == (places[ends[0]], places[ends[-1] + 1])


def test_trainings_with_tags_of_their_own_are_told_apart_in_one_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of many trainings in one directory is looked for in its own sessions, not in those of all."""
    looked = 0

    def counted_looks(*args: Any) -> Iterator[tuple[int, Part]]:
        nonlocal looked
        for found in parts_of_trainings(*args):
            looked += 1
            yield found

    monkeypatch.setattr(run_reader, "parts_of_trainings", counted_looks)
    count = 60
    for log in range(2):
        frames = []
        for number in range(log * count // 2, (log + 1) * count // 2):
            mark = encode.encode_meta_data("meta_data_tag", "", 0, number, SessionMark.BEGINS)
            now = 1000 * (number + 1)
            frames += [mark, *(encoded("loss", number + step, step, now) for step in range(5))]
            frames += [encoded(f"own{number}", -number, step, now) for step in range(number % 3)]
        (tmp_path / f"vdlrecords.{log}.log").write_bytes(b"".join(frames))
    last = RunReader(tmp_path)
    trainings = [*last.earlier, last]
    assert [training.number for training in trainings] == list(range(1, count + 1))
    for number, training in enumerate(trainings):
        assert list(training.kinds) == ["loss", f"own{number}"][: 1 + bool(number % 3)]
        assert training.scalars("loss").values.tolist() == [number + step for step in range(5)]
        if number % 3:
            assert training.scalars(f"own{number}").values.tolist() == [-number] * (number % 3)
    assert looked == sum(len(training.kinds) for training in trainings)
