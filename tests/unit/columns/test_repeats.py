"""Rounds of scalars that one log has taught are found in others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.logs import NOW, assert_same, path_in, scalar, training
from vizkit.columns import column_builder, repeats
from vizkit.format import encode, wire
from vizkit.format.types import HParams
from vizkit.reading import RunReader


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


@pytest.mark.parametrize("kind", ["fractions", "order", "unknown field"])
def test_records_that_repeat_and_are_not_plain_scalars_are_read_all_the_same(
    tmp_path: Path, kind: str
) -> None:
    def record(step: int) -> bytes:
        if kind == "fractions":
            return scalar("a", 0.5, step + 0.5)
        tag, value = encode.tag_field("a"), b"\x25" + np.float32(step).tobytes()
        number, wall = encode.step_field(step + 1000), encode.walltime_field(NOW)
        if kind == "order":
            fields = number + wall + tag + value
        else:
            fields = number + tag + wall + value + wire.length_delimited(1200, b"unknown")
        return encode._head(len(fields)) + fields

    data = b"".join(map(record, range(900)))
    path_in(tmp_path).write_bytes(data)
    assert_same(RunReader(tmp_path), [data])


def test_rounds_beyond_the_most_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "_known", {})
    monkeypatch.setattr(repeats, "_MOST", 3)
    for number in range(8):
        data = b"".join(scalar("t" * (number + 1), 0.5, step, NOW + step) for step in range(200))
        path_in(tmp_path / str(number)).write_bytes(data)
        assert_same(RunReader(tmp_path / str(number)), [data])
        assert 0 < sum(map(len, repeats._known.values())) <= 3


def test_few_rounds_of_one_head_are_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many logs a process has read before."""
    monkeypatch.setattr(repeats, "_known", {})
    for number in range(40):
        data = b"".join(scalar(f"tag {number:02}", 0.5, step, NOW + step) for step in range(200))
        path_in(tmp_path / str(number)).write_bytes(data)
        assert_same(RunReader(tmp_path / str(number)), [data])
    assert max(map(len, repeats._known.values())) == 16
