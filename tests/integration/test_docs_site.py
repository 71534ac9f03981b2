"""The documentation's site builds without a warning, and its reference has every public name."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from playwright.sync_api import Page, expect, sync_playwright

import vizkit
from tests.browser.visualdl_page import BROWSER_ARGS
from tests.helpers import ROOT, find_browser
from vizkit._locks import hold_directory

pytest.importorskip("sphinx")

PACKAGES = [
    "vizkit",
    "vizkit.data",
    "vizkit.environment",
    "vizkit.hooks",
    "vizkit.hooks.suites",
    "vizkit.metrics",
    "vizkit.plots",
    "vizkit.repair",
]
CLASSES = [vizkit.Tracker, vizkit.LogWriter, vizkit.Run, vizkit.Runs, vizkit.Server]
OF_SEQUENCES = {"count", "index"}  # Python's own


def _builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_build", ROOT / "docs" / "build.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site in both languages, built once for all workers; a warning is an error."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ and os.name != "nt":
        root = root.parent
    out = root / "docs" / "html"
    out.parent.mkdir(exist_ok=True)
    with hold_directory(out.parent, seconds=600):
        if not (out / "index.html").exists():
            _builder().build(out)
    return out


@pytest.fixture
def page(site: Path) -> Iterator[Page]:
    """A browser that is as narrow as a telephone, at the site."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=BROWSER_ARGS)
        page = browser.new_page(viewport={"width": 390, "height": 800}, locale="zh-CN")
        page.set_default_timeout(120_000)  # the machine may be busy
        yield page
        browser.close()


def test_links_within_the_site_lead_somewhere(site: Path) -> None:
    broken, external = _builder().check_links(site)
    assert broken == []
    assert all(link.startswith("https://") for link in external)


def test_every_public_name_is_in_the_reference(site: Path) -> None:
    packed = (site / "en" / "objects.inv").read_bytes().split(b"\n", 4)[4]
    described = set(re.findall(r"^(\S+) py:", zlib.decompress(packed).decode(), re.MULTILINE))
    public = {
        f"{package}.{name}"
        for package in PACKAGES
        for name in getattr(importlib.import_module(package), "__all__", ())
    }
    assert len(public) > 60
    methods = {
        f"vizkit.{cls.__name__}.{name}"
        for cls in CLASSES
        for name in dir(cls)
        if not name.startswith("_") and name not in OF_SEQUENCES
    }
    assert (public | methods) - described == set()


def test_both_languages_have_the_same_pages(site: Path) -> None:
    english, chinese = (
        {str(path.relative_to(site / language)) for path in (site / language).rglob("*.html")}
        for language in ("en", "zh_CN")
    )
    assert english == chinese


def test_nothing_is_left_untranslated(tmp_path: Path) -> None:
    """`python docs/build.py --catalogs` adds new texts to the catalogs; then they are to be translated."""
    assert _builder().missing_translations(tmp_path / "gettext") == []


def test_the_marks_of_translated_texts_are_rendered(site: Path) -> None:
    for path in [*site.glob("zh_CN/guides/*.html"), *site.glob("zh_CN/tutorial/*.html")]:
        text = re.sub(r"<(pre|code|script)[ >].*?</\1>", "", path.read_text("utf-8"), flags=re.DOTALL)
        assert "**" not in text, path
        assert "](" not in text, path


@pytest.mark.browser
@pytest.mark.parametrize(
    ("language", "words", "found"),
    [("en", "confusion matrix", "Recording"), ("zh_CN", "混淆矩阵", "记录"), ("zh_CN", "log_image", "记录")],
)
def test_search_finds_words(site: Path, page: Page, language: str, words: str, found: str) -> None:
    page.goto(f"{site.as_uri()}/{language}/search.html?q={words}")
    expect(page.locator("#search-results li a", has_text=re.compile(f"^{found}$")).first).to_be_visible(
        timeout=120_000
    )


@pytest.mark.browser
def test_pages_fit_a_telephone(site: Path, page: Page) -> None:
    for path in sorted([*site.glob("*/*.html"), *site.glob("*/[gt]*/*.html")]):
        page.goto(path.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path


@pytest.mark.browser
def test_a_page_leads_to_the_same_page_in_the_other_language(site: Path, page: Page) -> None:
    page.goto((site / "index.html").as_uri())
    page.wait_for_url("**/zh_CN/index.html")  # the browser's language
    page.goto((site / "en" / "guides" / "hooks.html").as_uri())
    page.locator(".languages a").evaluate("link => link.click()")  # in the sidebar, which is closed
    page.wait_for_url("**/zh_CN/guides/hooks.html")
    assert page.locator(".languages [aria-current]").text_content() == "中文"
