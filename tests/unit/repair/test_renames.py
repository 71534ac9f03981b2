"""Tags that stock VisualDL cannot serve are renamed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import vizkit
from tests.helpers import stock
from tests.unit.repair.logs import kinds, repaired, steps, written
from vizkit.format.decode import decode_record
from vizkit.format.encode import encode_scalar, encode_text, step_field, tag_field, walltime_field
from vizkit.repair._renames import retagged


def test_mixed_kinds_and_bad_tags_are_renamed(tmp_path: Path) -> None:
    from visualdl import LogWriter

    with LogWriter(str(tmp_path / "run"), file_name="vdlrecords.1.log") as writer:
        writer.add_scalar("loss", 0.5, 1)
        writer.add_histogram("loss", np.arange(10.0), 1)
        writer.add_text("loss_histogram", "taken", 1)
        writer.add_scalar("loss", 0.25, 2)
        writer.add_scalar("/slash", 1.0, 3)
    frames = [
        encode_scalar(tag_field(tag), 0.1, step_field(7), walltime_field(0)) for tag in ("a%b", "hparam")
    ]
    with (tmp_path / "run" / "vdlrecords.1.log").open("ab") as file:
        file.writelines(frames)
    assert sorted(kinds(tmp_path)) == ["mixed", "mixed", "tag", "tag"]
    repaired(tmp_path)
    assert steps(tmp_path / "run") == [1, 2]
    assert len(stock(tmp_path / "run", "histogram", "loss_histogram_")) == 1
    assert [steps(tmp_path / "run", tag) for tag in ("slash", "a_b", "hparam_scalar")] == [[3], [7], [7]]
    run = vizkit.load(tmp_path)[0]
    assert run.columns("a_b").values.tolist() == [0.1]  # the exact value too


def test_hyper_parameters_that_empty_the_page_become_text_and_metrics_are_renamed(tmp_path: Path) -> None:
    from visualdl import LogWriter

    with LogWriter(str(tmp_path / "run")) as writer:
        writer.add_hparams({"lr": float("nan"), "clip": float("inf"), "n": 3}, ["/acc", "loss"])
        for step in range(3):
            writer.add_scalar("/acc", step / 4, step)
            writer.add_scalar("loss", step / 2, step)
    before = vizkit.load(tmp_path)[0].hparams
    assert sorted(kinds(tmp_path)) == ["hparams", "hparams", "tag"]
    repaired(tmp_path)
    (run,) = vizkit.load(tmp_path)
    assert str(run.hparams) == str(before) == "{'lr': nan, 'clip': inf, 'n': 3}"
    assert run.metrics == ["acc", "loss"] == run.scalar_tags
    (settings,) = stock(tmp_path / "run", "hparams", "hparam")
    assert [info.name for info in settings.hparam.metricInfos] == ["acc", "loss"]
    assert [info.string_value for info in settings.hparam.hparamInfos][:2] == ["nan", "inf"]


def test_a_tag_of_two_kinds_in_two_logs_does_not_clash_when_they_are_one(tmp_path: Path) -> None:
    written(tmp_path / "run", "vdlrecords.1.log", range(3))
    (tmp_path / "run" / "vdlrecords.2.log").write_bytes(encode_text("loss", "words", 4, 0))
    repaired(tmp_path)
    assert steps(tmp_path / "run") == [0, 1, 2] and steps(tmp_path / "run", "loss_text", "text") == [4]


def test_a_tag_that_is_no_utf8(tmp_path: Path) -> None:
    record = encode_scalar(b"\x12\x03a\xffb", 0.5, step_field(1), walltime_field(0))
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "vdlrecords.1.log").write_bytes(record)
    assert kinds(tmp_path) == ["tag"]
    repaired(tmp_path)
    assert steps(tmp_path / "run", "a_b") == [1]


def test_another_tag_and_all_else_as_it_was() -> None:
    frame = encode_scalar(tag_field("a"), 1 / 3, step_field(-5), walltime_field(17))
    before, after = decode_record(frame[8:]), decode_record(retagged(frame[8:], "损失"))
    assert after.tag == "损失"
    assert (after.step, after.walltime, after.data) == (before.step, before.walltime, before.data)
    assert retagged(frame[8:], "a") == frame[8:]  # in the same order: a reader is fast in it
