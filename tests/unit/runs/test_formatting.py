"""Values and durations as texts."""

from __future__ import annotations

import pytest

from vizkit.runs.formatting import clean, duration_text, shorten_all, value_text
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
    assert shorten_all(["x" * 50], 12) == ["xxxxx…xxxxxx"] and shorten_all([]) == []
