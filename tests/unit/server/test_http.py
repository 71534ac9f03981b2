"""Answers are compressed, and sent once."""

from __future__ import annotations

import vizkit
from tests.helpers import get


def test_answers_are_packed_and_not_sent_twice(server: vizkit.Server) -> None:
    url = f"http://127.0.0.1:{server.port}/app/api/histogram/list"
    query = {"run": "run2", "tag": "weights/fc"}
    first = get(url, params=query)
    assert first.headers["content-encoding"] == "gzip"
    again = get(url, params=query, headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304 and not again.content
