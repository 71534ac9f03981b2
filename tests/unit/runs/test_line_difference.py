"""Two texts side by side: every line of both is in its place, and what is alike is left out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vizkit.runs.line_difference import LinePair, entry_difference, line_difference

LINES = st.lists(st.sampled_from(["a", "b", "c", "", "long"]), max_size=30)


@given(LINES, LINES)
def test_both_texts_can_be_read_from_it(a: list[str], b: list[str]) -> None:
    rows = line_difference(a, b)
    if a == b:
        assert rows == []
        return
    for side, text in ((0, a), (1, b)):
        at = 0
        for row in rows:
            if row.kind == "skipped":
                at += row.skipped
                continue
            number, line = (row.line_a, row.text_a) if side == 0 else (row.line_b, row.text_b)
            if number is not None:
                assert (number, line) == (at + 1, text[at])
                at += 1
        assert at == len(text)
    for row in rows:
        alike = row.text_a == row.text_b
        assert row.kind == "skipped" or (row.kind == "same") is alike
        assert (row.kind == "removed") is (row.text_b is None and row.text_a is not None)


def test_three_lines_around_a_difference_are_kept() -> None:
    a = [f"line {n}" for n in range(20)]
    b = [*a[:10], "other", *a[11:], "more"]
    rows = line_difference(a, b)
    assert [row.kind for row in rows] == [
        "skipped", *["same"] * 3, "changed", *["same"] * 3, "skipped", *["same"] * 3, "added",
    ]  # fmt: skip
    assert (rows[0].skipped, rows[8].skipped) == (7, 3)
    assert rows[4] == LinePair("changed", 11, "line 10", 11, "other")
    assert rows[-1] == LinePair("added", None, None, 21, "more")


@given(*[st.dictionaries(st.sampled_from("abcdefghijkl"), st.sampled_from(["1", "2"]))] * 2)
def test_entries_stand_beside_those_of_their_name(a: dict[str, str], b: dict[str, str]) -> None:
    sides = [{name: f"{name}={value}" for name, value in side.items()} for side in (a, b)]
    rows = entry_difference(*sides)
    assert bool(rows) is (a != b)
    for row in rows:
        names = {text[0] for text in (row.text_a, row.text_b) if text}
        assert row.kind == "skipped" or len(names) == 1
    differ = {name for name in {*a, *b} if a.get(name) != b.get(name)}
    assert differ == {
        (row.text_a or row.text_b or "")[:1] for row in rows if row.kind not in ("same", "skipped")
    }
