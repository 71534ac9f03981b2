"""Documents are safe, and come where they are asked for."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urljoin

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import vizkit
from tests.helpers import PATIENCE
from vizkit.server.workspace.address import Address

from .site import Document, Site, names

HOSTILE = "<script>alert(1)</script>\"'&%2F 🌡 \u202eabc"


TAG = "loss " + HOSTILE.replace("%", "")


def test_names_from_a_log_are_text_and_never_markup(tmp_path: Path) -> None:
    run = "<img src=x onerror=alert(1)>'%20 &amp; 🌡 " + "x" * 150
    for name in (run, "other"):
        with vizkit.LogWriter(str(tmp_path / "log" / name)) as writer:
            writer.add_hparams({HOSTILE: HOSTILE if name == run else "b", "`tick`": 1.5}, [TAG])
            for step in range(3):
                writer.add_scalar(TAG, step + 0.5, step)
            writer.add_text("note", f"</pre>{HOSTILE}", 0)
    site = Site(tmp_path / "log")
    try:
        tag, key = TAG, HOSTILE
        pages = [
            site.get(),
            site.get(sort=f"`{tag}`.best", order="desc"),
            site.get("run", run=run, tag=tag),
            site.get("compare", run=[run, "other"], tag=tag),
            site.get("groups", group=key, tag=tag),
            site.get("groups", group="`tick`", tag=tag),
            site.get(filter=HOSTILE, sort=HOSTILE),
            site.get("run", status=404, run=HOSTILE),
            site.get("groups", group=f"{HOSTILE} no", tag=HOSTILE),
        ]
        for page in pages:
            assert [script.attributes["src"] for script in page.all("script")] == ["static/page.js"]
            assert not page.all("img") and not page.all("style")
            attributes = {name for element in page.all() for name in element.attributes}
            assert not [name for name in attributes if name.startswith("on") or name == "style"]
        assert names(pages[0]) == [run, "other"] and names(pages[1]) == [run, "other"]
        assert pages[2].one("pre").content == [f"</pre>{HOSTILE}"]
        assert len(pages[4].one("svg", class_="chart").all("path", class_="line")) == 2
        for link in pages[4].all("table")[0].all("a"):
            assert len(names(site.follow(link))) == 1  # each value is a group of one run
    finally:
        site.close()


def test_nothing_is_asked_of_another_site_and_nothing_runs_inline(site: Site) -> None:
    for path in ("", "table", "run?run=batch32-0", "compare?filter=seed==0", "groups?group=seed", "problems"):
        answer = site.client.get(site.root + path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and "script-src 'self'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        elements = Document(answer.text).root.all()
        links = [e.attributes.get(name, "") for e in elements for name in ("href", "src", "action")]
        assert any(links) and not [link for link in links if "//" in link or "javascript:" in link]
    for name in ("page.css", "page.js", "built/workspace.css"):
        answer = site.client.get(site.root + "static/" + name)
        assert answer.status_code == 200 and "//" not in answer.text.replace("// ", "")
    assert site.client.get(site.root + "static/..%2Froutes.py").status_code == 404
    assert site.client.post(site.root).status_code == 405


def test_what_has_not_changed_is_not_sent_again(site: Site) -> None:
    first = site.client.get(site.root)
    again = site.client.get(site.root, headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304 and not again.content


def test_visualdls_page_and_this_one_link_to_each_other(site: Site) -> None:
    visualdl = site.client.get(urljoin(site.root, "/app/index")).text
    assert re.search(r'<a href="/vizkit/"[^>]*>VizKit</a></body>', visualdl)
    (link,) = [a for a in site.get().one("header").all("a") if a.text == "VisualDL"]
    assert urljoin(site.root, link.attributes["href"]).endswith("/app/index")
    assert site.client.get(site.root.rstrip("/")).headers["location"] == "vizkit/"


def test_the_page_needs_the_token_where_there_is_one(log: Path) -> None:
    with vizkit.serve(str(log), token="s3cret") as server, httpx.Client(timeout=PATIENCE) as client:
        root = server.url.split("/app/")[0] + "/vizkit/"
        assert client.get(root).status_code == 401
        assert client.get(root, params={"token": "s3cret"}).status_code == 200
        assert client.get(root + "groups").status_code == 200  # by the cookie


WORDS = ["seed", "batch32-0", "`eval/acc`.best", "batch*", "rate", "log", "time", "desc", "own"]


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    view=st.sampled_from(["", "table", "run", "compare", "groups", "problems"]),
    query=st.lists(
        st.tuples(
            st.sampled_from([*Address.__dataclass_fields__]),
            st.one_of(texts, st.sampled_from(WORDS)),
        ),
        max_size=6,
    ),
)
def test_no_query_makes_the_server_fail(site: Site, view: str, query: list[tuple[str, str]]) -> None:
    answer = site.client.get(site.root + view, params=tuple(query))
    assert answer.status_code in (200, 404)
    Document(answer.text)


def test_a_file_that_is_not_there_is_404(site: Site) -> None:
    assert site.client.get(site.root + "static/nothing.js").status_code == 404
