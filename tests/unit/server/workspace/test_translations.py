"""English and Chinese."""

from __future__ import annotations

import vizkit

from .site import Document, Site


def test_the_language_is_asked_for_by_address_or_browser(site: Site) -> None:
    chinese = {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.1"}
    answer = site.client.get(site.root + "table", headers=chinese)
    page = Document(answer.text).root
    assert page.one("html").attributes["lang"] == "zh-CN" and page.one("h1").text.startswith("6 个运行")
    assert "Accept-Language" in answer.headers["vary"]
    english = Document(site.client.get(site.root + "table?lang=en", headers=chinese).text).root
    assert english.one("h1").text.startswith("6 runs")
    links = english.one("nav").all("a")
    assert len(links) == 3 and all("lang=en" in link.attributes["href"] for link in links)


def test_what_python_says_is_in_the_language_of_the_page(site: Site) -> None:
    texts = {}
    for language in ("en", "zh"):
        page = Document(site.client.get(site.root + f"table?lang={language}&filter=nothing").text).root
        texts[language] = page.one("p", role="alert").text
    assert texts["en"].startswith("there is no hyper-parameter, tag or field 'nothing'")
    assert texts["zh"].startswith("没有超参数、标签或字段 'nothing'")
    assert vizkit.language() == "en"
