"""Logs made for tests, whole and damaged, and their contents read record by record."""

from __future__ import annotations

import random
import struct
import zlib
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from tests import session_model
from vizkit._protocols import StepLike
from vizkit.errors import DataError
from vizkit.format import encode, wire
from vizkit.format.decode import decode_head, decode_record
from vizkit.format.frames import Damage, scan
from vizkit.format.types import HParams, Record, SessionMark
from vizkit.metrics.arrays import AnyArray, Ints
from vizkit.reading import Entries, RunReader, Scalars

NOW = 1_767_225_600_000


TAGS = ["a", "b", "train/loss", "标签/损失" * 9, *["n" * n for n in (31, 32, 33, 127, 200, 1100)]]


def scalar(tag: str, value: float, step: StepLike = 0, walltime: int = NOW) -> bytes:
    return encode.encode_scalar(
        encode.tag_field(tag), value, encode.step_field(step), encode.walltime_field(walltime)
    )


def path_in(directory: Path, number: int = 1) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    return directory / f"vdlrecords.{number}.log"


def png_with(content: bytes) -> bytes:
    """A PNG file, its checksums right, that holds ``content`` in a chunk of its own."""
    chunks = [(b"vzKt", content), (b"IEND", b"")]
    parts = [struct.pack(">I", len(c)) + t + c + struct.pack(">I", zlib.crc32(t + c)) for t, c in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


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
        if r.random() < 0.5:
            png = png_with(png + scalar(tag, r.random(), step, walltime) * r.randrange(3))
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
            del out[at : at + r.randrange(1, r.choice([60, 60, 3000]))]
        elif how < 0.7:
            out[at:at] = r.randbytes(r.randrange(1, 60))
        elif how < 0.8:
            out[at:at] = bytes(r.randrange(1, 600))
        elif how < 0.9:
            del out[at:]
        else:
            out[at:at] = r.choice([5, 2**40, 2**63]).to_bytes(8, "little") + b"\x0a" + r.randbytes(3)
    return bytes(out)


class Slow(NamedTuple):
    """Records and hyper-parameters of each file; problems (file, kind, start, end); the name."""

    files: list[list[Record]]
    hparams: list[HParams | None]
    problems: set[tuple[int, str, int, int]]
    name: str


def one_by_one(datas: list[bytes]) -> Slow:
    found = Slow([], [], set(), "")
    for number, data in enumerate(datas):
        found.files.append([])
        found.hparams.append(None)
        for part in scan(data):
            if isinstance(part, Damage):
                kind = "torn" if part.end == len(data) else "damaged"
                found.problems.add((number, kind, part.start, part.end))
                continue
            frame = data[part.start : part.end]
            try:
                record = decode_head(frame)
                if record.kind in ("scalar", "scalars", "meta_data", "hparams"):
                    record = decode_record(frame)
                elif record.kind in ("image", "text"):
                    with suppress(ValueError):  # a broken content costs itself alone
                        record = decode_record(frame)
            except ValueError:
                found.problems.add((number, "undecodable", part.start - 8, part.end))
                continue
            if record.kind == "meta_data":
                found = found._replace(name=record.data or found.name)
            elif record.kind == "hparams":
                found.hparams[-1] = record.data
            else:
                found.files[-1].append(record)
    return found


class Columns(Protocol):
    """Columns of scalars or of other records."""

    @property
    def steps(self) -> AnyArray: ...
    @property
    def walltimes(self) -> Ints: ...


def contents(entries: Entries[object]) -> list[object]:
    """The contents of records, None for a broken one."""
    found: list[object] = [None] * len(entries)
    for index in range(len(entries)):
        with suppress(DataError):
            found[index] = entries[index]
    return found


def assert_columns(columns: Columns, records: Sequence[Record], values: list[float] | None) -> None:
    np.testing.assert_array_equal(columns.steps, [record.step for record in records])
    np.testing.assert_array_equal(columns.walltimes, [record.walltime for record in records])
    if values is not None:
        assert isinstance(columns, Scalars)
        np.testing.assert_array_equal(columns.values, values)
        np.testing.assert_array_equal(np.signbit(columns.values), np.signbit(values))


def assert_same(run: RunReader, datas: list[bytes]) -> None:
    """The run holds what the slow way finds in its files."""
    slow = one_by_one([data for data in datas if data])
    every = session_model.trainings([(SessionMark.NONE, records) for records in slow.files], slow.hparams)
    assert run.display_name == slow.name and len(run.earlier) == len(every) - 1
    found = {(run.files.index(p.path), p.kind, p.start, p.end) for p in run.problems if p.kind != "mixed"}
    assert found == slow.problems
    firsts = np.cumsum([0, *map(len, every)]).tolist()
    for training, sessions, first in zip([*run.earlier, run], every, firsts, strict=False):
        known = [hparams for hparams in slow.hparams[first : first + len(sessions)] if hparams]
        assert training.hparams == (known[-1] if known else HParams({}))
        assert_same_training(training, sessions)


def assert_same_training(run: RunReader, sessions: list[list[Record]], *, in_order: bool = True) -> None:
    """The run holds these records; its tags are in the order of the log."""
    records = [record for session in sessions for record in session]
    counts: dict[str, Counter[str]] = {}
    for record in records:
        counts.setdefault(record.tag, Counter())[record.kind] += 1
    kinds = {tag: count.most_common(1)[0][0] for tag, count in counts.items()}
    assert run.kinds == kinds and (list(run.kinds) == list(kinds) or not in_order)
    mixed = [record for record in records if record.kind != kinds[record.tag]]
    assert any(p.kind == "mixed" for p in run.problems) == bool(mixed) or not run.is_last
    hidden = {}
    for tag, kind in kinds.items():
        of_tag = [[r for r in session if (r.tag, r.kind) == (tag, kind)] for session in sessions]
        flat = [record for session in of_tag for record in session]
        assert run.count(tag) == len(flat)
        if kind == "scalars":
            members = list(dict.fromkeys(record.data.tag for record in flat))
            for superseded in (True, False):
                group = run.group(tag, superseded=superseded)
                assert set(group) == set(members) and (list(group) == members or not in_order)
                for member in members:
                    some = [[r for r in session if r.data.tag == member] for session in of_tag]
                    rows = (
                        [r for session in some for r in session]
                        if superseded
                        else session_model.counting(some)
                    )
                    assert_columns(group[member], rows, [r.data.value for r in rows])
            continue
        kept = session_model.counting(of_tag)
        if len(kept) < len(flat):
            hidden[tag] = len(flat) - len(kept)
        for superseded, rows in ((True, flat), (False, kept)):
            if kind == "scalar":
                assert_columns(run.scalars(tag, superseded=superseded), rows, [r.data for r in rows])
            else:
                entries = run.entries(tag, superseded=superseded)
                assert_columns(entries, rows, None)
                assert contents(entries) == [record.data for record in rows]
    told = {tag: count for tag, count in run.superseded.items() if kinds[tag] != "scalars"}
    assert told == hidden


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
