"""Damage at every offset of a small log: whole records are all read, and no torn one is."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from tests.faults.mutated_logs import (
    check_flip,
    check_flip_of_resumed,
    check_mutation,
    check_repair,
    frames_of,
    mutations,
    resumed_frames,
    row_of,
)
from tests.logs import NOW, assert_same, path_in, scalar
from vizkit.format import encode
from vizkit.format.frames import read_frames
from vizkit.format.types import HParams
from vizkit.media.png import encode_png
from vizkit.reading import RunReader
from vizkit.repair._check import check

Frames = list[bytes]


def small_log(seed: int, pixels: int = 6) -> Frames:
    """Frames of many kinds; no two are equal, and no value is 0."""
    r = np.random.default_rng(seed)
    first = 100 * seed
    frames = [encode.encode_meta_data("meta_data_tag", f"run {seed}", 0, NOW)]
    frames.append(encode.encode_hparams(HParams({"rate": 0.1 + seed}, ["loss"]), NOW + seed))
    for step in range(first, first + 4):
        frames += [scalar("loss", r.random(), step), scalar("acc", float(np.float32(r.random())), step)]
        frames.append(scalar("round", step + 1.0, step))  # its lowest bytes are 0
        frames.append(encode.encode_sub_scalar("group", "member", r.random() + 1, step, NOW))
        frames.append(encode.encode_text("note", f"step {step}", step, NOW))
        png = encode_png(r.integers(0, 255, (pixels, pixels), np.uint8))
        frames.append(encode.encode_image("image", png, step, NOW))
    return frames


class Damaged(NamedTuple):
    """A damaged log, the frames that are whole in it, and the number of those that may be read wrong."""

    data: bytes
    whole: Frames
    wrong: int


FRAMES, MORE = small_log(1), small_log(2)
LOG, APPENDED = b"".join(FRAMES), b"".join(MORE)
ENDS = np.cumsum([len(frame) for frame in FRAMES]).tolist()


def untouched(start: int, end: int) -> tuple[Frames, Frames]:
    """The frames that end before ``start``, and those that begin after ``end``."""
    before = [frame for frame, last in zip(FRAMES, ENDS, strict=True) if last <= start]
    return before, [frame for frame, last in zip(FRAMES, ENDS, strict=True) if last - len(frame) >= end]


def truncated(at: int) -> Damaged:
    return Damaged(LOG[:at], untouched(at, len(LOG))[0], 0)


def torn_and_appended(at: int) -> Damaged:
    return Damaged(LOG[:at] + APPENDED, [*untouched(at, len(LOG))[0], *MORE], 0)


def torn_and_torn_and_appended(at: int) -> Damaged:
    data = LOG[:at] + APPENDED[: len(APPENDED) - 40] + LOG
    return Damaged(data, [*untouched(at, len(LOG))[0], *MORE[:-1], *FRAMES], 0)


def zeros_and_appended(at: int) -> Damaged:
    zeros = bytes((3, 50, 700)[at % 3])
    completed = at + len(zeros) in ENDS  # the zeros may make a torn record whole
    return Damaged(LOG[:at] + zeros + APPENDED, [*untouched(at, len(LOG))[0], *MORE], completed)


def ends_with_zeros(at: int) -> Damaged:
    return Damaged(LOG[:at] + bytes(4096), untouched(at, len(LOG))[0], 0)


def filled_with_zeros(at: int) -> Damaged:
    end = min(at + (1, 8, 64)[at % 3], len(LOG))
    before, after = untouched(at, end)
    return Damaged(LOG[:at] + bytes(end - at) + LOG[end:], before + after, 2)


def cut_within(at: int) -> Damaged:
    end = min(at + (1, 9, 100)[at % 3], len(LOG))
    before, after = untouched(at, end)
    return Damaged(LOG[:at] + LOG[end:], before + after, 1)


def duplicated(at: int) -> Damaged:
    start = max(at - (1, 9, 100)[at % 3], 0)
    before, after = untouched(at, at)
    again = [frame for frame in untouched(at, at)[0] if frame in LOG[start:at]]
    return Damaged(LOG[:at] + LOG[start:at] + LOG[at:], before + again + after, 2)


def bit_flipped(at: int) -> Damaged:
    data = bytearray(LOG)
    data[at] ^= 1 << at * 5 % 8
    before, after = untouched(at, at + 1)
    return Damaged(bytes(data), before + after, 1)


def interleaved(at: int) -> Damaged:
    """Pieces of two logs, in turn; the first one is of another length."""
    size = 200
    bounds = [*range(at % size, max(len(LOG), len(APPENDED)), size)]
    data, whole = b"", []
    for start, end in zip([0, *bounds], [*bounds, max(len(LOG), len(APPENDED))], strict=True):
        for log, frames in ((LOG, FRAMES), (APPENDED, MORE)):
            piece = log[start:end]
            whole += [frame for frame in frames if frame in piece]
            data += piece
    return Damaged(data, whole, 8)


KINDS: list[Callable[[int], Damaged]] = [
    truncated,
    torn_and_appended,
    torn_and_torn_and_appended,
    zeros_and_appended,
    ends_with_zeros,
    filled_with_zeros,
    cut_within,
    duplicated,
    bit_flipped,
    interleaved,
]


@pytest.mark.parametrize("damage", KINDS)
def test_whole_records_are_read_and_no_torn_one(damage: Callable[[int], Damaged]) -> None:
    for at in range(len(LOG)):
        data, whole, wrong = damage(at)
        found = Counter(len(frame).to_bytes(8, "little") + frame for frame in read_frames(data))
        missing = Counter(whole) - found
        assert not missing, (at, missing)
        assert (found - Counter(whole)).total() <= wrong, (at, found - Counter(whole))


@pytest.mark.parametrize("damage", KINDS)
def test_a_reader_finds_what_is_found_record_by_record(
    damage: Callable[[int], Damaged], tmp_path: Path
) -> None:
    path = path_in(tmp_path)
    for at in range(random.Random(damage.__name__).randrange(37), len(LOG), 37):
        data = damage(at).data
        path.write_bytes(data)
        assert_same(RunReader(tmp_path), [data])


@pytest.mark.parametrize("first", range(4))
def test_a_flipped_bit_costs_its_record_alone(first: int, tmp_path: Path) -> None:
    """No tag is hidden, and no step. ``python -m tests.faults.mutated_logs flips``: all bits."""
    whole = Counter(filter(None, map(row_of, FRAMES)))
    for bit in range(first * 15, len(LOG) * 8, 61):
        assert check_flip(bit, LOG, whole, tmp_path) <= 1, bit


@pytest.mark.parametrize("first", range(4))
def test_a_flipped_step_hides_no_earlier_session(first: int, tmp_path: Path) -> None:
    """But where it is the first of its session, which nothing tells from one that began there."""
    frames, begins = resumed_frames()
    ends = np.cumsum([len(frame) for frame in frames])
    for bit in range(first * 47, 8 * int(ends[-1]), 191):
        hidden = check_flip_of_resumed(bit, frames, tmp_path)
        assert hidden <= 1 or begins[int(np.searchsorted(ends, bit // 8, "right"))], bit


def torn_images(size: int) -> Iterator[tuple[bytes, bytes]]:
    """An image, torn at pages, and its frame."""
    pixels = np.random.default_rng(0).integers(0, 255, (size, size), np.uint8)
    frame = encode.encode_image("image", encode_png(pixels), 0, NOW)
    for at in (50, 4096, len(frame) // 2, len(frame) - 4096, len(frame) - 1):
        yield frame[:at], frame


@pytest.mark.parametrize("size", [200, 450, 1200])
def test_a_torn_image_swallows_nothing(size: int, tmp_path: Path) -> None:
    """Whether its end falls within another's record or between two of them."""
    scalars = [scalar("loss", step / 7 + 1, step) for step in range(40_000)]
    lengths = np.cumsum([len(frame) for frame in scalars])
    path = path_in(tmp_path)
    for torn, frame in torn_images(size):
        left = len(frame) - len(torn)
        between = int(np.searchsorted(lengths, left))
        for rest in (0, int(lengths[between]) - left if between else 0):
            path.write_bytes(scalar("first", 1.0) + torn[: len(torn) - rest] + b"".join(scalars))
            run = RunReader(tmp_path)
            assert run.scalars("loss").steps.tolist() == list(range(len(scalars)))
            assert "image" not in run.kinds
            (problem,) = run.problems
            assert (problem.kind, problem.end - problem.start) == ("damaged", len(torn) - rest)


def test_a_round_of_scalars_torn_in_its_last_value_is_none(tmp_path: Path) -> None:
    """Fast reading takes rounds of the same tags at once."""
    rounds = [scalar(tag, 1 / (step + 3), step) for step in range(130, 3000) for tag in ("a", "b")]
    path = path_in(tmp_path)
    for cut in (1, 3, 9):
        data = b"".join(rounds[:-4]) + rounds[-4][:-cut] + b"".join(rounds)
        path.write_bytes(data)
        for _ in range(2):  # the second time, the rounds are known
            run = RunReader(tmp_path)
            assert run.count("a") + run.count("b") == 2 * len(rounds) - 4
            assert_same(run, [data])


@pytest.mark.parametrize("first", range(0, 200, 50))
def test_a_large_log_damaged_in_several_ways_is_read(first: int, tmp_path: Path) -> None:
    """``python -m tests.faults.mutated_logs 100000`` does it as often as you like."""
    assert mutations(first, 50, tmp_path, 400).total() >= 50


def test_a_repaired_log_reads_the_same_and_opens_in_stock_visualdl(tmp_path: Path) -> None:
    """``python -m tests.faults.mutated_logs repaired 8000`` does it as often as you like."""
    frames, more = frames_of(1, 60), frames_of(2, 20)
    rows = {frame: row_of(frame) for frame in (*frames, *more)}
    for seed in range(60):
        check_mutation(seed, frames, more, rows, tmp_path)
        check_repair(tmp_path)


def is_chain(data: bytes) -> bool:
    """True if frames lie end to end."""
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 8], "little")
        record = data[at + 8 : at + 8 + size]
        if len(record) < size or record[:1] != b"\x0a":
            return False
        at += 8 + size
    return True


@pytest.mark.parametrize("damage", KINDS)
def test_check_finds_each_kind_of_damage(damage: Callable[[int], Damaged], tmp_path: Path) -> None:
    path = path_in(tmp_path / "run")
    found = 0
    for at in range(random.Random(damage.__name__).randrange(90), len(LOG), 150):
        data = damage(at).data
        path.write_bytes(data)
        os.utime(path, (NOW // 1000, NOW // 1000))  # else a torn end may be one that is being written
        kinds = {finding.kind for finding in check(tmp_path) if finding.is_problem}
        if not is_chain(data):
            assert kinds & {"torn", "damaged", "undecodable", "no log"}, at
            found += 1
    assert found or damage is bit_flipped
