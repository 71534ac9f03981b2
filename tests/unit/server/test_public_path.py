"""The path that a proxy puts before the server's own: in redirects, cookies and templates."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import vizkit
from tests.helpers import PATIENCE
from vizkit.server.public_path import checked_public_path

PUBLIC = "/user/a~b/proxy/8040"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    with vizkit.LogWriter(tmp_path / "log" / "run") as writer:
        writer.add_scalar("loss", 1.0, 0)
    return tmp_path / "log"


@pytest.fixture
def client(log: Path) -> Iterator[httpx.Client]:
    with vizkit.serve(log, public_path=f"{PUBLIC}/") as server:
        assert server.visualdl_url == f"http://127.0.0.1:{server.port}{PUBLIC}/app/index"
        assert server.url == f"http://127.0.0.1:{server.port}{PUBLIC}/vizkit/"
        with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=PATIENCE) as client:
            yield client


@pytest.mark.parametrize("passed_on", ["", PUBLIC])
def test_answers_name_the_public_path_whether_it_is_passed_on_or_not(
    passed_on: str, client: httpx.Client
) -> None:
    for path, target in (
        ("/", "/vizkit/?lang=zh"),
        ("/app", "/app/index?lang=zh"),
        ("/vizkit", "/vizkit/?lang=zh"),
    ):
        answer = client.get(f"{passed_on}{path}?lang=zh")
        assert (answer.status_code, answer.headers["location"]) == (302, PUBLIC + target)
    page = client.get(f"{passed_on}/app/index")
    assert f'href="{PUBLIC}/vizkit/"' in page.text and f"href={PUBLIC}/app/visualdl-" in page.text
    text = page.text.replace('.indexOf("/app/")', "")  # of the script that finds a path it was not told
    assert "/app/" not in text.replace(f"{PUBLIC}/app/", "")
    assert f"Path={PUBLIC}/;" in page.headers["set-cookie"]
    settings = client.get(f"{passed_on}/app/__snowpack__/env.local.js").text
    assert f'API_URL="{PUBLIC}/app/api"' in settings and f'BASE_URI="{PUBLIC}/app"' in settings
    assert client.get(f"{passed_on}/vizkit/api/runs").json()["total"] == 1
    assert client.get(f"{passed_on}/app/api/runs").status_code == 200
    if passed_on:
        assert client.get(passed_on).headers["location"] == f"{PUBLIC}/vizkit/"
        assert client.get(f"{passed_on}x/vizkit/").status_code == 404


def test_a_proxy_may_name_it(log: Path) -> None:
    with vizkit.serve(log) as server, httpx.Client(timeout=PATIENCE) as client:
        root = f"http://127.0.0.1:{server.port}"
        for prefix in (PUBLIC, "/user/a%40b"):
            page = client.get(f"{root}/app/index", headers={"X-Forwarded-Prefix": prefix})
            assert f"href={prefix}/app/visualdl-" in page.text
        for wrong in (
            "//example.com",
            '/a"b',
            "/<b>",
            "/a/../b",
            "a",
            "/app",
            "/app/x",
            "/" + "a" * 600,
        ):
            page = client.get(f"{root}/app/index", headers={"X-Forwarded-Prefix": wrong})
            assert "href=/app/visualdl-" in page.text
        plain = client.get(f"{root}/app/index")
        assert "href=/app/visualdl-" in plain.text and "Path=/;" in plain.headers["set-cookie"]


def test_redirects_are_relative_where_no_path_is_known(log: Path) -> None:
    wanted = {"/": "vizkit/", "/app": "app/index", "/app/": "index", "/vizkit": "vizkit/"}
    with vizkit.serve(log) as server:
        for path, target in wanted.items():
            answer = httpx.get(f"http://127.0.0.1:{server.port}{path}", timeout=PATIENCE)
            assert answer.headers["location"] == target


def test_the_token_is_kept_for_the_public_path_alone(log: Path) -> None:
    with vizkit.serve(log, public_path=PUBLIC, token="secret") as server:
        root = f"http://127.0.0.1:{server.port}"
        with httpx.Client(timeout=PATIENCE) as client:
            assert client.get(f"{root}{PUBLIC}/vizkit/").status_code == 401
            answer = client.get(f"{root}{PUBLIC}/vizkit/?token=secret")
            assert f"Path={PUBLIC}/;" in answer.headers["set-cookie"]
            assert client.get(f"{root}{PUBLIC}/vizkit/").status_code == 200
            assert client.get(f"{root}/vizkit/").status_code == 401  # no cookie


def test_with_edit_a_public_path_needs_a_token(log: Path) -> None:
    with vizkit.serve(log, edit=True, public_path=PUBLIC) as server:
        assert server.token


@pytest.mark.parametrize(
    "path", ["proxy", "//a", "/a b", "/app", "/vizkit/x", "/a/../b", '/"', "/" + "a" * 600]
)
def test_what_is_no_public_path_is_refused(path: str, log: Path) -> None:
    with pytest.raises(vizkit.DataError, match="public_path"):
        vizkit.serve(log, public_path=path)


@pytest.mark.parametrize(("path", "checked"), [("", ""), ("/", ""), ("/a/", "/a"), ("/a/b", "/a/b")])
def test_a_last_slash_does_not_matter(path: str, checked: str) -> None:
    assert checked_public_path(path) == checked
