"""Files are read within bounds and at any position."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vizkit import _files
from vizkit.errors import DataError


def test_a_file_is_read_at_any_position_and_mapped(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"0123456789")
    with _files.FileReader(str(path)) as file:
        data = bytearray(4)
        assert (file.read_into(memoryview(data), 3), bytes(data)) == (4, b"3456")
        assert (file.read_into(memoryview(data), 8), bytes(data)) == (2, b"8956")
        assert file.read_into(memoryview(data), 100) == 0
    with _files.mapped(path) as content:
        assert content[2:4] == b"23"
    fd = os.open(path, os.O_RDONLY)
    with _files.mapped(fd) as content:
        assert len(content) == 10
    os.close(fd)  # it is the caller's
    path.write_bytes(b"")
    with _files.mapped(path) as content:
        assert content == b""


def test_a_bounded_read_takes_regular_files_within_their_directory(tmp_path: Path) -> None:
    inside, outside = tmp_path / "run", tmp_path / "secret"
    (inside / "below").mkdir(parents=True)
    outside.write_bytes(b"secret")
    (inside / "below" / "a").write_bytes(b"content")
    for name, target in (("near", "below/a"), ("far", "../secret"), ("beside", "../run2"), ("loop", "loop")):
        (inside / name).symlink_to(target)
    (tmp_path / "run2").write_bytes(b"x")
    (tmp_path / "link").symlink_to("run")
    assert _files.read_bounded(inside / "below" / "a", 7) == b"content"
    assert _files.read_bounded(inside / "near", 7) == b"content"
    assert _files.read_bounded(tmp_path / "link" / "near", 7) == b"content"  # the run itself may be linked
    for path, message in (("far", "link out of"), ("beside", "link out of"), ("below", "not a regular file")):
        with pytest.raises(DataError, match=message):
            _files.read_bounded(inside / path, 100)
    with pytest.raises(DataError, match="more than 6 bytes"):
        _files.read_bounded(inside / "near", 6)
    for path in ("loop", "missing"):
        with pytest.raises(OSError, match=path):
            _files.read_bounded(inside / path, 100)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="not a regular file"):
        _files.read_bounded(tmp_path / "pipe", 100)
    with pytest.raises(OSError, match="not a regular file"):
        _files.FileReader(str(tmp_path / "pipe"))
    with pytest.raises(OSError, match="not a regular file"), _files.mapped(tmp_path / "pipe"):
        pass
