"""Routes: any request is answered, and nothing outside of the page and the log is read."""

from __future__ import annotations

import socket
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.server.served import FUZZ, harmless


@FUZZ
@given(
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]),
    path=st.lists(
        st.sampled_from(
            ["app", "api", "..", "%2e%2e", "visualdl-2.5.3", "static", "index.html", "scalar", "\0", "中"]
        ),
        max_size=6,
    ),
    tail=st.text(max_size=12),
    headers=st.dictionaries(
        st.sampled_from(
            ["Accept-Language", "Accept-Encoding", "If-None-Match", "Cookie", "Authorization", "Range"]
        ),
        st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30).map(str.strip),
    ),
)
def test_no_request_breaks_the_server(
    fuzzed: httpx.Client, method: str, path: list[str], tail: str, headers: dict[str, str]
) -> None:
    url = (
        "/" + "/".join(quote(part, safe="%") for part in path) + "/" + quote(tail, safe="", errors="replace")
    )
    harmless(fuzzed.request(method, url, headers=headers))


@pytest.mark.parametrize(
    "path",
    [
        "/app/../../../etc/passwd",
        "/app/%2e%2e/%2e%2e/template.py",
        "/app/visualdl-2.5.3/..%2f..%2fapp.py",
        "/app//etc/passwd",
        "/app/visualdl-2.5.3//etc/passwd",
    ],
)
def test_nothing_outside_is_read(fuzzed: httpx.Client, path: str) -> None:
    with socket.create_connection((fuzzed.base_url.host, fuzzed.base_url.port or 80)) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert b"root:" not in answer and b"import os" not in answer
