"""English and Chinese."""

from __future__ import annotations

import re

from tests.helpers import ROOT
from vizkit.server.workspace.translations import CHINESE

from .site import Document, Site

TEMPLATES = ROOT / "vizkit/server/workspace/templates"


def test_the_language_is_asked_for_by_address_or_browser(site: Site) -> None:
    chinese = {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.1"}
    answer = site.client.get(site.root, headers=chinese)
    page = Document(answer.text).root
    assert page.one("html").attributes["lang"] == "zh-CN" and page.one("h1").text.startswith("6 个实验")
    assert "Accept-Language" in answer.headers["vary"]
    english = Document(site.client.get(site.root + "?lang=en", headers=chinese).text).root
    assert english.one("h1").text.startswith("6 runs")
    links = english.one("nav").all("a")
    assert len(links) == 3 and all("lang=en" in link.attributes["href"] for link in links)


def test_every_word_of_the_templates_is_translated_and_none_is_left_over() -> None:
    text = "".join(path.read_text("utf-8") for path in TEMPLATES.glob("*.html"))
    said = set(re.findall(r"""\bt\("([^"]+)"\)""", text))
    assert said <= set(CHINESE)
    code = text + "".join(path.read_text("utf-8") for path in TEMPLATES.parent.glob("[!t]*.py"))
    statuses = {"running", "finished", "failed", "interrupted", "killed", "unknown"}
    assert {word for word in CHINESE if f'"{word}"' not in code} - statuses == set()
