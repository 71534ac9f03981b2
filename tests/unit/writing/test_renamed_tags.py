"""Tags that VisualDL could not serve get better ones, with one warning each."""

from __future__ import annotations

import pytest

from vizkit import TagError, VizKitWarning
from vizkit.writing.renamed_tags import RenamedTags

KINDS = {"loss": "scalar", "loss/text": "image"}


@pytest.mark.parametrize(
    ("kind", "tag", "better"),
    [
        ("scalar", "/loss", "loss"),
        ("scalar", "a%b", "a_b"),
        ("text", "loss", "loss/text/text"),
        ("histogram", "loss", "loss/histogram"),
        ("text", "", "untitled"),
        ("evaluation", "eval", "eval/evaluation"),  # a tag below it is taken
    ],
)
def test_a_better_tag_is_found_and_warned_about_once(kind: str, tag: str, better: str) -> None:
    tags = RenamedTags()
    with pytest.warns(VizKitWarning, match=f"no such tag; recorded as '{better}'") as warned:
        for _ in range(3):
            assert tags.rename(kind, tag, TagError("no such tag"), KINDS.get) == better
    assert len(warned) == 1
    assert tags == {(kind, tag): better}
