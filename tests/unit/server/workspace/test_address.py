"""Addresses hold all that a view depends on."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from hypothesis import given
from hypothesis import strategies as st

from vizkit.server.workspace.address import Address

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


tuples = st.lists(texts.filter(bool), max_size=3, unique=True).map(tuple)


@given(filter=texts.map(str.strip), sort=texts, group=texts, tag=texts, run=tuples, metric=tuples)
def test_an_address_says_all_that_it_was_made_of(**given: object) -> None:
    more = {"order": "desc", "page": 7, "rows": 100, "columns": "own", "x": "time", "scale": "log"}
    address = Address(**given, **more, lang="zh")  # type: ignore[arg-type]
    query = urlsplit(address.but("run")).query
    assert Address.read(parse_qsl(query, keep_blank_values=True)) == address
