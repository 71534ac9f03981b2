"""Names within a buffer and their numbers."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from tests.logs import assert_same, mixed_log, path_in, scalar
from vizkit.columns import name_table
from vizkit.columns.varints import window
from vizkit.reading import RunReader


def test_tags_are_compared_and_not_only_hashed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(name_table, "_FACTORS", 0 * name_table._FACTORS)  # all hashes are equal
    tags = ["a", "b", "c" * 40, "d" * 40]
    data = b"".join([*(scalar(tag, 0.5) for tag in tags), *mixed_log(random.Random(0), 200, tags)])
    path_in(tmp_path).write_bytes(data)
    assert_same(RunReader(tmp_path), [data])


def test_names_get_numbers_in_the_order_of_their_first_sight() -> None:
    table = name_table.NameTable()
    data = b"lossacc" + b"n" * 1100
    buf = window(len(data))
    buf[: len(data)] = np.frombuffer(data, np.uint8)
    nothing = np.empty(0, np.int64)
    numbers, known = table.find(buf, nothing, nothing)
    assert numbers.tolist() == known.tolist() == []
    assert table.number("early") == 0
    numbers, known = table.find(buf, np.array([4, 0, 4, 7]), np.array([3, 4, 3, 1100]))
    assert numbers.tolist() == [1, 2, 1, 3]
    assert known.all()
    assert table.names == ["early", "acc", "loss", "n" * 1100]


def test_names_of_every_length_are_told_apart_whatever_stands_behind_them() -> None:
    """Also the longest of one length, which differ in their last bytes alone."""
    r = random.Random(0)
    names = [b"n" * length + end for length in range(600) for end in (b"", b"a", b"b")]
    names = [*dict.fromkeys(names)] * 2
    r.shuffle(names)
    data = b"".join(name + r.randbytes(3) for name in names)
    buf = window(len(data))
    buf[: len(data)] = np.frombuffer(data, np.uint8)
    lengths = np.array([*map(len, names)])
    table = name_table.NameTable()
    for _ in range(2):
        numbers, known = table.find(buf, np.cumsum([0, *(lengths + 3)])[:-1], lengths)
        assert known.all()
        assert [table.names[number].encode() for number in numbers.tolist()] == names


@pytest.mark.parametrize("prefix", ["", "t/", "eval/", "train/", "x" * 23, "x" * 61, "x" * 250])
def test_names_that_differ_in_a_few_bytes_anywhere_are_found_in_few_looks(prefix: str) -> None:
    names = [f"{prefix}{n}".ljust(len(prefix) + 9, "x").encode() for n in range(500)]
    data = b"".join(names)
    buf = window(len(data))
    buf[: len(data)] = np.frombuffer(data, np.uint8)
    lengths = np.full(len(names), len(names[0]))
    table = name_table.NameTable()
    table.find(buf, np.cumsum(lengths) - lengths, lengths)
    (spellings,) = table._spellings.values()
    slots = np.flatnonzero(spellings._slots >= 0)
    first = spellings._hashes[spellings._slots[slots]] >> spellings._shift
    away = (slots - first.view(np.int64)) % len(spellings._slots)
    assert away.max() < 16


def test_tables_that_never_looked_for_a_name_are_not_filled_by_others() -> None:
    buf = window(3)
    buf[:3] = np.frombuffer(b"acc", np.uint8)
    where = np.array([0]), np.array([3])
    one, other = name_table.NameTable(), name_table.NameTable()
    assert one.find(buf, *where)[0].tolist() == [0]
    assert other.number("loss") == 0
    assert other.find(buf, *where)[0].tolist() == [1]
    assert other.names == ["loss", "acc"]
