"""`serve`, its options, and the running server."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

import vizkit
from tests.helpers import api, get
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
    assert page.status_code == 200 and "<div id=root>" in page.text
    server.stop()
    with pytest.raises(httpx.ConnectError):
        get(server.url)
    assert "stopped" in repr(server)
