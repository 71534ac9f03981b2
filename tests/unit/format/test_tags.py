"""Tags that stock VisualDL can serve."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizkit.errors import TagError
from vizkit.format.tags import check_tag, clean_tag


@pytest.mark.parametrize(
    "tag", ["train/loss", "标签/损失", "a b", " a", "\u3000a", "é", "👍", "a/", "x" * 500]
)
def test_other_tags_are_kept(tag: str) -> None:
    assert check_tag(tag) == tag == clean_tag(tag)


@pytest.mark.parametrize(
    ("tag", "match", "better"),
    [
        ("", "must not be empty", "untitled"),
        ("  ", "must not be empty", "untitled"),
        ("/a", "begins with '/'", "a"),
        ("a%b", "holds '%'", "a_b"),
        ("a\nb\x00", "holds", "a_b_"),
        ("a\ud800", "holds", "a_"),
        (3, "must be text", "3"),
        (None, "must be text", "None"),
    ],
)
def test_a_tag_that_visualdl_misreads_is_refused_with_a_better_one(
    tag: object, match: str, better: str
) -> None:
    with pytest.raises(TagError, match=match):
        check_tag(tag)
    assert clean_tag(tag) == better


@given(st.text())
def test_a_cleaned_tag_is_taken(tag: str) -> None:
    assert check_tag(clean_tag(tag)) == clean_tag(tag)
