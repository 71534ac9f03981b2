"""What a writer knows of the log that it continues."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers import log_of
from tests.logs import path_in, scalar
from vizkit import LogWriter
from vizkit._files import FileReader
from vizkit.errors import VizKitWarning
from vizkit.format import encode
from vizkit.reading import RunReader


@pytest.fixture
def bytes_read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How much each call has read of logs."""
    read: list[int] = []
    read_into = FileReader.read_into

    def counted(self: FileReader, view: memoryview, at: int) -> int:
        read.append(read_into(self, view, at))
        return read[-1]

    monkeypatch.setattr(FileReader, "read_into", counted)
    return read


def test_a_writer_opened_at_every_step_reads_what_was_appended(tmp_path: Path, bytes_read: list[int]) -> None:
    of_step = []
    for step in range(40):
        bytes_read.clear()
        with LogWriter(str(tmp_path)) as writer:
            assert writer.last_step_of("loss") == step - 1
            for tag in ("loss", "acc"):
                writer.add_scalar(tag, step / 7, step)
        of_step.append(sum(bytes_read))
    assert max(of_step[30:]) <= max(of_step[8:20]) + 16  # a step needs one more byte in time
    assert RunReader(tmp_path).scalars("acc").steps.tolist() == list(range(40))


def test_a_long_log_is_read_once_to_be_continued(tmp_path: Path, bytes_read: list[int]) -> None:
    path = path_in(tmp_path)
    path.write_bytes(b"".join(scalar("loss", step / 7, step) for step in range(20_000)))
    size = path.stat().st_size
    with LogWriter(str(tmp_path)) as writer:
        writer.add_scalar("loss", 0.5, None)
    assert size <= sum(bytes_read) < 1.1 * size
    assert RunReader(tmp_path).last("loss")[0] == 20_000


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def test_what_others_append_between_two_writers_is_known(tmp_path: Path) -> None:
    with LogWriter(str(tmp_path)) as writer:
        writer.add_scalar("loss", 0.5, 0)
        writer.add_hparams({"lr": 0.1}, ["loss"])
    append(log_of(tmp_path), encode.encode_text("note", "x", 7, 5) + scalar("loss", 0.25, 30))
    with LogWriter(str(tmp_path)) as writer:
        assert (writer.kind_of("note"), writer.last_step_of("note")) == ("text", 7)
        assert writer.last_step == 30
        writer.add_hparams({"batch": 8}, [])
    assert RunReader(tmp_path).hparams.hparams == {"lr": 0.1, "batch": 8}


@pytest.mark.parametrize("torn", [scalar("loss", 1 / 3, 5)[:-3], bytes(50)])
def test_a_torn_end_between_two_writers_is_cut_off(tmp_path: Path, torn: bytes) -> None:
    for step in range(3):
        with LogWriter(str(tmp_path)) as writer:
            writer.add_scalar("loss", (step + 1) / 7, step)
        append(log_of(tmp_path), torn)
    with LogWriter(str(tmp_path)) as writer:
        writer.add_scalar("loss", 1.0, None)
    run = RunReader(tmp_path)
    assert run.scalars("loss").steps.tolist() == [0, 1, 2, 3]
    assert not run.problems


@pytest.mark.parametrize("records", [1, 4, 40])
def test_a_log_that_was_written_anew_in_place_is_another(tmp_path: Path, records: int) -> None:
    """Its file has the same number, and may be longer."""
    with LogWriter(str(tmp_path)) as writer:
        for step in range(4):
            writer.add_scalar("loss", step / 7, step)
    log_of(tmp_path).write_bytes(b"".join(scalar("other", 1 / 3, step, 9) for step in range(records)))
    with LogWriter(str(tmp_path)) as writer:
        assert writer.kind_of("loss") is None
        writer.add_scalar("other", 0.5, None)
    assert RunReader(tmp_path).scalars("other").steps.tolist() == list(range(records + 1))


def test_the_kind_of_a_tag_stays_that_of_most_records(tmp_path: Path) -> None:
    frames = [scalar("loss", 0.5, step) for step in range(3)]
    path_in(tmp_path).write_bytes(encode.encode_text("loss", "x", 0, 5) + b"".join(frames))
    for _ in range(2):
        with LogWriter(str(tmp_path)) as writer:
            assert writer.kind_of("loss") == "scalar"
            writer.add_scalar("loss", 0.5, None)
    with LogWriter(str(tmp_path)) as writer, pytest.warns(VizKitWarning, match="loss"):
        writer.add_text("loss", "y", 0)
