"""Values and durations as texts."""

from __future__ import annotations

import pytest

from vizkit.runs.formatting import clean, duration_text, value_text
from vizkit.runs.query import MISSING


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0 s"), (59.96, "60.0 s"), (125, "2 min 05 s"), (7260, "2 h 01 min"), (190_000, "2 d 4 h")],
)
def test_durations(seconds: float, text: str) -> None:
    from datetime import timedelta

    assert duration_text(timedelta(seconds=seconds)) == text


def test_values_are_short() -> None:
    assert [value_text(value) for value in (MISSING, None, 0.123456, 3, "Adam")] == [
        "", "None", "0.1235", "3", "Adam",
    ]  # fmt: skip
    assert duration_text(None) == ""


def test_control_characters_are_escaped_and_long_texts_cut() -> None:
    assert clean("a\x1b[31m") == "a\\x1b[31m" and clean("x" * 40) == "x" * 31 + "…"
    assert clean("x" * 40, None) == "x" * 40
