"""Documents are safe, in the reader's language, and come where they are asked for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qsl, quote, urljoin, urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import vizkit
from tests.helpers import PATIENCE

HOSTILE = "<script>alert(1)<img src=x onerror=alert(1)>\"'&% 🌡 \u202eabc"
CHINESE = {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.1"}
VIEWS = ["table", "run", "compare", "groups", "problems"]


class Site:
    """A served log, as a client that follows no redirect."""

    def __init__(self, logdir: Path) -> None:
        self.server = vizkit.serve(str(logdir))
        self.root = self.server.url.split("/vizkit/")[0] + "/vizkit/"
        self.client = httpx.Client(timeout=PATIENCE)

    def get(self, path: str = "", **options: object) -> httpx.Response:
        return self.client.get(urljoin(self.root, path), **options)  # type: ignore[arg-type]

    def close(self) -> None:
        self.client.close()
        self.server.stop()


class Elements(HTMLParser):
    """The elements of a document, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    root = tmp_path_factory.mktemp("routes") / "log</script>"
    with vizkit.LogWriter(root / "run") as writer:
        writer.add_scalar("loss", 1.0, 0)
    site = Site(root)
    yield site
    site.close()


@pytest.mark.parametrize("path", ["", quote(HOSTILE, safe="")])
def test_nothing_is_asked_of_another_site_and_nothing_runs_inline(site: Site, path: str) -> None:
    answer = site.get(path)
    assert answer.status_code == (404 if path else 200)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "script-src 'self'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    elements = Elements(answer.text).found
    links = [values.get(name, "") for _, values in elements for name in ("href", "src", "action")]
    assert any(links) and not [link for link in links if "//" in link or "javascript:" in link]
    attributes = {name for _, values in elements for name in values}
    assert not [name for name in attributes if name.startswith("on") or name == "style"]
    scripts = [values for tag, values in elements if tag == "script"]
    assert all("src" in values or values["type"] == "application/json" for values in scripts)
    assert len(scripts) == (0 if path else 2)


def test_a_view_that_is_none_is_said(site: Site) -> None:
    answer = site.get("no-such-view", headers=CHINESE)
    assert answer.status_code == 404 and "没有页面" in answer.text
    assert 'lang="zh-CN"' in answer.text and 'href="./"' in answer.text


def words(answer: httpx.Response) -> dict[str, str]:
    """The texts of the front end that a document brings along."""
    (found,) = re.findall('<script type="application/json" id="words">(.*?)</script>', answer.text)
    texts: dict[str, str] = json.loads(found)
    return texts


def test_the_language_is_asked_for_by_address_or_browser(site: Site) -> None:
    answer = site.get(headers=CHINESE)
    assert 'lang="zh-CN"' in answer.text and words(answer)["Charts"] == "图表"
    assert "Accept-Language" in answer.headers["vary"]
    english = site.get("?lang=en", headers=CHINESE)
    assert 'lang="en"' in english.text and words(english) == {}
    assert vizkit.language() == "en"


def test_without_scripts_the_page_says_what_to_do(site: Site) -> None:
    (told,) = re.findall("<noscript>(.*)</noscript>", site.get().text)
    assert "`vizkit ls`" in told and "`vizkit export`" in told


def test_static_files_are_those_that_were_built(site: Site) -> None:
    answer = site.get("static/built/workspace.css")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/css")
    for name in ("nothing.js", "..%2Froutes.py", "built/words.json", "page.css"):
        assert site.get("static/" + name).status_code == 404
    assert site.client.post(site.root).status_code == 405


def test_the_page_loads_all_scripts_that_it_begins_with_at_once(site: Site) -> None:
    links = [values for tag, values in Elements(site.get().text).found if tag == "link"]
    early = {values["href"] for values in links if values["rel"] == "modulepreload"}
    imported = re.findall(r'from"\./([^"]+)"', site.get("static/built/workspace.js").text)
    assert imported and early == {f"static/built/{name}" for name in imported}
    for path in early:
        assert "immutable" in site.get(str(path)).headers["cache-control"]


def test_what_has_not_changed_is_not_sent_again(site: Site) -> None:
    first = site.get()
    again = site.get(headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304 and not again.content


def test_visualdls_page_and_this_one_link_to_each_other(site: Site) -> None:
    visualdl = site.get("/app/index").text
    assert re.search(r'<a href="/vizkit/"[^>]*>VizKit</a>', visualdl)
    (body,) = [values for tag, values in Elements(site.get().text).found if tag == "body"]
    assert urljoin(site.root, body["data-visualdl"]).endswith("/app/index")
    assert site.client.get(site.root.rstrip("/")).headers["location"] == "vizkit/"


def test_the_page_needs_the_token_where_there_is_one(tmp_path: Path) -> None:
    with vizkit.LogWriter(tmp_path / "run") as writer:
        writer.add_scalar("loss", 1.0, 0)
    with vizkit.serve(str(tmp_path), token="s3cret") as server, httpx.Client(timeout=PATIENCE) as client:
        root = server.url.split("/vizkit/")[0] + "/vizkit/"
        assert client.get(root).status_code == client.get(root + "table").status_code == 401
        assert client.get(root, params={"token": "s3cret"}).status_code == 200
        assert client.get(root + "table").status_code == 302  # by the cookie


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    view=st.sampled_from(VIEWS),
    query=st.lists(
        st.tuples(
            st.sampled_from(["filter", "run", "group", "tag", "x", "scale", "columns", "hparam", "lang"]),
            st.one_of(texts, st.sampled_from(["own", "time", "log", "zh", "hparams.`a`"])),
        ),
        max_size=6,
    ),
)
def test_earlier_addresses_lead_to_the_workspace(site: Site, view: str, query: list[tuple[str, str]]) -> None:
    answer = site.get(view, params=tuple(query))
    assert answer.status_code == 302
    place = urlsplit(urljoin(str(answer.url), answer.headers["location"]))
    assert f"{place.scheme}://{place.netloc}{place.path}" == site.root
    led = parse_qsl(place.query)
    if view == "run":
        named = [value for name, value in query if name == "run"][-1:]
        assert [value for name, value in led if name == "run"] == [value for value in named if value]
    else:
        assert led[0][0] == "tab"
