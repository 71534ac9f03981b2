"""Likeness of texts: equal to the tables of the textbook, and to what seqeval documents."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizkit.metrics.texts import EntityCounts, TextScores, edit_distance, entities_of, looks_like_tags


def expected_distance(one: Any, other: Any) -> int:
    """The table of Wagner and Fischer."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        above, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            above, row[j] = row[j], min(above + (a != b), row[j] + 1, row[j - 1] + 1)
    return row[-1]


@given(st.text("ab中", max_size=90), st.text("ab中", max_size=90))
def test_edit_distance_is_that_of_the_table(one: str, other: str) -> None:
    assert edit_distance(one, other) == expected_distance(one, other) == edit_distance(other, one)


@given(st.lists(st.text("xy", max_size=2), max_size=12), st.lists(st.text("xy", max_size=2), max_size=12))
def test_edit_distance_of_words(one: list[str], other: list[str]) -> None:
    assert edit_distance(one, other) == expected_distance(one, other)


def test_rates_are_of_all_texts_together() -> None:
    scores = TextScores()
    for label, prediction in (("kitten sits", "sitting sits"), ("中文", "中文"), ("", "a")):
        scores.add(label, prediction)
    assert scores.numbers() == pytest.approx(
        {
            "exact match": 1 / 3,
            "edit distance": (3 + 0 + 1) / 3,
            "edit similarity": (1 - 3 / 12 + 1 + 0) / 3,
            "cer": 4 / 13,
            "wer": 2 / 3,
        }
    )


def test_labels_without_characters_have_no_rates() -> None:
    scores = TextScores()
    scores.add("", "")
    assert scores.numbers() == {"exact match": 1, "edit distance": 0, "edit similarity": 1}


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("B-PER I-PER O B-LOC", [("PER", 0, 2), ("LOC", 3, 4)]),  # seqeval's own example
        ("I-PER I-PER O", [("PER", 0, 2)]),
        ("B-PER B-PER I-LOC", [("PER", 0, 1), ("PER", 1, 2), ("LOC", 2, 3)]),
        ("B-X I-X E-X S-X I-X", [("X", 0, 3), ("X", 3, 4), ("X", 4, 5)]),
        ("O O", []),
        ("", []),
    ],
)
def test_entities(tags: str, expected: Any) -> None:
    assert entities_of(tags.split()) == expected


def test_entities_that_are_found() -> None:
    """seqeval's example: ``f1_score`` of it is 0.5."""
    counts = EntityCounts()
    counts.add(
        ["O", "O", "O", "B-MISC", "I-MISC", "I-MISC", "O"],
        ["O", "O", "B-MISC", "I-MISC", "I-MISC", "I-MISC", "O"],
    )
    counts.add(["B-PER", "I-PER", "O"], ["B-PER", "I-PER", "O"])
    assert counts.numbers() == {"entity precision": 0.5, "entity recall": 0.5, "entity f1": 0.5}
    assert EntityCounts().numbers()["entity f1"] == 0


def test_what_looks_like_tags() -> None:
    assert looks_like_tags(["O", "B-PER", "I-PER"])
    assert not looks_like_tags(["O", "Bird"]) and not looks_like_tags(["B-PER", "I-PER"])
