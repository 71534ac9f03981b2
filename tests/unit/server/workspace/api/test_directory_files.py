"""The files of a run over HTTP: those of its directory, and nothing that a link or an address leads to."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import vizkit
from tests.helpers import log_of

from .client import Client

SECRET = "secret\n"


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("files")
    log, run = root / "log", root / "log" / "run"
    for directory in (run, run / "inner", log / "other"):
        with vizkit.LogWriter(directory) as writer:
            writer.add_scalar("loss", 1.0, 0)
    (root / "secret.txt").write_text(SECRET)
    (root / "away").mkdir()
    (root / "away" / "secret.txt").write_text(SECRET)
    (run / "train.log").write_bytes("".join(f"line {n} 行\n" for n in range(1000)).encode() + b"\xff end")
    (run / "model").mkdir()
    (run / "model" / "a b%2F'\".pdparams").write_bytes(bytes(range(256)) * 1000)
    (run / ".env").write_text(SECRET)
    (run / "link.txt").symlink_to(root / "secret.txt")
    (run / "away").symlink_to(root / "away")
    os.mkfifo(run / "pipe")
    return log


def test_the_files_of_a_run_are_listed_without_links_and_other_runs(client: Client, log: Path) -> None:
    answer = client.json("run", run="run")
    files = {file["path"]: file["size"] for file in answer["files"]}
    record = log_of(log / "run")
    assert files == {
        "train.log": (log / "run" / "train.log").stat().st_size,
        record.name: record.stat().st_size,
        "model/a b%2F'\".pdparams": 256_000,
    }
    assert answer["more_files"] is False


def test_a_file_is_sent_as_it_is_and_never_shown_as_a_page(client: Client) -> None:
    answer = client.get("file", run="run", path="model/a b%2F'\".pdparams")
    assert answer.content == bytes(range(256)) * 1000
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''a%20b%252F%27%22.pdparams"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_the_end_of_a_file_begins_with_a_line(client: Client) -> None:
    answer = client.get("file", run="run", path="train.log", tail=60)
    assert answer.text == "line 996 行\nline 997 行\nline 998 行\nline 999 行\n� end"
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert client.get("file", run="run", path="train.log", tail=10**6).text.startswith("line 0 行\n")


@pytest.mark.parametrize(
    "path",
    [
        "",
        ".",
        "..",
        "../other",
        "../../secret.txt",
        "model/../../../secret.txt",
        "/etc/hosts",
        "//etc/hosts",
        ".env",
        "link.txt",
        "away/secret.txt",
        "pipe",
        "model",
        "model/",
        "nothing",
        "train.log/",
        "./train.log",
        "a" * 4000,
        "\n",
    ],
)
def test_nothing_else_is_sent(client: Client, path: str) -> None:
    answer = client.get("file", run="run", path=path)
    assert answer.status_code == 404 and SECRET not in answer.text
    assert client.get("file", run="run", path=path, tail=100).status_code == 404


def test_a_directory_that_became_a_link_sends_nothing(tmp_path: Path) -> None:
    with vizkit.LogWriter(tmp_path / "log" / "run") as writer:
        writer.add_scalar("loss", 1.0, 0)
    outside = tmp_path / "outside"
    (tmp_path / "log" / "run").rename(outside)
    (outside / "secret.txt").write_text(SECRET)
    with vizkit.LogWriter(tmp_path / "log" / "run") as writer:
        writer.add_scalar("loss", 1.0, 0)
    with vizkit.serve(tmp_path / "log") as server:
        client = Client(server.port)
        assert client.get("run", run="run").status_code == 200
        (tmp_path / "log" / "run").rename(tmp_path / "gone")
        (tmp_path / "log" / "run").symlink_to(outside)
        assert client.get("file", run="run", path="secret.txt").status_code == 404
        client.http.close()
