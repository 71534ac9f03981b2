"""VisualDL's page: its files, caching, languages."""

from __future__ import annotations

import pytest

import vizkit
from tests.helpers import get
from vizkit.errors import MissingDependencyError
from vizkit.server.visualdl.stock import find_package


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
        ("zh;q=1.2.3,en;q=0.1", "en"),
        ("", "en"),
    ],
)
def test_any_language_is_answered(server: vizkit.Server, accepted: str, language: str) -> None:
    page = get(server.visualdl_url, headers={"Accept-Language": accepted})
    assert page.status_code == 200
    assert page.cookies["vdl_lng"] == language


def test_the_icons_are_there(server: vizkit.Server) -> None:
    origin = f"http://127.0.0.1:{server.port}"
    assert get(f"{origin}/favicon.ico").headers["content-type"] == "image/x-icon"
    icon = get(f"{origin}/app/icons/dragger.svg")  # the page asks for it, and VisualDL has none
    assert icon.status_code == 200 and icon.headers["content-type"] == "image/svg+xml"
    assert get(f"{origin}/app/icons/nothing.svg").status_code == 404


def test_the_page_must_be_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vizkit.server.visualdl.stock.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match="pip install visualdl"):
        find_package()
