"""Tags of every kind go the whole way: tracker, log, frames, tables, both APIs, pages."""

from __future__ import annotations

import tempfile
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vizkit
from tests.helpers import api, stock
from tests.unit.server.workspace.api.client import Client
from vizkit.format.tags import RESERVED, clean_tag

PIECES = (
    *("train", "loss", "/", "//", ".", " ", "a b", "0", "_", "-", "=", "{", "}", "*", "?", "[0]", "@1", "~"),
    *("中文", "损失", "é", "e\u0301", "ß", "İ", "\u3000", "\u00a0", "\u200b", "\ufeff"),
    *("שלום", "مرحبا", "\u202e", "\u2066", "\u2069"),
    *("😀", "👩\u200d🚀", "🏳\ufe0f\u200d🌈", "𝔘"),
    *("\n", "\t", "\0", "\x1b[31m", "\x7f", "\x85", "\ud800", "%", "%2F", "%00"),
    *("<script>alert(1)</script>", "&amp;", '"', "'", "`", "\\", "../..", "#", ";", ",", "+"),
)
SHORT = st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join)
LONG = st.tuples(SHORT, st.sampled_from([1_000, 4_096, 10_000])).map(
    lambda drawn: (drawn[0] * drawn[1])[: drawn[1]]
)
TAGS = st.lists(
    st.one_of(SHORT, SHORT, LONG, st.text(min_size=1)), min_size=1, max_size=4, unique_by=clean_tag
).map(lambda tags: [tag for tag in tags if clean_tag(tag) not in RESERVED])
MOST_OF_ADDRESS, MOST_OF_PARAMETER = 24 << 10, 4096


@pytest.mark.filterwarnings("ignore::vizkit.errors.VizKitWarning")
@settings(max_examples=12)
@given(TAGS)
def test_what_is_accepted_is_shown_everywhere(tags: list[str]) -> None:
    expected = {clean_tag(tag): float(number) + 0.1 for number, tag in enumerate(tags)}
    with tempfile.TemporaryDirectory() as directory:
        with vizkit.Tracker(Path(directory, "run"), system=False, quiet=True) as tracker:
            for tag, value in zip(tags, expected.values(), strict=True):
                tracker.log({tag: value}, step=7)
            assert not tracker.lost
        (run,) = runs = vizkit.load(directory)
        assert {tag: run.last(tag)[:2] for tag in run.scalar_tags} == {
            tag: (7, value) for tag, value in expected.items()
        }
        table = runs.table(run.scalar_tags, "max")
        assert {tag: table[f"{tag}.last"]["run"] for tag in expected} == expected
        assert str(runs) and runs._repr_html_() and str(run)
        for tag, value in expected.items():
            assert abs(stock(Path(directory, "run"), "scalar", tag)[0].value - value) < 1e-6
        with vizkit.serve(directory) as server:
            pages_show(server, expected)


def pages_show(server: vizkit.Server, expected: dict[str, float]) -> None:
    """The values are in both APIs, and the names among what is known of the run, whatever they hold.

    An address, and a parameter of VizKit's own API, has a length that is refused beyond.
    """
    listed = api(server, "scalar/tags")
    assert set(listed["tags"][listed["runs"].index("run")]) == set(expected)
    client = Client(server.port)
    scalars = client.json("run", run="run")["scalars"]
    assert {tag: numbers["last"] for tag, numbers in scalars.items()} == expected
    for tag, value in expected.items():
        if len(str(httpx.URL("/", params={"tag": tag}))) > MOST_OF_ADDRESS:
            assert client.get("curves", tag=tag).status_code in (414, 431)
            continue
        assert [row[1:] for row in api(server, "scalar/list", run="run", tag=tag)] == [[7, value]]
        if len(tag) > MOST_OF_PARAMETER:
            assert client.get("curves", tag=tag).status_code == 400
            continue
        (curve,) = client.curves(tag=tag, width=100)["curves"]
        assert (curve["arrays"]["x"].tolist(), curve["arrays"]["y"].tolist()) == ([7], [value])
    client.http.close()
