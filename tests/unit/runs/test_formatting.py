"""Values and durations as texts."""

from __future__ import annotations

import pytest

from vizkit.runs.formatting import duration_text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0 s"), (59.96, "60.0 s"), (125, "2 min 05 s"), (7260, "2 h 01 min"), (190_000, "2 d 4 h")],
)
def test_durations(seconds: float, text: str) -> None:
    from datetime import timedelta

    assert duration_text(timedelta(seconds=seconds)) == text
