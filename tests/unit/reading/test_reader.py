"""Logs are read back as they were written: fast, in pieces, and whatever happened to them."""

from __future__ import annotations

import os
import random
import shutil
import struct
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers import log_of
from tests.helpers import stock as stock_values
from vizkit import LogWriter
from vizkit._files import FileReader
from vizkit.columns import column_builder, frame_scan, name_table, repeats
from vizkit.columns.column_builder import read_log
from vizkit.errors import DataError, MissingDependencyError
from vizkit.format import encode, wire
from vizkit.format.decode import decode_head, decode_record
from vizkit.format.frames import Damage, Frame, scan
from vizkit.format.types import HParams, Record
from vizkit.reading import LogRoot, RunReader, filesystem

NOW = 1_767_225_600_000
TAGS = ["a", "b", "train/loss", "标签/损失" * 9, *["n" * n for n in (31, 32, 33, 127, 200, 1100)]]


def scalar(tag: str, value: float, step: Any = 0, walltime: int = NOW) -> bytes:
    return encode.encode_scalar(
        encode.tag_field(tag), value, encode.step_field(step), encode.walltime_field(walltime)
    )


def path_in(directory: Path, number: int = 1) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    return directory / f"vdlrecords.{number}.log"


# -- against the way record by record ---------------------------------------------------------


def odd_record(r: random.Random) -> bytes:
    """A record of fields that no writer writes so."""
    tag = r.choice([b"a", b"\xff\xfe", b"", b"q" * 1500, b"z" * 130])
    fields = [
        *[b"\x08" + wire.varint(r.choice([0, 5, 300, -1, 2**40, 2**62]))] * r.randrange(3),
        *[wire.length_delimited(r.choice([2, 2, 2, 15]), tag)] * r.randrange(3),
        *[b"\x18" + wire.varint(r.choice([0, 1, NOW, -4]))] * r.randrange(2),
    ]
    fields += r.choice(
        [
            [],
            [b"\x25" + struct.pack("<f", 0.25)],
            [b"\x25" + struct.pack("<f", 0.1), wire.double(1001, 0.1)],
            [wire.length_delimited(12, b"\x0a\x02hi")],
            [wire.length_delimited(4, b"no float")],
            [wire.length_delimited(77, b"no kind")],
            [wire.length_delimited(14, b"\x0a\x01m\x15\0\0\x80\x3f")],
            [wire.length_delimited(14, b"\x15\0\0\x80\x3f\x0a\x01m")],
            [wire.length_delimited(13, b"\x0a\x05\x0a")],
        ]
    )
    if r.random() < 0.3:
        fields.append(wire.length_delimited(1200, b"unknown"))
    if r.random() < 0.2:
        fields.append(wire.double(1002, r.choice([0.5, 7.25])))
    if r.random() < 0.6:
        r.shuffle(fields)
    return encode._head(len(b"".join(fields))) + b"".join(fields)


def any_record(r: random.Random, step: int, tags: list[str]) -> bytes:
    kind, tag, walltime = r.random(), r.choice(tags), NOW + 3 * step
    if r.random() < 0.1:
        walltime = r.choice([0, 5, 1_600_000_000, 2**50])
    if r.random() < 0.05:
        step = r.choice([0, -5, 2.5, -0.5, 2**49 - 1, 2**49, 2**56, 2**62])  # type: ignore[assignment]
    if kind < 0.75:
        value = r.choice([0.5, r.random(), float("nan"), float("inf"), 1e300, -0.0])
        return scalar(tag, value, step, walltime)
    if kind < 0.80:
        png = r.randbytes(r.choice([0, 1, 100, 130, 20_000]))
        return encode.encode_image(tag + "/i", png, step, walltime)
    if kind < 0.85:
        value = r.choice([0.0, -0.0, 0.5, r.random()])
        member = r.choice(["m", "n", "中" * 50, ""])
        return encode.encode_sub_scalar(tag + "/g", member, value, step, walltime)
    if kind < 0.88:
        inner = r.choice(["", "hi", "x" * 300])
        return encode.encode_text(tag + "/t" * (r.random() < 0.9), inner, step, walltime)
    if kind < 0.90:
        return encode.encode_hparams(HParams({"a": r.random()}, ["m"]), walltime)
    if kind < 0.91:
        return encode.encode_meta_data("meta_data_tag", r.choice(["", "name"]), 0, walltime)
    return odd_record(r)


def mixed_log(r: random.Random, count: int, tags: list[str]) -> list[bytes]:
    frames, step = [], 0
    for _ in range(count):
        step = max(0, step - 20) if r.random() < 0.005 else step + (r.random() < 0.3)
        frames.append(any_record(r, step, tags))
    return frames


def regular_log(r: random.Random, count: int, tags: list[str]) -> list[bytes]:
    """The same tags in the same order, as a loop writes them, and now and then something else."""
    loop = [(r.choice(tags), r.random() < 0.5) for _ in range(r.choice([1, 2, 5, 30]))]
    other = r.choice([0, 0, 0.001, 0.01])
    first = r.choice([0, 100, 16_300])
    frames = []
    for step in range(first, first + max(count // len(loop), 3)):
        for tag, exact in loop:
            if r.random() < other:
                frames.append(any_record(r, step, tags))
            value = r.random() if exact else float(np.float32(r.random()))
            frames.append(scalar(tag, value, step, NOW + 3 * step + (r.random() < 0.1)))
    return frames


def damaged(r: random.Random, data: bytes) -> bytes:
    out = bytearray(data)
    for _ in range(r.choice([0, 0, 0, 1, 2, 5])):
        if not out:
            break
        at, how = r.randrange(len(out)), r.random()
        if how < 0.3:
            out[at] = r.randrange(256)
        elif how < 0.5:
            del out[at : at + r.randrange(1, 60)]
        elif how < 0.7:
            out[at:at] = r.randbytes(r.randrange(1, 60))
        elif how < 0.8:
            out[at:at] = bytes(r.randrange(1, 600))
        elif how < 0.9:
            del out[at:]
        else:
            out[at:at] = r.choice([5, 2**40, 2**63]).to_bytes(8, "little") + b"\x0a" + r.randbytes(3)
    return bytes(out)


def one_by_one(datas: list[bytes]) -> tuple[list[Record], set[tuple[int, str, int, int]], str, HParams]:
    """Records and problems (file, kind, start, end), name and hparams as the slow way has them."""
    records, problems, name, hparams = [], set(), "", HParams({})
    for number, data in enumerate(datas):
        for part in scan(data):
            if isinstance(part, Damage):
                kind = "torn" if part.end == len(data) else "damaged"
                problems.add((number, kind, part.start, part.end))
                continue
            frame = data[part.start : part.end]
            try:
                record = decode_head(frame)
                if record.kind in ("scalar", "scalars", "meta_data", "hparams", "image", "text"):
                    record = decode_record(frame)
            except ValueError:
                problems.add((number, "undecodable", part.start - 8, part.end))
                continue
            if record.kind == "meta_data":
                name = record.data or name
            elif record.kind == "hparams":
                hparams = record.data
            else:
                records.append(record)
    return records, problems, name, hparams


def surviving(records: list[Record]) -> list[Record]:
    if len({record.step for record in records}) == 1:
        return records
    out: list[Record] = []
    for record in reversed(records):
        if not out or record.step < out[-1].step:
            out.append(record)
    return out[::-1]


def assert_columns(columns: Any, records: list[Record], values: list[float] | None) -> None:
    np.testing.assert_array_equal(columns.steps, [record.step for record in records])
    np.testing.assert_array_equal(columns.walltimes, [record.walltime for record in records])
    if values is not None:
        np.testing.assert_array_equal(columns.values, values)
        np.testing.assert_array_equal(np.signbit(columns.values), np.signbit(values))


def assert_same(run: RunReader, datas: list[bytes]) -> None:
    """The run holds what the slow way finds in its files."""
    records, problems, name, hparams = one_by_one([data for data in datas if data])
    assert (run.display_name, run.hparams) == (name, hparams)
    kinds: dict[str, str] = {}
    for record in records:
        kinds.setdefault(record.tag, record.kind)
    assert list(run.kinds.items()) == list(kinds.items())
    found = {(run.files.index(p.path), p.kind, p.start, p.end) for p in run.problems if p.kind != "mixed"}
    assert found == problems
    mixed = [record for record in records if record.kind != kinds[record.tag]]
    assert any(p.kind == "mixed" for p in run.problems) == bool(mixed)
    for tag, kind in kinds.items():
        of_tag = [record for record in records if (record.tag, record.kind) == (tag, kind)]
        assert run.count(tag) == len(of_tag)
        for superseded in (True, False):
            kept = of_tag if superseded else surviving(of_tag)
            if kind == "scalar":
                assert_columns(run.scalars(tag, superseded=superseded), kept, [r.data for r in kept])
            elif kind == "scalars":
                members: dict[str, list[Record]] = {}
                for record in of_tag:
                    members.setdefault(record.data.tag, []).append(record)
                group = run.group(tag, superseded=superseded)
                assert list(group) == list(members)
                for member, rows in members.items():
                    rows = rows if superseded else surviving(rows)
                    assert_columns(group[member], rows, [r.data.value for r in rows])
            else:
                entries = run.entries(tag, superseded=superseded)
                assert_columns(entries, kept, None)
                assert list(entries) == [record.data for record in kept]


@pytest.fixture
def small_windows(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Has logs read in windows of so many bytes, so that small ones need many."""

    def choose(size: int) -> None:
        monkeypatch.setattr(filesystem.FileReader, "window", size)
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


def training(seed: int, steps: int, other: dict[int, bytes] | None = None) -> bytes:
    """A log of three tags a step; ``other`` records come before some steps."""
    r = random.Random(seed)
    frames = []
    for step in range(steps):
        frames.append((other or {}).get(step, b""))
        values = [float(np.float32(r.random())) for _ in range(3)]
        scalars = zip(("b", "a", "train/loss"), values, strict=True)
        frames += [scalar(tag, value, step, NOW + step) for tag, value in scalars]
    return b"".join(frames)


@pytest.mark.parametrize(
    "data",
    [
        training(1, 900),
        training(2, 131) + scalar("a", 0.5, 131),
        training(3, 900, {0: encode.encode_hparams(HParams({"a": 1}, ["b"]), NOW) + scalar("early", 1.0)}),
        training(4, 900, {400: scalar("eval/loss", 0.25, 400)}),
        training(5, 900)[:-3],
        training(6, 300).replace(b"train/loss", b"train/lost"),
        training(7, 900)[:20_000] + b"broken" + training(7, 900)[20_000:],
        training(8, 900, {500: scalar("a", 0.1, 10)}),
    ],
)
@pytest.mark.parametrize("grown", [False, True])
def test_rounds_that_one_log_taught_are_right_in_another(tmp_path: Path, data: bytes, grown: bool) -> None:
    path_in(tmp_path / "first").write_bytes(training(0, 2000))
    RunReader(tmp_path / "first")
    second = path_in(tmp_path / "second")
    second.write_bytes(data[: len(data) // 2] if grown else data)
    run = RunReader(tmp_path / "second")
    second.write_bytes(data)
    run.refresh()
    assert_same(run, [data])


def test_rounds_that_one_log_taught_are_not_searched_in_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hundreds of runs of one training script are read fast for that."""
    monkeypatch.setattr(repeats, "_known", {})
    first, second = (path_in(tmp_path / name) for name in ("first", "second"))
    first.write_bytes(training(0, 2000))
    second.write_bytes(training(1, 900))
    RunReader(first.parent)
    monkeypatch.delattr(column_builder, "parse_records")
    assert_same(RunReader(second.parent), [training(1, 900)])


def test_the_longest_round_that_fits_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "_known", {})
    short = b"".join(scalar("b", 0.5, step, NOW + step) for step in range(900))
    for number, data in enumerate([short, training(0, 2000)]):
        path_in(tmp_path / str(number)).write_bytes(data)
        RunReader(tmp_path / str(number))
    path_in(tmp_path / "third").write_bytes(training(1, 900))
    monkeypatch.delattr(column_builder, "parse_records")
    assert_same(RunReader(tmp_path / "third"), [training(1, 900)])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("count", [1, 20_000])
def test_a_nan_of_any_bits_is_a_nan(tmp_path: Path, count: int) -> None:
    signalling = scalar("a", 0.5)[:-4] + b"\x01\0\xa0\x7f"
    path_in(tmp_path).write_bytes(signalling * count)
    values = RunReader(tmp_path).scalars("a").values
    assert len(values) == count
    assert np.isnan(values).all()


def test_tags_are_compared_and_not_only_hashed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(name_table, "_FACTOR", np.uint64(0))  # all hashes are equal
    tags = ["a", "b", "c" * 40, "d" * 40]
    data = b"".join([*(scalar(tag, 0.5) for tag in tags), *mixed_log(random.Random(0), 200, tags)])
    path_in(tmp_path).write_bytes(data)
    assert_same(RunReader(tmp_path), [data])


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


@settings(max_examples=200)
@given(st.integers(0, 2**32))
def test_a_walk_in_windows_finds_the_frames_of_a_scan(seed: int) -> None:
    class Log:
        window = 400

        def read_into(self, view: memoryview, at: int) -> int:
            part = data[at : at + len(view)]
            view[: len(part)] = part
            return len(part)

    r = random.Random(seed)
    data = damaged(r, b"".join(mixed_log(r, 30, TAGS)))
    found: list[Any] = []
    for part in frame_scan.FrameWalk(Log(), 0, len(data)):
        if isinstance(part, Damage):
            found.append(part)
        else:
            ends = (part.base + part.frames.ends).tolist()
            found += map(Frame, (part.base + part.frames.starts + 8).tolist(), ends)
    assert sorted(found) == list(scan(data))


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


# -- against stock VisualDL -------------------------------------------------------------------


@pytest.fixture(scope="module")
def stock_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that stock VisualDL wrote, with all its kinds."""
    import visualdl

    root = tmp_path_factory.mktemp("stock")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(np, "float", float, raising=False)  # which NumPy 1.24 dropped, and VisualDL uses
        with visualdl.LogWriter(str(root / "run"), display_name="名字") as writer:
            rng = np.random.default_rng(0)
            for step in range(300):
                writer.add_scalar("loss", float(rng.random()), step)
                writer.add_scalar("acc", step / 3, step, walltime=1000 + step)
            writer.add_scalar("odd", float("nan"), 2**40)
            for step in range(20):
                writer.add_scalars("group", {"sin": step / 3, "cos": 0.0}, step)
            writer.add_hparams({"lr": 0.1, "batch": 64, "name": "Adam"}, ["loss"])
            for step in range(3):
                writer.add_image("image", rng.integers(0, 255, (8, 9, 3)).astype(np.uint8), step)
                writer.add_histogram("histogram", rng.standard_normal(100), step)
                labels, scores = rng.integers(0, 2, 50), rng.random(50)
                writer.add_pr_curve("pr", labels, scores, step, num_thresholds=7)
                writer.add_roc_curve("roc", labels, scores, step, num_thresholds=7)
                writer.add_text("text", f"文字 {step}", step)
            writer.add_embeddings("embeddings", rng.random((4, 3)), ["a", "b", "c", "d"])
            writer.add_audio("audio", rng.uniform(-1, 1, (800, 1)), 0, 8000)
    return root


@pytest.mark.parametrize("tag", ["loss", "acc", "odd"])
def test_stock_scalars_are_stocks_own_values(stock_log: Path, tag: str) -> None:
    columns = RunReader(stock_log / "run").scalars(tag)
    expected = stock_values(stock_log / "run", "scalar", tag)
    assert len(expected) > 0
    np.testing.assert_array_equal(columns.steps, [value.id for value in expected])
    np.testing.assert_array_equal(columns.walltimes, [value.timestamp for value in expected])
    np.testing.assert_array_equal(columns.values, [value.value for value in expected])


def test_stock_media_are_stocks_own_values(stock_log: Path) -> None:
    run = RunReader(stock_log / "run")
    assert run.problems == []
    assert run.display_name == "名字"
    assert (run.hparams.hparams, run.hparams.metrics) == ({"lr": 0.1, "batch": 64, "name": "Adam"}, ["loss"])
    compare = {
        "image": lambda ours, stock: ours == stock.image.encoded_image_string,
        "text": lambda ours, stock: ours == stock.text.encoded_text_string,
        "audio": lambda ours, stock: ours.data == stock.audio.encoded_audio_string,
        "histogram": lambda ours, stock: (
            ours.counts.tolist() == list(stock.histogram.hist)
            and ours.edges.tolist() == list(stock.histogram.bin_edges)
        ),
        "pr": lambda ours, stock: (
            ours.tp.tolist() == list(stock.pr_curve.TP)
            and ours.precision.tolist() == list(stock.pr_curve.precision)
            and ours.recall.tolist() == list(stock.pr_curve.recall)
        ),
        "roc": lambda ours, stock: (
            ours.fn.tolist() == list(stock.roc_curve.FN) and ours.tpr.tolist() == list(stock.roc_curve.tpr)
        ),
        "embeddings": lambda ours, stock: (
            ours.vectors.tolist() == [list(e.vectors) for e in stock.embeddings.embeddings]
            and ours.labels == [list(e.label) for e in stock.embeddings.embeddings]
        ),
    }
    kinds = {tag: kind for tag, kind in run.kinds.items() if "scalar" not in kind}
    assert set(kinds) == set(compare)
    for tag, kind in kinds.items():
        entries = run.entries(tag)
        expected = stock_values(stock_log / "run", kind, tag)
        assert len(entries) == len(expected) > 0
        assert entries.steps.tolist() == [value.id for value in expected]
        assert entries.walltimes.tolist() == [value.timestamp for value in expected]
        assert all(compare[tag](ours, stock) for ours, stock in zip(entries, expected, strict=True))


def test_stock_groups_are_stocks_own_values(stock_log: Path) -> None:
    group = RunReader(stock_log / "run").group("group")
    values = stock_values(stock_log / "run", "scalars", "group")
    stock = [(v.tag_value.tag, v.id, v.timestamp, v.tag_value.value) for v in values]
    ours = [
        (member, *row)
        for member, columns in group.items()
        for row in zip(*(column.tolist() for column in columns), strict=True)
    ]
    assert sorted(ours) == sorted(stock)
    assert set(group) == {"sin", "cos"}


def test_a_log_of_ours_is_read_as_stock_reads_it_and_exactly(tmp_path: Path) -> None:
    with LogWriter(str(tmp_path)) as writer:
        for step in range(500):
            writer.add_scalar("loss", step / 3, step)
            writer.add_scalars("group", {"a": step / 3, "b": 0.0}, step)
    run = RunReader(tmp_path)
    assert run.scalars("loss").values.tolist() == [step / 3 for step in range(500)]
    stock = stock_values(tmp_path, "scalar", "loss")
    assert run.scalars("loss").values.astype(np.float32).tolist() == [value.value for value in stock]
    assert run.scalars("loss").walltimes.tolist() == [value.timestamp for value in stock]
    assert run.group("group")["a"].values.tolist() == [step / 3 for step in range(500)]
    assert run.group("group")["b"].values.tolist() == [0.0] * 500


# -- following a log --------------------------------------------------------------------------

read_into = filesystem.FileReader.read_into


def count_reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Bytes of each read from now on."""
    asked: list[int] = []

    def counted(self: Any, view: memoryview, at: int) -> int:
        asked.append(len(view))
        return read_into(self, view, at)

    monkeypatch.setattr(filesystem.FileReader, "read_into", counted)
    return asked


def fail_behind_the_beginning(self: Any, view: memoryview, at: int) -> int:
    if at > 0:
        raise OSError(5, "Input/output error")
    return read_into(self, view, at)


def problem_kinds(run: RunReader) -> list[str]:
    return [problem.kind for problem in run.problems]


def test_a_record_being_written_is_a_problem_only_until_it_is_whole(tmp_path: Path) -> None:
    path = path_in(tmp_path)
    first, second = scalar("a", 0.5), scalar("a", 0.25, 1)
    path.write_bytes(first + second[:-3])
    run = RunReader(tmp_path)
    (problem,) = run.problems
    assert problem[:4] == (str(path), "torn", len(first), len(first + second) - 3)
    assert str(path) in problem.message
    with path.open("ab") as file:
        file.write(second[-3:])
    assert run.refresh()
    assert run.problems == []
    assert run.scalars("a").values.tolist() == [0.5, 0.25]
    assert not run.refresh()


@pytest.mark.parametrize(
    "tail",
    [
        bytes(5000),
        b"\xff" * 99,
        (2**62).to_bytes(8, "little") + b"\x0a\x05",
        (16).to_bytes(8, "little") + b"\x0a",
    ],
    ids=["zeros", "ones", "absurd length", "torn"],
)
def test_a_broken_tail_costs_nothing_before_it(tmp_path: Path, tail: bytes) -> None:
    whole = b"".join(scalar("a", step / 2, step) for step in range(50))
    path_in(tmp_path).write_bytes(whole + tail)
    run = RunReader(tmp_path)
    assert len(run.scalars("a").steps) == 50
    assert [p[1:4] for p in run.problems] == [("torn", len(whole), len(whole + tail))]


def test_reading_goes_on_behind_damage(tmp_path: Path) -> None:
    frames = [scalar("a", step / 2, step) for step in range(50)]
    path_in(tmp_path).write_bytes(b"".join(frames[:20]) + frames[20][5:] + b"".join(frames[21:]))
    run = RunReader(tmp_path)
    assert run.scalars("a").steps.tolist() == [step for step in range(50) if step != 20]
    start = sum(map(len, frames[:20]))
    assert [p[1:4] for p in run.problems] == [("damaged", start, start + len(frames[20]) - 5)]


def test_what_looked_like_a_frame_within_a_torn_one_is_not_kept(tmp_path: Path) -> None:
    """A text that holds a log, written in two pieces: the log within is no log."""
    inner = b"".join(scalar("inner", step / 2, step) for step in range(9))
    outer = encode.encode_image("outer", inner + b"!" * 40, 0, NOW)
    path = path_in(tmp_path)
    path.write_bytes(outer[:-40])
    run = RunReader(tmp_path)
    assert_same(run, [outer[:-40]])
    path.write_bytes(outer)
    run.refresh()
    assert_same(run, [outer])
    assert run.kinds == {"outer": "image"}


def test_only_what_was_appended_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = path_in(tmp_path)
    path.write_bytes(b"".join(scalar("a", step / 2, step) for step in range(5000)))
    run = RunReader(tmp_path)
    before = run.scalars("a")
    asked = count_reads(monkeypatch)
    assert not run.refresh()
    assert asked == []
    with path.open("ab") as file:
        file.write(scalar("a", 7.0, 5000) + scalar("b", 8.0, 1))
    assert run.refresh()
    assert sum(asked) < 2000
    assert run.scalars("a").values[-1] == 7.0
    assert run.scalars("b").values.tolist() == [8.0]
    # What was handed out stays as it was, and nobody can change what is kept.
    assert len(before.steps) == 5000
    with pytest.raises(ValueError, match="read-only"):
        run.scalars("a").values[0] = 1


def test_growing_by_little_does_not_copy_all(tmp_path: Path) -> None:
    path = path_in(tmp_path)
    path.write_bytes(scalar("a", 0.5, 0))
    run = RunReader(tmp_path)
    bases = set()
    with path.open("ab", buffering=0) as file:
        for step in range(1, 300):
            file.write(scalar("a", 0.5, step))
            run.refresh()
            bases.add(run.scalars("a").values.__array_interface__["data"][0])
    assert run.count("a") == 300
    assert len(bases) < 40


@pytest.mark.parametrize("how", ["cut", "replaced", "replaced, with the same end", "rewritten"])
def test_another_file_is_read_anew(tmp_path: Path, how: str) -> None:
    path = path_in(tmp_path)
    old = b"".join(scalar("old", step / 2, step) for step in range(20))
    path.write_bytes(old)
    run = RunReader(tmp_path)
    new = b"".join(scalar("new", step / 2, step) for step in range(5 if how == "cut" else 30))
    if "end" in how:
        new = new[: len(old) // 2] + old[len(old) // 2 :] + scalar("old", 1.0, 99)
    if "replaced" in how:
        other = tmp_path / "other"
        other.write_bytes(new)
        other.replace(path)
    else:
        path.write_bytes(new)  # the same file
    assert run.refresh()
    assert_same(run, [new])


def test_a_log_that_was_repaired_when_it_was_resumed_is_followed(tmp_path: Path) -> None:
    with LogWriter(str(tmp_path)) as writer:
        writer.add_scalar("a", 1.0, 1)
    with log_of(tmp_path).open("ab") as file:
        file.write(scalar("a", 2.0, 2)[:-5])
    run = RunReader(tmp_path)
    assert problem_kinds(run) == ["torn"]
    with LogWriter(str(tmp_path)) as writer:
        writer.add_scalar("a", 3.0, 3)
    run.refresh()
    assert run.problems == []
    assert run.scalars("a").steps.tolist() == [1, 3]


def test_an_unreadable_log_costs_no_other_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("good", "bad"):
        path_in(tmp_path / name).write_bytes(scalar("a", 0.5))
    opened = filesystem._Local.open

    def refuse(self: Any, path: str) -> Any:
        if "bad" in path:
            raise PermissionError(13, "Permission denied")
        return opened(self, path)

    monkeypatch.setattr(filesystem._Local, "open", refuse)
    root = LogRoot(tmp_path)
    assert root.runs["good"].scalars("a").values.tolist() == [0.5]
    (problem,) = root.runs["bad"].problems
    assert problem.kind == "unreadable"
    assert "Permission denied" in problem.message
    monkeypatch.setattr(filesystem._Local, "open", opened)
    assert root.refresh().changed == ["bad"]
    assert root.runs["bad"].problems == []
    assert root.runs["bad"].scalars("a").values.tolist() == [0.5]

    monkeypatch.setattr(filesystem.FileReader, "read_into", fail_behind_the_beginning)
    with path_in(tmp_path / "good").open("ab") as file:
        file.write(scalar("a", 0.25, 1))
    root.refresh()
    assert problem_kinds(root.runs["good"]) == ["unreadable"]
    monkeypatch.setattr(filesystem.FileReader, "read_into", read_into)
    root.refresh()
    assert root.runs["good"].scalars("a").values.tolist() == [0.5, 0.25]


def test_reading_that_failed_halfway_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path_in(tmp_path).write_bytes(b"".join(scalar("a", step / 2, step) for step in range(20_000)))

    monkeypatch.setattr(filesystem.FileReader, "read_into", fail_behind_the_beginning)
    run = RunReader(tmp_path)
    assert problem_kinds(run) == ["unreadable"]
    monkeypatch.setattr(filesystem.FileReader, "read_into", read_into)
    assert run.refresh()
    assert run.problems == []
    np.testing.assert_array_equal(run.scalars("a", superseded=True).steps, np.arange(20_000))


# -- a run ------------------------------------------------------------------------------------


def test_several_logs_are_one_run_in_order_and_later_steps_supersede(tmp_path: Path) -> None:
    path_in(tmp_path, 1).write_bytes(b"".join(scalar("a", step, step) for step in range(10)))
    path_in(tmp_path, 2).write_bytes(b"".join(scalar("a", 100 + step, step) for step in range(6, 12)))
    run = RunReader(tmp_path)
    assert [Path(path).name for path in run.files] == ["vdlrecords.1.log", "vdlrecords.2.log"]
    assert run.scalars("a").values.tolist() == [0, 1, 2, 3, 4, 5, 106, 107, 108, 109, 110, 111]
    assert run.scalars("a", superseded=True).steps.tolist() == [*range(10), *range(6, 12)]
    assert run.last("a") == (11, NOW, 111.0)
    with path_in(tmp_path, 1).open("ab") as file:
        file.write(scalar("a", 0.5, 10))
    run.refresh()
    assert run.scalars("a", superseded=True).steps.tolist() == [*range(11), *range(6, 12)]


def test_records_of_one_step_do_not_supersede_each_other(tmp_path: Path) -> None:
    path_in(tmp_path).write_bytes(b"".join(scalar("a", value, 0) for value in range(5)))
    assert RunReader(tmp_path).scalars("a").values.tolist() == [0, 1, 2, 3, 4]


def test_a_tag_of_two_kinds_keeps_the_first_and_reports_the_other(tmp_path: Path) -> None:
    start = scalar("a", 0.5)
    other = encode.encode_text("a", "no number", 1, NOW)
    path_in(tmp_path).write_bytes(start + other + scalar("a", 0.25, 2) + other)
    run = RunReader(tmp_path)
    assert run.kinds == {"a": "scalar"}
    assert run.scalars("a").values.tolist() == [0.5, 0.25]
    (problem,) = run.problems
    assert (problem.kind, problem.start) == ("mixed", len(start))
    assert "2 text records" in problem.message
    with pytest.raises(KeyError):
        run.entries("a")


def test_unknown_tags_and_other_kinds_are_key_errors(tmp_path: Path) -> None:
    path_in(tmp_path).write_bytes(scalar("a", 0.5) + encode.encode_text("t", "x", 0, NOW))
    run = RunReader(tmp_path)
    for call in (run.scalars, run.group, run.entries, run.count, run.last):
        with pytest.raises(KeyError):
            call("none")  # type: ignore[operator]
    with pytest.raises(KeyError):
        run.scalars("t")
    with pytest.raises(KeyError):
        run.entries("a")


def test_media_are_read_when_they_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = [bytes([number]) * 3_000_000 for number in range(4)]
    frames = [encode.encode_image("i", data, step, NOW) for step, data in enumerate(images)]
    path_in(tmp_path).write_bytes(b"".join(frames) + scalar("a", 0.5))
    read = count_reads(monkeypatch)
    run = RunReader(tmp_path)
    assert sum(read) < sum(map(len, images)) / 2
    entries = run.entries("i")
    assert (len(entries), entries.kind, entries.steps.tolist()) == (4, "image", [0, 1, 2, 3])
    assert entries[2] == images[2]
    assert entries[-1] == images[3]
    assert entries[1:3] == images[1:3]
    assert list(entries) == images
    with pytest.raises(IndexError):
        entries[4]
    assert run.scalars("a").values.tolist() == [0.5]


def test_a_broken_or_vanished_content_is_named(tmp_path: Path) -> None:
    path = path_in(tmp_path)
    broken = encode._frame(8, "histogram", 1, NOW, b"\x0a\x05abcde")  # five bytes are no doubles
    path.write_bytes(broken + encode.encode_text("t", "x", 1, NOW) + scalar("a", 0.5))
    run = RunReader(tmp_path)
    with pytest.raises(DataError, match=r"'histogram'.*cannot be decoded"):
        run.entries("histogram")[0]
    texts = run.entries("t")
    path.write_bytes(b"".join(encode.encode_text("other", "y" * 40, 1, NOW) for _ in range(9)))
    with pytest.raises(DataError, match=r"vdlrecords\.1\.log.*'t'"):
        texts[0]
    path.unlink()
    with pytest.raises(DataError, match=r"vdlrecords\.1\.log.*'t'"):
        texts[0]


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


# -- all runs ---------------------------------------------------------------------------------


def write_runs(root: Path, names: Iterable[str]) -> None:
    for name in names:
        path_in(root / name).write_bytes(scalar("a", 0.5))


def test_runs_are_found_in_nested_directories_in_natural_order(tmp_path: Path) -> None:
    names = ["run10", "run2", "deep/er/run1", "实验/运行 一", "."]
    write_runs(tmp_path, names)
    (tmp_path / "empty").mkdir()
    root = LogRoot(tmp_path)
    assert list(root.runs) == [".", "deep/er/run1", "run2", "run10", "实验/运行 一"]
    assert all(run.scalars("a").values.tolist() == [0.5] for run in root.runs.values())
    assert list(LogRoot(tmp_path / "run2").runs) == ["."]
    assert list(LogRoot(path_in(tmp_path / "run2")).runs) == ["."]
    with pytest.raises(FileNotFoundError):
        LogRoot(tmp_path / "none")


def test_runs_that_come_grow_and_go_are_told(tmp_path: Path) -> None:
    write_runs(tmp_path, ["a", "b", "c"])
    root = LogRoot(tmp_path)
    assert root.refresh() == ([], [], [])
    with path_in(tmp_path / "b").open("ab") as file:
        file.write(scalar("a", 0.25, 1))
    write_runs(tmp_path, ["new10", "new9"])
    shutil.rmtree(tmp_path / "c")
    assert root.refresh() == (["new9", "new10"], ["c"], ["b"])
    assert list(root.runs) == ["a", "b", "new9", "new10"]
    assert root.refresh() == ([], [], [])


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links_are_followed_to_what_is_not_there_already(tmp_path: Path) -> None:
    root, elsewhere = tmp_path / "log", tmp_path / "elsewhere"
    write_runs(root, ["run1", "run2"])
    write_runs(elsewhere, ["far"])
    (root / "run1" / "loop").symlink_to(root)
    (root / "latest").symlink_to(root / "run2")
    (root / "other").symlink_to(elsewhere)
    (elsewhere / "back").symlink_to(elsewhere)
    (root / "dangling").symlink_to(tmp_path / "nowhere")
    assert list(LogRoot(root).runs) == ["other/far", "run1", "run2"]


# -- remote directories -----------------------------------------------------------------------


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
