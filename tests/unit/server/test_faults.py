"""What may happen to a log while it is served harms nothing but itself."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import vizkit
from tests.helpers import api, log_of
from vizkit.server.visualdl.api.dispatch import ENDPOINTS
from vizkit.server.visualdl.api.endpoint import Endpoint


def values(server: vizkit.serve.Server, run: str = "run", tag: str = "x") -> list[Any]:
    return [row[2] for row in api(server, "scalar/list", run=run, tag=tag)]


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Waits for what is to come at the next look."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.02)


def write(directory: Path, *values: float, tag: str = "x") -> None:
    with vizkit.LogWriter(directory) as writer:
        for step, value in enumerate(values):
            writer.add_scalar(tag, value, step)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    write(tmp_path / "log" / "run", 1.0, 2.0)
    write(tmp_path / "log" / "other", 5.0)
    return tmp_path / "log"


@pytest.fixture
def server(log: Path) -> Iterator[vizkit.serve.Server]:
    with vizkit.serve(log) as server:
        yield server
        assert values(server, "other") == [5.0]  # whatever happened to the others


def test_new_records_kinds_and_runs_appear(server: vizkit.serve.Server, log: Path) -> None:
    with vizkit.LogWriter(log / "new") as writer:
        writer.add_scalar("x", 7.0, 0)
        until(lambda: values(server, "new") == [7.0])
        writer.add_scalar("x", 8.0, 1)
        until(lambda: values(server, "new") == [7.0, 8.0])
        assert api(server, "component_tabs") == ["scalar"]
        writer.add_text("t", "hello", 0)
        until(lambda: api(server, "component_tabs") == ["scalar", "text"])
        assert api(server, "text/tags") == {"runs": ["new"], "tags": [["t"]]}


def test_the_tab_of_hyper_parameters_comes_with_the_first_metric(tmp_path: Path) -> None:
    with vizkit.LogWriter(tmp_path / "run") as writer:
        writer.add_hparams({"lr": 0.1}, ["eval/acc"])
        writer.add_scalar("train/loss", 1.0, 0)
        with vizkit.serve(tmp_path) as server:
            assert api(server, "component_tabs") == api(server, "components") == ["scalar"]
            writer.add_scalar("eval/acc", 0.5, 0)
            until(lambda: api(server, "component_tabs") == ["scalar", "hyper_parameters"])
            assert api(server, "components") == ["scalar", "hyper_parameters"]


def test_answers_are_sent_at_once(server: vizkit.serve.Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """And do not wait for the client's acknowledgement of their heads."""
    from asyncio import selector_events

    made: list[int] = []
    init = selector_events._SelectorSocketTransport.__init__  # type: ignore[attr-defined]

    def noted(self: Any, loop: Any, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        init(self, loop, sock, *args, **kwargs)
        made.append(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    monkeypatch.setattr(selector_events._SelectorSocketTransport, "__init__", noted)  # type: ignore[attr-defined]
    assert values(server, "other")
    assert made and all(made)


def test_a_torn_record_is_shown_when_it_is_whole(server: vizkit.serve.Server, log: Path) -> None:
    write(log / "more", 1.0, 2.0, 3.0)
    whole = log_of(log / "more").read_bytes()
    path = log / "torn" / "vdlrecords.1.log"
    path.parent.mkdir()
    path.write_bytes(whole[:-5])
    until(lambda: values(server, "torn") == [1.0, 2.0])
    assert any("torn" in problem["run"] for problem in api(server, "problems"))
    with path.open("ab") as file:
        file.write(whole[-5:])
    until(lambda: values(server, "torn") == [1.0, 2.0, 3.0])
    assert api(server, "problems") == []


def test_a_deleted_run_goes_and_a_replaced_one_is_read_anew(server: vizkit.serve.Server, log: Path) -> None:
    assert values(server) == [1.0, 2.0]
    shutil.rmtree(log / "run")
    until(lambda: api(server, "runs") == ["other"])
    assert values(server) == []
    write(log / "run", 9.0)
    until(lambda: values(server) == [9.0])


def test_a_truncated_log_shows_what_is_left(server: vizkit.serve.Server, log: Path) -> None:
    write(log / "long", *map(float, range(50)))
    until(lambda: len(values(server, "long")) == 50)
    os.truncate(log_of(log / "long"), log_of(log / "long").stat().st_size // 2)
    until(lambda: 0 < len(values(server, "long")) < 50)


def test_garbage_costs_no_other_run(server: vizkit.serve.Server, log: Path) -> None:
    (log / "junk").mkdir()
    (log / "junk" / "vdlrecords.1.log").write_bytes(os.urandom(5000))
    until(lambda: any(problem["run"] == "junk" for problem in api(server, "problems")))
    assert values(server) == [1.0, 2.0]


def test_an_unreadable_file_is_reported(
    server: vizkit.serve.Server, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vizkit.reading import filesystem

    class Locked(filesystem.FileReader):
        def __init__(self, path: str) -> None:
            if Path(path).parent.name == "locked":  # whoever runs tests as root may read what chmod forbids
                raise PermissionError(13, "Permission denied", path)
            super().__init__(path)

    monkeypatch.setattr(filesystem, "FileReader", Locked)
    shutil.copytree(log / "run", log / "locked")
    until(lambda: any("Permission denied" in problem["message"] for problem in api(server, "problems")))
    assert values(server) == [1.0, 2.0]
    monkeypatch.undo()
    until(lambda: values(server, "locked") == [1.0, 2.0])


def test_the_whole_directory_may_go_and_come(log: Path) -> None:
    with vizkit.serve(log) as server:
        shutil.rmtree(log)
        until(lambda: api(server, "runs") == [])
        assert values(server) == []
        write(log / "run", 4.0)
        until(lambda: values(server) == [4.0])


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_out_of_the_directory_are_refused(log: Path, tmp_path: Path) -> None:
    write(tmp_path / "secret", 42.0)
    (log / "link").symlink_to(tmp_path / "secret")
    (log / "file").mkdir()
    (log / "file" / "vdlrecords.1.log").symlink_to(log_of(tmp_path / "secret"))
    (log / "inside").mkdir()
    (log / "inside" / "vdlrecords.1.log").symlink_to(log_of(log / "run"))
    with vizkit.serve(log) as server:
        assert api(server, "runs") == ["inside", "other", "run"]
        refused = api(server, "problems")
        assert [problem["run"] for problem in refused] == ["file", "link"]
        assert all("leads out" in problem["message"] for problem in refused)
        assert values(server, "link") == values(server, "file") == []
        # A run that becomes a link while it is served goes too.
        shutil.rmtree(log / "run")
        (log / "run").symlink_to(tmp_path / "secret")
        until(lambda: api(server, "runs") == ["other"])


def test_a_thousand_small_runs(tmp_path: Path) -> None:
    write(tmp_path / "one", 1.0)
    content = log_of(tmp_path / "one").read_bytes()
    for number in range(1000):
        (tmp_path / f"log/run{number}").mkdir(parents=True)
        (tmp_path / f"log/run{number}/vdlrecords.1.log").write_bytes(content)
    with vizkit.serve(tmp_path / "log") as server:
        runs = api(server, "scalar/tags")["runs"]
        assert runs == [f"run{number}" for number in range(1000)]
        assert values(server, "run999") == [1.0]
        write(tmp_path / "log" / "run1000", 3.0)
        until(lambda: values(server, "run1000") == [3.0])


def test_a_flood_of_requests_is_answered(server: vizkit.serve.Server) -> None:
    answers: list[int] = []

    def flood() -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{server.port}/app/api/") as client:
            query = {"run": "run", "tag": "x"}
            answers.extend(client.get("scalar/list", params=query).status_code for _ in range(25))

    threads = [threading.Thread(target=flood) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 600


def test_slow_and_broken_clients_hold_up_nobody(server: vizkit.serve.Server) -> None:
    slow = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(50)]
    try:
        for number, client in enumerate(slow):
            client.sendall(
                [
                    b"GET /app/api/runs HT",
                    b"GET /app/api/scalar/data?run=run&tag=x HTTP/1.1\r\n",
                    b"\x16\x03",
                ][number % 3]
            )
        assert api(server, "runs") == ["other", "run"]
    finally:
        for client in slow:
            client.close()
    assert api(server, "runs") == ["other", "run"]


def test_connections_without_a_whole_request_end(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vizkit.server.server._IDLE_TIMEOUT", 0.3)
    whole = b"GET /alive HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with vizkit.serve(log) as server:
        for sent in (b"", b"GET /alive HT", b"GET /alive HTTP/1.1\r\nX: ", whole, whole + whole[:20]):
            with socket.create_connection(("127.0.0.1", server.port), 20) as client:
                client.sendall(sent)
                answers = b"".join(iter(lambda: client.recv(65536), b""))
                assert answers.count(b" 204 No Content") == sent.count(whole)
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.sendall(b"GET /alive HTTP/1.1\r\nX: ")
            client.settimeout(0.05)

            def ended() -> bool:
                """Whether it is closed, however much goes on coming."""
                try:
                    client.sendall(b"x")
                    return client.recv(1) == b""
                except TimeoutError:
                    return False
                except ConnectionError:
                    return True

            until(ended)
        assert api(server, "runs") == ["other", "run"]


def test_an_answer_may_take_longer_than_a_connection_idles(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vizkit.server.server._IDLE_TIMEOUT", 0.1)
    monkeypatch.setitem(ENDPOINTS, "slow", Endpoint(lambda request: time.sleep(0.5), depends_on=""))
    with vizkit.serve(log) as server:
        assert api(server, "slow") is None


def test_hostile_names_are_data_like_any_other(tmp_path: Path) -> None:
    run, tag = "<img src=x onerror=alert(1)>", "a\"'&<script>alert(1)</script> 中"
    with vizkit.LogWriter(tmp_path / "log" / "plain", display_name=run) as writer:
        writer.add_scalar(tag, 1.0, 0)
        writer.add_text("t", "<script>alert(1)</script>", 0)
    if sys.platform not in ("win32", "darwin"):
        odd = os.fsdecode(os.fsencode(tmp_path / "log") + b"/\xff\xfe")
        os.mkdir(odd)
        shutil.copy(log_of(tmp_path / "log" / "plain"), odd)
    with vizkit.serve(tmp_path / "log") as server:
        assert values(server, api(server, "runs")[0], tag) == [1.0]
        answer = httpx.get(
            f"http://127.0.0.1:{server.port}/app/api/text/text",
            params={"run": api(server, "runs")[0], "tag": "t", "index": 0},
        )
        assert answer.headers["content-type"].startswith("text/plain")
        assert answer.headers["x-content-type-options"] == "nosniff"


WORDS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        [
            "run",
            "other",
            "x",
            "../../etc/passwd",
            "%",
            "/",
            ".",
            "\0",
            "nan",
            "-1",
            "99999999999999999999",
            "1e400",
            "csv",
        ]
    ),
)
QUERIES = st.dictionaries(
    st.sampled_from(
        ["run", "tag", "index", "ts", "type", "name", "metric", "nodeid", "expand", "refresh", "is_node"]
    ),
    WORDS,
)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    root = tmp_path_factory.mktemp("fuzzed")
    with vizkit.LogWriter(root / "run") as writer:
        for step in range(3):
            writer.add_scalar("x", step, step)
            writer.add_text("t", "text", step)
        writer.add_hparams({"a": 1}, ["x"])
    with vizkit.serve(root) as server, httpx.Client(base_url=f"http://127.0.0.1:{server.port}") as client:
        yield client


def harmless(answer: httpx.Response) -> None:
    assert answer.status_code < 500, answer.text
    assert "Traceback" not in answer.text and "/site-packages/" not in answer.text
    # The answer to HEAD has no body.
    if answer.request.method != "HEAD" and answer.headers.get("content-type") == "application/json":
        assert set(answer.json()) == {"status", "msg", "data"}


FUZZ = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FUZZ
@given(path=st.sampled_from(sorted(ENDPOINTS)), query=QUERIES)
def test_no_query_breaks_an_endpoint(fuzzed: httpx.Client, path: str, query: dict[str, str]) -> None:
    harmless(fuzzed.get(f"/app/api/{path}", params=query))


@FUZZ
@given(
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]),
    path=st.lists(
        st.sampled_from(
            ["app", "api", "..", "%2e%2e", "visualdl-2.5.3", "static", "index.html", "scalar", "\0", "中"]
        ),
        max_size=6,
    ),
    tail=st.text(max_size=12),
    headers=st.dictionaries(
        st.sampled_from(
            ["Accept-Language", "Accept-Encoding", "If-None-Match", "Cookie", "Authorization", "Range"]
        ),
        st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30).map(str.strip),
    ),
)
def test_no_request_breaks_the_server(
    fuzzed: httpx.Client, method: str, path: list[str], tail: str, headers: dict[str, str]
) -> None:
    url = (
        "/" + "/".join(quote(part, safe="%") for part in path) + "/" + quote(tail, safe="", errors="replace")
    )
    harmless(fuzzed.request(method, url, headers=headers))


@pytest.mark.parametrize(
    "path",
    [
        "/app/../../../etc/passwd",
        "/app/%2e%2e/%2e%2e/template.py",
        "/app/visualdl-2.5.3/..%2f..%2fapp.py",
        "/app//etc/passwd",
        "/app/visualdl-2.5.3//etc/passwd",
    ],
)
def test_nothing_outside_is_read(fuzzed: httpx.Client, path: str) -> None:
    with socket.create_connection((fuzzed.base_url.host, fuzzed.base_url.port or 80)) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert b"root:" not in answer and b"import os" not in answer
