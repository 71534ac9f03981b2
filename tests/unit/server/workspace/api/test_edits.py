"""The page changes remarks and views, where the server was started to edit, and nobody else does."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

import vizkit
from tests.helpers import PATIENCE, until

from .client import Client


@pytest.fixture
def log(tmp_path: Path) -> Path:
    for name in ("one", "two"):
        with vizkit.LogWriter(tmp_path / "log" / name) as writer:
            writer.add_scalar("loss", 1.0, 0)
    return tmp_path / "log"


@pytest.fixture
def client(log: Path) -> Iterator[Client]:
    with vizkit.serve(log, edit=True) as server:
        client = Client(server.port)
        yield client
        client.http.close()


def post(client: Client, path: str, headers: dict[str, str] | None = None, **change: Any) -> httpx.Response:
    given = {"Content-Type": "application/json", **(headers or {})}
    return client.http.post(path, content=json.dumps(change), headers=given)


def test_remarks_are_those_of_python(log: Path, client: Client) -> None:
    answer = post(client, "remarks", run="one", add=["good", "路 <b>"], note="# a *note*", archived=True)
    assert answer.json() == {"labels": ["good", "路 <b>"], "note": "# a *note*", "archived": True}
    run = vizkit.load(log)["one"]
    assert (run.labels, run.note, run.archived) == (["good", "路 <b>"], "# a *note*", True)
    assert post(client, "remarks", run="one", remove=["good"]).json()["labels"] == ["路 <b>"]
    assert post(client, "remarks", run="one", archived=False, note="").json() == {
        "labels": ["路 <b>"],
        "note": "",
        "archived": False,
    }
    found = {one["name"]: one["labels"] for one in client.json("runs")["runs"]}
    assert found == {"one": ["路 <b>"], "two": []}


def test_the_second_editor_of_a_note_is_told_and_changes_nothing(log: Path, client: Client) -> None:
    assert post(client, "remarks", run="one", note="mine", replaces="").status_code == 200
    answer = post(client, "remarks", run="one", note="yours", replaces="", add=["label"])
    assert answer.status_code == 409
    assert answer.json() == {"message": "the note has been changed meanwhile", "current": "mine"}
    run = vizkit.load(log)["one"]
    assert (run.note, run.labels) == ("mine", [])
    assert post(client, "remarks", run="one", note="yours", replaces="mine").json()["note"] == "yours"
    with pytest.raises(vizkit.ConflictError):
        run.annotate(note="late", replaces="mine")


def test_editors_at_once_lose_no_label(log: Path, client: Client) -> None:
    def label(number: int) -> None:
        if number % 2:
            vizkit.load(log)["one"].annotate(add=f"label{number}")
        else:
            assert post(client, "remarks", run="one", add=[f"label{number}"]).status_code == 200

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(label, range(16)))
    assert set(vizkit.load(log)["one"].labels) == {f"label{number}" for number in range(16)}


def test_other_pages_are_told(log: Path, client: Client) -> None:
    cursor = client.json("runs")["cursor"]
    post(client, "remarks", run="two", add=["here"])
    until(lambda: "two" in client.json("changes", since=cursor, wait=1)["changed"])
    vizkit.load(log)["one"].annotate(note="from elsewhere")
    until(lambda: "one" in client.json("changes", since=cursor, wait=1)["changed"])


def test_views_are_saved_and_read(log: Path, client: Client) -> None:
    assert client.json("views") == {"views": [], "edit": True, "problems": []}
    post(client, "views", name="view 10", query="x=time")
    answer = post(client, "views", name="view 2", query="tags=loss")
    assert [one["name"] for one in answer.json()["views"]] == ["view 2", "view 10"]
    conflict = post(client, "views", name="view 2", query="tags=acc")
    assert (conflict.status_code, conflict.json()["current"]) == (409, "tags=loss")
    post(client, "views", name="other", query="x=time", instead_of="view 10")
    post(client, "views", name="view 2", known="tags=loss")
    with vizkit.serve(log) as reader:
        other = Client(reader.port)
        assert other.json("views") == {
            "views": [{"name": "other", "query": "x=time"}],
            "edit": False,
            "problems": [],
        }
        other.http.close()


@pytest.mark.parametrize("path", ["remarks", "views"])
def test_nothing_is_changed_without_edit(path: str, log: Path) -> None:
    with vizkit.serve(log) as server:
        client = Client(server.port)
        answer = post(client, path, run="one", note="x", name="a", query="x=time")
        assert answer.status_code == 405
        client.http.close()
    assert not list(log.rglob("*.json"))


FORBIDDEN: list[tuple[dict[str, str], int]] = [
    ({"Content-Type": "text/plain"}, 415),
    ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
    ({"Content-Type": "multipart/form-data; boundary=a"}, 415),
    ({"Content-Type": "application/json-patch"}, 415),
    ({"Origin": "https://example.com"}, 403),
    ({"Origin": "null"}, 403),
    ({"Origin": "http://127.0.0.1:1"}, 403),
    ({"Sec-Fetch-Site": "cross-site"}, 403),
    ({"Sec-Fetch-Site": "same-site"}, 403),
    ({"Sec-Fetch-Site": "none"}, 403),
    ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, 403),
    ({"Host": "example.com"}, 403),
]


@pytest.mark.parametrize(("headers", "status"), FORBIDDEN)
def test_other_sites_change_nothing(headers: dict[str, str], status: int, log: Path, client: Client) -> None:
    for path in ("remarks", "views"):
        answer = post(client, path, headers, run="one", name="a", note="x", query="x=time")
        assert answer.status_code == status
    assert not list(log.rglob("*.json"))
    origin = str(client.http.base_url).partition("/vizkit")[0]
    own = {
        "Origin": origin,
        "Sec-Fetch-Site": "same-origin",
        "Content-Type": "application/json; charset=utf-8",
    }
    assert post(client, "remarks", own, run="one", note="x").status_code == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_no_other_method_is_known(method: str, client: Client) -> None:
    assert client.http.request(method, "remarks").status_code == 405
    assert client.http.post("runs", json={}).status_code == 405


def test_who_has_no_token_changes_nothing(log: Path) -> None:
    with vizkit.serve(log, edit=True, token="secret") as server:
        client = Client(server.port)
        assert post(client, "remarks", run="one", note="x").status_code == 401
        bearer = {"Authorization": "Bearer secret"}
        assert post(client, "remarks", bearer, run="one", note="x").status_code == 200
        client.http.close()


def test_beyond_this_machine_there_is_always_a_token(log: Path) -> None:
    for options in ({"host": "0.0.0.0"}, {"allow_hosts": ["proxy.example.com"]}):
        with vizkit.serve(log, edit=True, **options) as server:
            assert server.token
    with vizkit.serve(log, edit=True) as server:
        assert server.token is None


WRONG: list[tuple[Any, str]] = [
    ([], ""),
    ("text", ""),
    ({}, "run"),
    ({"run": 7}, "run"),
    ({"run": "one", "add": "label"}, "add"),
    ({"run": "one", "add": ["a", 1]}, "add"),
    ({"run": "one", "archived": "yes"}, "archived"),
    ({"run": "one", "note": ["x"]}, "note"),
    ({"run": "one", "other": 1}, "other"),
]


@pytest.mark.parametrize(("body", "name"), WRONG)
def test_a_wrong_field_is_named(body: Any, name: str, log: Path, client: Client) -> None:
    answer = client.http.post("remarks", json=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["parameter"] == name and answer.json()["message"]
    assert not list(log.rglob("*.json"))


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b'{"run": "one"}{}', b"nan"])
def test_what_is_no_json_is_refused(body: bytes, client: Client) -> None:
    answer = client.http.post("remarks", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400


def test_what_is_too_long_or_damaged_is_refused(log: Path, client: Client) -> None:
    for change in ({"note": "x" * 100_001}, {"add": ["a\nb"]}, {"add": ["x" * 201]}):
        assert post(client, "remarks", run="one", **change).status_code == 400
    assert post(client, "remarks", run="nobody", note="x").status_code == 404
    path = log / "one" / "remarks.json"
    path.write_text("{")
    answer = post(client, "remarks", run="one", note="x")
    assert answer.status_code == 400 and str(path) in answer.json()["message"] and path.read_text() == "{"
    note = "长" * 100_000  # 300,000 bytes
    assert post(client, "remarks", run="two", note=note).json()["note"] == note


def test_a_body_beyond_a_megabyte_is_cut_off(client: Client) -> None:
    port = client.http.base_url.port
    assert port
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        head = f"POST /vizkit/api/remarks HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        head += "Content-Type: application/json\r\nContent-Length: 900000000\r\n\r\n"
        connection.sendall(head.encode())
        sent = 0
        try:
            while sent < 900_000_000:  # more than buffers take
                sent += connection.send(b" " * 65536)
        except OSError:
            pass
        assert sent < 900_000_000
    assert client.json("views")["views"] == []


def test_what_changes_right_after_a_page_was_opened_is_told(log: Path, client: Client) -> None:
    cursor = client.json("runs")["cursor"]
    vizkit.load(log)["one"].annotate(note="before the page asks for changes")
    until(lambda: "one" in client.json("changes", since=cursor, wait=1)["changed"])
