"""Every `Accept-Language` has a page, in English or Chinese."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

import vizkit

from .conftest import watched
from .visualdl_page import VisualDLPage

pytestmark = pytest.mark.browser

LANGUAGES = {
    "*": "en",
    "": "en",
    "xx": "en",
    "zh-TW": "zh",
}
WORDS = {"en": ("Scalars", "1 of 1 drawn"), "zh": ("标量数据", "已绘制 1/1")}


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    root = tmp_path_factory.mktemp("languages") / "log"
    with vizkit.LogWriter(root / "run") as writer:
        writer.add_scalar("train/loss", 0.5, 0)
    with vizkit.serve(root) as server:
        yield f"http://127.0.0.1:{server.port}"


@pytest.mark.parametrize(("accepted", "language"), LANGUAGES.items())
def test_any_accepted_language_has_a_page(
    chromium: Browser, origin: str, request: pytest.FixtureRequest, accepted: str, language: str
) -> None:
    # A context for each: the page keeps its language in the browser.
    context = chromium.new_context(viewport={"width": 1400, "height": 1000})
    page = VisualDLPage(context.new_page(), origin)
    scalars, runs = WORDS[language]
    with watched(page, request.node.name):
        page.page.set_extra_http_headers({"Accept-Language": accepted})
        with page.page.expect_request("**/app/index") as asked:
            page.open("index")
        assert asked.value.header_value("Accept-Language") == accepted
        expect(page.page.locator("nav .nav-text").first).to_have_text(scalars, ignore_case=True)
        page.open("../vizkit/")
        expect(page.page.locator("aside [role=status]")).to_have_text(runs)
    context.close()
