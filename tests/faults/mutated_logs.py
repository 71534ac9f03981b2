"""``python -m tests.faults.mutated_logs 100000``: a log is damaged, and what is whole in it must be read.

What a log holds is known from how it was damaged, and each record's content from `row_of`: no code of VizKit
has a part in it. ``python -m tests.faults.mutated_logs flips`` flips each bit of a small log instead;
``python -m tests.faults.mutated_logs repaired 8000`` repairs the damaged logs.
"""

from __future__ import annotations

import faulthandler
import os
import random
import resource
import struct
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tests.logs import NOW, path_in, scalar
from vizkit.errors import DataError
from vizkit.format import encode
from vizkit.format.tags import RESERVED
from vizkit.format.types import HParams, SessionMark
from vizkit.media.png import encode_png
from vizkit.metrics.histograms import Histogram
from vizkit.reading import Entries, RunReader
from vizkit.repair import check, repair
from vizkit.repair._renames import is_bad_tag
from vizkit.runs.media import decode_image

Row = tuple[object, ...]
Frames = list[bytes]
DAMAGES = ["flip", "zeros", "cut", "torn", "appended", "garbage", "twice", "interleaved", "truncated"]


def frames_of(seed: int, steps: int, pixels: int = 6) -> Frames:
    """A log of many kinds of records. No two are equal, and none ends with a zero."""
    r = np.random.default_rng(seed)
    frames = [encode.encode_meta_data("meta_data_tag", f"run {seed}", 0, NOW, SessionMark.BEGINS)]
    frames.append(encode.encode_hparams(HParams({"rate": 0.1 + seed}, ["loss"]), NOW + seed))
    for step in range(10_000 * seed, 10_000 * seed + steps):
        frames += [scalar(tag, 1 + r.random(), step, NOW + step) for tag in ("loss", "acc")]
        frames.append(scalar("round", step + 1.0, step))
        if step % 3 == 0:
            frames += [encode.encode_sub_scalar("group", m, r.random() + 1, step, NOW) for m in ("a", "b")]
            frames.append(scalar("epoch", float(np.float32(1 + r.random())), (step + 1) / 4))
        if step % 7 == 0:
            frames.append(encode.encode_text("note", f"step {step}", step, NOW))
            png = encode_png(r.integers(0, 255, (pixels, pixels), np.uint8))
            frames.append(encode.encode_image("image", png, step, NOW))
            edges = 1 + np.sort(r.random(5))
            frames.append(
                encode.encode_histogram(
                    "histogram", Histogram(r.integers(1, 99, 4), edges, 0, 0, 1), step, NOW
                )
            )
    return frames


def fields_of(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Numbers and bytes of a message's fields."""
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            at += 1
            value |= (data[at - 1] & 0x7F) << shift
            shift += 7
            if data[at - 1] < 0x80:
                return value

    while at < len(data):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, struct.pack("<Q", varint())
            continue
        size = {1: 8, 5: 4}.get(key & 7) or varint()
        at += size
        yield key >> 3, data[at - size : at]


def row_of(frame: bytes) -> Row | None:
    """What a reader is to say of a frame's record; None if it is no point of a tag."""
    record = dict(fields_of(dict(fields_of(frame[8:]))[1]))
    exact = record.get(1002)
    (step,) = struct.unpack("<d", exact) if exact else struct.unpack("<q", record.get(1, bytes(8)))
    tag, (kind,) = record[2].decode(), set(record) & set(range(4, 15))
    if kind in (10, 13):
        return None
    if kind == 4:
        return tag, kind, step, number_of(record, 4)
    if kind == 14:
        member = dict(fields_of(record[14]))
        return tag, kind, step, number_of(member, 2), member[1].decode()
    return tag, kind, step, struct.unpack("<q", record[3])[0]


def number_of(fields: dict[int, bytes], single: int) -> float:
    exact = fields.get(1001)
    return float(struct.unpack("<d", exact)[0] if exact else struct.unpack("<f", fields[single])[0])


def rows_of(last: RunReader, *, decoded: bool = False) -> Counter[Row]:
    """All that a reader says of a directory, in the form of `row_of`.

    Args:
        last: the reader.
        decoded: whether to leave out the records whose contents cannot be decoded.
    """
    found: Counter[Row] = Counter()
    for run in (*last.earlier, last):
        for tag, kind in run.kinds.items():
            if kind == "scalar":
                steps, _, values = (column.tolist() for column in run.scalars(tag, superseded=True))
                found.update((tag, 4, *row) for row in zip(steps, values, strict=True))
            elif kind == "scalars":
                for member, columns in run.group(tag, superseded=True).items():
                    steps, _, values = (column.tolist() for column in columns)
                    found.update((tag, 14, *row, member) for row in zip(steps, values, strict=True))
            else:
                entries = run.entries(tag, superseded=True)
                number = {"image": 5, "histogram": 8, "text": 12}.get(kind, 0)
                points = zip(entries.steps.tolist(), entries.walltimes.tolist(), strict=True)
                found.update(
                    (tag, number, *row)
                    for place, row in enumerate(points)
                    if not decoded or _is_decoded(entries, place)
                )
    return found


def _is_decoded(entries: Entries[object], place: int) -> bool:
    try:
        content = entries[place]
        if isinstance(content, bytes):
            decode_image(content)
    except (DataError, OSError, ValueError, SyntaxError):  # Pillow raises the latter for a broken file
        return False
    return True


def check_repair(root: Path) -> None:
    """Repair a damaged log; it reads the same then, and stock VisualDL opens it."""
    from visualdl import LogReader

    path = path_in(root)
    os.utime(path, (NOW // 1000, NOW // 1000))  # else a program may be writing it
    run = RunReader(root)
    renamed = any(problem.kind == "mixed" for problem in run.problems)
    renamed |= any(is_bad_tag(tag) or RESERVED.get(tag, kind) != kind for tag, kind in run.kinds.items())

    def readable(reader: RunReader) -> Counter[str]:  # NaN is itself in words
        every = rows_of(reader, decoded=True)
        kept = {row: n for row, n in every.items() if not is_bad_tag(str(row[0])) and row[0] not in RESERVED}
        return Counter(map(repr, Counter(kept).elements()))

    before = readable(run)
    results = repair(root) if run.files else []
    assert not any(result.left for result in results), results
    left = [finding for finding in check(root) if finding.repairable] if results else []
    assert not left, left
    if path.exists():  # else it held no record
        after = readable(RunReader(root))
        assert after >= before if renamed else after == before, (before - after, after - before)
        LogReader(file_path=str(path))
    else:
        assert not before
    for kept in root.glob("*.bak"):
        kept.unlink()


class DamagedLog:
    """A log that is damaged again and again.

    Attributes:
        data: its bytes.
        whole: where whole frames lie, in order.
        wrong: how many records may be read that nobody wrote so.
    """

    def __init__(self, frames: Frames) -> None:
        self.data = b"".join(frames)
        ends = np.cumsum([len(frame) for frame in frames]).tolist()
        self.whole = list(zip([0, *ends], ends, strict=False))
        self.wrong = 0

    def replace(self, start: int, end: int, new: bytes, whole: list[tuple[int, int]], wrong: int) -> None:
        """Replace the bytes [start, end), by some with ``whole`` frames."""
        by = len(new) - (end - start)
        before = [place for place in self.whole if place[1] <= start]
        after = [(first + by, last + by) for first, last in self.whole if first >= end]
        self.data = self.data[:start] + new + self.data[end:]
        self.whole = [*before, *((start + first, start + last) for first, last in whole), *after]
        self.wrong += wrong

    def within(self, start: int, end: int) -> list[tuple[int, int]]:
        """The whole frames within [start, end), from ``start`` on."""
        return [(first - start, last - start) for first, last in self.whole if start <= first and last <= end]

    def damage(self, r: random.Random, more: Frames) -> str:
        """Damage it somewhere; return how."""
        how = r.choice(DAMAGES)
        data = self.data
        at = r.randrange(len(data))
        end = min(at + r.choice([1, 9, 100, 4096]), len(data))
        if how == "flip":
            self.replace(at, at + 1, bytes([data[at] ^ 1 << r.randrange(8)]), [], 1)
        elif how == "zeros":
            self.replace(at, r.choice([at, end]), bytes(end - at), [], 2)
        elif how == "cut":
            self.replace(at, end, b"", [], 1)
        elif how == "garbage":
            self.replace(at, r.choice([at, end]), r.randbytes(end - at), [], 1)
        elif how == "twice":
            start = max(at - (end - at), 0)
            self.replace(at, at, data[start:at], self.within(start, at), 2)
        elif how == "truncated":
            at = max(at, len(data) // 2)
            self.replace(at, len(data), b"", [], 0)
        else:
            other = DamagedLog(r.sample(more, r.randrange(1, len(more))))
            if how == "torn":  # and continued by others
                self.replace(at, len(data), b"", [], 0)
                at = len(self.data)
            if how == "appended":
                torn = r.randrange(len(other.data))
                other.replace(torn, len(other.data), b"", [], 1)
            if how != "interleaved":
                at = len(self.data)
                self.replace(at, at, other.data, other.whole, 1)
            else:
                self._interleave(at, other, r.choice([50, 200, 1000]))
        return how

    def _interleave(self, at: int, other: DamagedLog, size: int) -> None:
        """Mix the bytes from ``at`` on with those of another writer, piece by piece."""
        mixed, whole = b"", []
        length = min(len(self.data) - at, len(other.data), 20 * size)
        for start in range(0, length, size):
            for log, first in ((self, at + start), (other, start)):
                last = min(first + size, (at if log is self else 0) + length)
                whole += [(len(mixed) + a, len(mixed) + b) for a, b in log.within(first, last)]
                mixed += log.data[first:last]
        self.replace(at, at + length, mixed, whole, 2 * -(-length // size))


def check_mutation(seed: int, frames: Frames, more: Frames, rows: dict[bytes, Row | None], root: Path) -> str:
    """Damage a log in one to three ways, and check what is read; return how it was damaged."""
    r = random.Random(seed)
    log = DamagedLog(frames)
    how = " + ".join(log.damage(r, more) for _ in range(r.choice([1, 2, 2, 3])) if log.data)
    path_in(root).write_bytes(log.data)
    whole = Counter(filter(None, (rows[log.data[start:end]] for start, end in log.whole)))
    found = rows_of(RunReader(root))
    missing, wrong = whole - found, (found - whole).total()
    assert not missing, (seed, how, missing)
    assert wrong <= log.wrong, (seed, how, found - whole)
    return how


def mutations(first: int, count: int, root: Path, steps: int) -> Counter[str]:
    """Check ``count`` mutations of a log; return how often each kind came."""
    frames, more = frames_of(1, steps), frames_of(2, 20)
    rows = {frame: row_of(frame) for frame in (*frames, *more)}
    done: Counter[str] = Counter()
    for seed in range(first, first + count):
        faulthandler.dump_traceback_later(600, exit=True)
        done.update(check_mutation(seed, frames, more, rows, root).split(" + "))
    faulthandler.cancel_dump_traceback_later()
    return done


def check_flip(bit: int, data: bytes, whole: Counter[Row], root: Path) -> int:
    """Flip a bit of a log; return the number of records that are missing then."""
    flipped = bytearray(data)
    flipped[bit // 8] ^= 1 << bit % 8
    path_in(root).write_bytes(flipped)
    run = RunReader(root)
    shown = rows_of(run)
    assert not run.superseded and not run.earlier, bit
    assert {row[0] for row in whole} <= {row[0] for row in shown}, bit
    return (whole - shown).total()


def resumed_frames() -> tuple[Frames, list[bool]]:
    """A log of three sessions that overlap; and of each frame, if it begins a session or a tag in one."""
    r = np.random.default_rng(0)
    frames, begins = [], []
    for session, steps in enumerate((range(60), range(40, 100), range(93, 120))):
        mark = SessionMark.RESUMES if session else SessionMark.BEGINS
        frames.append(encode.encode_meta_data("meta_data_tag", "run", 0, NOW + session, mark))
        begins.append(True)
        for step in steps:
            for tag in ("loss", "acc") if step % 5 == 0 else ("loss",):
                frames.append(scalar(tag, 1 + r.random(), step, NOW + 1000 * session + step))
                begins.append(step - steps.start < 5 and (tag == "acc" or step == steps.start))
    return frames, begins


def check_flip_of_resumed(bit: int, frames: Frames, root: Path) -> int:
    """Flip a bit of a log of several sessions; return how many records that count no longer do.

    All but the one with the bit are counted as superseded, and shown on request.
    """
    damaged = bytearray(b"".join(frames))
    damaged[bit // 8] ^= 1 << bit % 8
    path_in(root).write_bytes(damaged)
    run = RunReader(root)
    every, shown, counted = Counter[Row](), Counter[Row](), 0
    for one in (*run.earlier, run):
        for tag in (tag for tag, kind in one.kinds.items() if kind == "scalar"):
            for found, superseded in ((every, True), (shown, False)):
                steps, _, values = (column.tolist() for column in one.scalars(tag, superseded=superseded))
                found.update((tag, 4, *row) for row in zip(steps, values, strict=True))
            counted += one.superseded.get(tag, 0)
    assert every.total() - shown.total() == counted, bit
    hidden = _counting(frames) - shown
    assert (hidden - every).total() <= 1, (bit, hidden - every)
    return hidden.total()


def _counting(frames: Frames) -> Counter[Row]:
    """The records of `resumed_frames` that count: those before the next session's first step."""
    found: Counter[Row] = Counter()
    ends = iter((40, 93, 120))
    for frame in frames:
        row = row_of(frame)
        if row is None:
            end = next(ends)
        elif int(str(row[2])) < end:
            found[row] += 1
    return found


def main() -> None:
    """Print what was tried, and the most memory that it took."""
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        if sys.argv[1] == "repaired":
            frames, more = frames_of(1, 60), frames_of(2, 20)
            rows = {frame: row_of(frame) for frame in (*frames, *more)}
            for seed in range(int(sys.argv[2])):
                check_mutation(seed, frames, more, rows, root)
                check_repair(root)
            print(f"{int(sys.argv[2]):,} logs repaired")
        elif sys.argv[1:] == ["flips"]:
            frames = frames_of(1, 12)
            data, whole = b"".join(frames), Counter(filter(None, map(row_of, frames)))
            missing = Counter(check_flip(bit, data, whole, root) for bit in range(8 * len(data)))
            print(
                f"{8 * len(data):,} bits of {len(frames)} records: how often so many were missing: {missing}"
            )
            frames, begins = resumed_frames()
            ends = np.cumsum([len(frame) for frame in frames])
            hidden: dict[bool, Counter[int]] = {False: Counter(), True: Counter()}
            for bit in range(0, 8 * int(ends[-1]), 31):
                begin = begins[int(np.searchsorted(ends, bit // 8, "right"))]
                hidden[begin][check_flip_of_resumed(bit, frames, root)] += 1
            print(f"resumed: how often so many records were hidden: {hidden[False]}")
            print(f"by a bit of what begins a session: {hidden[True]}")
        else:
            count, first = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
            done = mutations(first, count, root, 400)
            print(f"{count:,} logs, damaged {done.total():,} times: {dict(done)}")
    print(f"memory at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MB")


if __name__ == "__main__":
    main()
