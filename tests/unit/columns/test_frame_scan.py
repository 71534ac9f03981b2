"""A walk over a log in windows finds what a scan of its bytes finds."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.logs import TAGS, damaged, mixed_log
from vizkit.columns import frame_scan
from vizkit.format.frames import Damage, Frame, scan


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
