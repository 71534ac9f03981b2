"""VisualDL's page: its files, caching, languages."""

from __future__ import annotations

import pytest

import vizkit
from tests.helpers import get


def test_files_of_the_page_are_kept_for_good(server: vizkit.Server) -> None:
    origin = f"http://127.0.0.1:{server.port}"
    document = get(f"{origin}/app/index").text
    assert "{{" not in document
    path = document.partition("src=/app/visualdl-")[2].partition("/_dist_/")[0]
    file = get(f"{origin}/app/visualdl-{path}/_dist_/App.js")
    assert file.status_code == 200 and "immutable" in file.headers["cache-control"]
    settings = get(f"{origin}/app/__snowpack__/env.local.js")
    assert settings.headers["cache-control"] == "no-cache"
    assert 'TELEMETRY_ID=""' in settings.text and '"/app/api"' in settings.text


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("zh-CN,zh;q=0.9", "zh"),
        ("de", "en"),
        ("*", "en"),
        ("en;q=0.1,zh;q=0.8", "zh"),
        (";;q=x,,", "en"),
        ("", "en"),
    ],
)
def test_any_language_is_answered(server: vizkit.Server, accepted: str, language: str) -> None:
    page = get(server.url, headers={"Accept-Language": accepted})
    assert page.status_code == 200
    assert page.cookies["vdl_lng"] == language
