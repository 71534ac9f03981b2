"""Names within a buffer and their numbers."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from tests.logs import assert_same, mixed_log, path_in, scalar
from vizkit.columns import name_table
from vizkit.reading import RunReader


def test_tags_are_compared_and_not_only_hashed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(name_table, "_FACTOR", np.uint64(0))  # all hashes are equal
    tags = ["a", "b", "c" * 40, "d" * 40]
    data = b"".join([*(scalar(tag, 0.5) for tag in tags), *mixed_log(random.Random(0), 200, tags)])
    path_in(tmp_path).write_bytes(data)
    assert_same(RunReader(tmp_path), [data])
