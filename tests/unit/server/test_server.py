"""`serve`, its options, and the running server."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import httpx
import pytest

import vizkit
from tests.helpers import api, get, python
from vizkit.errors import DataError, LogNotFoundError, ServeError


def test_a_log_file_just_works(tmp_path: Path) -> None:
    with vizkit.LogWriter(tmp_path / "run") as writer:
        writer.add_scalar("x", 1.5, 0)
    (file,) = (tmp_path / "run").glob("*vdlrecords*")
    with vizkit.serve(file) as server:
        assert api(server, "runs") == ["run"]
        assert api(server, "scalar/list", run="run", tag="x")[0][1:] == [0, 1.5]


def test_wrong_directories_ports_and_options_say_so(tmp_path: Path) -> None:
    with pytest.raises(LogNotFoundError, match="nowhere"):
        vizkit.serve(tmp_path / "nowhere")
    with vizkit.serve(tmp_path) as server, pytest.raises(ServeError, match=f"{server.port}.*--port 0"):
        vizkit.serve(tmp_path, port=server.port)
    for content in ("{}", "[1]", "no JSON", '{"base_code": {"magic": 1}}', '{"base_code": {"magic": "pir"}}'):
        (tmp_path / "model.json").write_text(content)
        with pytest.raises(DataError, match=r"model\.json' is not a model that Paddle 3 saved"):
            vizkit.serve(tmp_path, model=tmp_path / "model.json")
    (tmp_path / "model.txt").write_text("{}")
    with pytest.raises(DataError, match=r"\.pdmodel.*model\.txt"):
        vizkit.serve(tmp_path, model=tmp_path / "model.txt")
    with pytest.raises(LogNotFoundError, match="no model"):
        vizkit.serve(tmp_path, model=tmp_path / "model.onnx")
    with pytest.raises(DataError, match="samples"):
        vizkit.serve(tmp_path, samples=0)
    with pytest.raises(DataError, match="last"):
        vizkit.serve(tmp_path, hparam_metrics="worst")  # type: ignore[arg-type]


def test_the_handle_names_its_page_and_stops(tmp_path: Path) -> None:
    server = vizkit.serve(tmp_path)
    assert server.url in server._repr_html_() and "<iframe" in server._repr_html_()
    page = get(server.url)
    assert page.status_code == 200 and "VizKit" in page.text
    page = get(server.visualdl_url)
    assert page.status_code == 200 and "<div id=root>" in page.text
    server.stop()
    with pytest.raises(httpx.ConnectError):
        get(server.url)
    assert "stopped" in repr(server)


def test_a_language_that_the_page_does_not_speak_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="language must be 'en' or 'zh', got 'fr'"):
        vizkit.serve(tmp_path, language="fr")  # type: ignore[arg-type]


def test_a_server_that_cannot_start_says_so_and_frees_its_port(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vizkit.Server, "_run", lambda server: None)
    with pytest.raises(ServeError, match="did not start"):
        vizkit.serve(tmp_path)


def test_an_error_while_logs_are_read_reaches_the_caller_and_frees_the_port(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr("vizkit.server.live_runs.LiveRuns", refuse)
    with pytest.raises(PermissionError):
        vizkit.serve(tmp_path, port=(port := free_port()))
    monkeypatch.undo()
    with vizkit.serve(tmp_path, port=port) as server:
        assert server.port == port


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_the_owner_of_a_port_is_named_where_it_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with vizkit.serve(tmp_path) as server:
        with pytest.raises(ServeError, match=rf"\(process {os.getpid()}\)"):
            vizkit.serve(tmp_path, port=server.port)
        monkeypatch.setattr("psutil.net_connections", lambda kind: [])
        with pytest.raises(ServeError, match=f"{server.port}: Address already in use; ask"):
            vizkit.serve(tmp_path, port=server.port)

        def refuse(kind: str) -> None:
            raise PermissionError

        monkeypatch.setattr("psutil.net_connections", refuse)
        with pytest.raises(ServeError, match=f"{server.port}: Address already in use; ask"):
            vizkit.serve(tmp_path, port=server.port)


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6")
def test_an_address_of_ip_version_6_stands_in_brackets(tmp_path: Path) -> None:
    try:
        server = vizkit.serve(tmp_path, host="::1")
    except ServeError:
        pytest.skip("no IPv6")
    with server:
        assert server.url == f"http://[::1]:{server.port}/vizkit/"
        assert get(server.url).status_code == 200


def test_without_a_package_one_line_says_what_to_install(tmp_path: Path) -> None:
    done = python(
        "import sys; sys.modules['starlette'] = None; import vizkit; vizkit.serve(sys.argv[1])", tmp_path
    )
    assert "MissingDependencyError: serving needs starlette" in done.stderr and "[serve]" in done.stderr
