"""Values and durations as texts."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizkit.runs.formatting import clean, duration_text, shorten_all, value_text, value_texts
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


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([0.1, 0.5, 0.123456], ["0.1", "0.5", "0.1235"]),
        ([0.123456789, 0.123456789 + 1e-12, 0.5], ["0.123456789", "0.123456789001", "0.5"]),
        ([1.0, 0.99999, 1.0], ["1", "0.99999", "1"]),
        ([12345678.0, 12345679.0, -12345678.0], ["12345678", "12345679", "-1.235e+07"]),
        ([0.1, math.nextafter(0.1, 1.0)], ["0.10000000000000001", "0.10000000000000002"]),
        ([math.nan, math.nan, math.inf, 3, None, MISSING], ["nan", "nan", "inf", "3", "None", ""]),
        ([1e-320, 2e-320, 1e308], ["1e-320", "2e-320", "1e+308"]),
    ],
)
def test_measured_values_that_differ_look_different(values: list[object], texts: list[str]) -> None:
    assert value_texts(values) == texts


@given(st.lists(st.floats(allow_nan=False), max_size=8))
def test_texts_are_equal_where_values_are(values: list[float]) -> None:
    texts = value_texts(values)
    for a, b in itertools.combinations(range(len(values)), 2):
        assert (texts[a] == texts[b]) == (values[a] == values[b])


def test_control_characters_are_escaped_and_long_texts_cut() -> None:
    assert clean("a\x1b[31m") == "a\\x1b[31m" and clean("x" * 40) == "x" * 31 + "…"
    assert clean("x" * 40, None) == "x" * 40


@pytest.mark.parametrize("longest", [16, 24, 40])
@pytest.mark.parametrize(
    "texts",
    [
        [f"ppyoloe_plus_crn_l_80e_coco_bs32_warmup{k}_with_a_long_end_that_is_equal" for k in range(12)],
        [f"lr{a}_{'common_' * 9}bs{b}_{'more_' * 9}seed{c}" for a in (0.1, 0.01) for b in "12" for c in "34"],
        ["a" * 60 + str(k) + "b" * 60 for k in range(12)],
        ["学习率很小的实验" * 9 + str(k) for k in range(12)],
        ["1_2_" + "x" * 50, "2_1_" + "x" * 50, "x" * 100_000, "-" * 100_000, "short"],
    ],
)
def test_long_names_are_cut_so_that_they_stay_different(texts: list[str], longest: int) -> None:
    cut = shorten_all([*texts, *texts], longest)
    assert cut[: len(texts)] == cut[len(texts) :]
    assert len(set(cut)) == len(texts) and max(map(len, cut)) <= longest


def test_names_are_cut_where_they_are_the_same() -> None:
    names = [f"experiment_resnet50_imagenet_lr0.{k}_seed{k}" for k in range(3)]
    assert shorten_all(names, 30)[1] == "experiment…lr0.1_seed1"
    assert shorten_all([*names, "base"], 60) == [*names, "base"]
    long = "averyveryverylongname_" * 6
    assert shorten_all([long + "a", long + "b", "c"], 30) == [
        "averyveryveryl…yverylongname_a",
        "averyveryveryl…yverylongname_b",
        "c",
    ]  # what they share says more than "…a"
    assert shorten_all(["x" * 50], 12) == ["xxxxx…xxxxxx"] and shorten_all([]) == []
