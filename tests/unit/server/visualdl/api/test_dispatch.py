"""Requests to the API: missing runs, slow endpoints, and any query."""

from __future__ import annotations

import time
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import vizkit
from tests.helpers import api, get
from tests.unit.server.served import FUZZ, harmless
from vizkit.server.visualdl.api.dispatch import ENDPOINTS
from vizkit.server.visualdl.api.endpoint import APIRequest, Endpoint


def test_what_is_not_there_is_empty_and_quick(server: vizkit.Server) -> None:
    for path in ("scalar/list", "image/list", "histogram/list", "pr-curve/list", "text/list"):
        assert api(server, path, run="nobody", tag="nothing") == []
        assert api(server, path, run="run1", tag="nothing") == []
    assert api(server, "hparams/metric", run="nobody", metric="x") == []
    for path in ("image/image", "audio/audio", "text/text"):
        url = f"http://127.0.0.1:{server.port}/app/api/{path}"
        assert get(url, params={"run": "run1", "tag": "nothing", "index": 3}).status_code == 404
    answer = get(f"http://127.0.0.1:{server.port}/app/api/nope").json()
    assert answer == {"status": 1, "msg": "api not found", "data": None}
    assert "run" in get(f"http://127.0.0.1:{server.port}/app/api/scalar/list").json()["msg"]


def test_an_answer_may_take_longer_than_a_connection_idles(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vizkit.server.server._IDLE_TIMEOUT", 2)
    monkeypatch.setitem(ENDPOINTS, "slow", Endpoint(lambda request: time.sleep(2.5), depends_on=""))
    with vizkit.serve(root) as server:
        assert api(server, "slow") is None


WORDS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        [
            "run",
            "other",
            "x",
            "../../etc/passwd",
            "%",
            "/",
            ".",
            "\0",
            "nan",
            "-1",
            "99999999999999999999",
            "1e400",
            "csv",
        ]
    ),
)


QUERIES = st.dictionaries(
    st.sampled_from(
        ["run", "tag", "index", "ts", "type", "name", "metric", "nodeid", "expand", "refresh", "is_node"]
    ),
    WORDS,
)


@FUZZ
@given(path=st.sampled_from(sorted(ENDPOINTS)), query=QUERIES)
def test_no_query_breaks_an_endpoint(fuzzed: httpx.Client, path: str, query: dict[str, str]) -> None:
    harmless(fuzzed.get(f"/app/api/{path}", params=query))


def test_a_fault_of_one_endpoint_is_a_message_and_not_a_traceback(
    fuzzed: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(request: APIRequest) -> None:
        raise KeyError("the run was deleted just now")

    def broken(request: APIRequest) -> None:
        raise RuntimeError("secret")

    monkeypatch.setitem(ENDPOINTS, "gone", Endpoint(gone))
    monkeypatch.setitem(ENDPOINTS, "broken", Endpoint(broken))
    assert fuzzed.get("/app/api/gone").json() == {"status": -1, "msg": "gone: KeyError", "data": None}
    assert fuzzed.get("/app/api/broken").json() == {
        "status": -1,
        "msg": "broken failed; the server's log says why",
        "data": None,
    }
