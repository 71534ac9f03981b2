"""One run over HTTP: how it was made and ended, its scalars in numbers, its problems, and their language."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import vizkit
from tests.helpers import log_of, until

from .client import Client

START = 1_767_225_600_000


@contextmanager
def serving(log: Path) -> Iterator[Client]:
    with vizkit.serve(log) as server:
        client = Client(server.port)
        yield client
        client.http.close()


def write_run(directory: Path) -> None:
    with vizkit.LogWriter(directory) as writer:
        for step, value in enumerate([1.0, math.nan, 3.0, -0.5]):
            writer.add_scalar("loss", value, step, START + 2000 * step)
        writer.add_scalar("system/cpu percent", 50.0, 0, START + 7000)


def test_scalars_are_those_of_summary(client: Client, log: Path) -> None:
    answer = client.json("run", run="lr0/seed1")
    (run,) = vizkit.load(log).filter("name == 'lr0/seed1'")
    assert list(answer["scalars"]) == run.scalar_tags
    for tag, numbers in answer["scalars"].items():
        summary = run.summary(tag)
        assert float(numbers["mean"]) == summary.mean or math.isnan(summary.mean), tag
        assert (numbers["n"], numbers["nan"], numbers["last_step"]) == (
            summary.n,
            summary.nan,
            summary.last.step,
        )
        assert summary.min is not None and summary.max is not None
        assert (numbers["least_step"], numbers["greatest_step"]) == (summary.min.step, summary.max.step)
    assert answer["directory"] == str(log / "lr0" / "seed1")
    assert (answer["environment"], answer["sessions"], answer["diff"]) == ({}, [], "")
    assert client.get("run", run="lr0/seed9").status_code == 404


def test_the_last_second_is_that_of_any_scalar(tmp_path: Path) -> None:
    write_run(tmp_path / "run")
    with serving(tmp_path) as client:
        assert client.json("run", run="run")["last_second"] == 7.0


def test_the_environment_is_flat_and_the_difference_apart(tmp_path: Path) -> None:
    write_run(tmp_path / "run")
    session = {
        "started": START,
        "ended": START + 9000,
        "status": "failed",
        "error": {"type": "ValueError", "message": "no <b>"},
        "command": ["python", "a b.py"],
        "git": {"commit": "abc", "diff_file": "environment.0123456789ab.diff", "dirty": True},
        "gpus": [{"name": "A100", "memory": 10**18}],
        "packages": {"paddlepaddle": "3.0.0"},
        "odd \ud800": [math.nan, {"deep": None}],
    }
    earlier = {"started": START - 5000, "status": "killed", "ended": "never"}
    content = {"format": 1, **session, "sessions": [earlier]}
    (tmp_path / "run" / "environment.json").write_text(json.dumps(content))
    (tmp_path / "run" / "environment.0123456789ab.diff").write_text("+ new\n")
    with serving(tmp_path) as client:
        answer = client.json("run", run="run")
    environment = answer["environment"]
    assert answer["diff"] == "+ new\n" and "git/diff" not in environment
    assert environment["command"] == ["python", "a b.py"] and environment["git/dirty"] is True
    assert (environment["gpus/0/name"], environment["gpus/0/memory"]) == ("A100", str(10**18))
    assert environment["packages/paddlepaddle"] == "3.0.0" and environment["odd \\ud800/1/deep"] is None
    assert answer["ended"] == START + 9000
    assert answer["sessions"] == [
        {"status": "killed", "started": START - 5000, "ended": None, "error": ""},
        {"status": "failed", "started": START, "ended": START + 9000, "error": "ValueError: no <b>"},
    ]


def test_problems_and_refusals_come_in_the_language_that_is_asked_for(tmp_path: Path) -> None:
    write_run(tmp_path / "log" / "torn")
    log_file = log_of(tmp_path / "log" / "torn")
    log_file.write_bytes(log_file.read_bytes() + b"\x99" * 40)
    write_run(tmp_path / "elsewhere")
    (tmp_path / "log" / "linked").symlink_to(tmp_path / "elsewhere")
    with serving(tmp_path / "log") as client:
        for language, torn, refused, wrong in (
            (
                "en",
                "the last 40 bytes are not a whole record",
                "is not served",
                "there is no hyper-parameter",
            ),
            ("zh-CN", "最后 40 字节不是", "指向日志目录之外", "没有超参数"),
        ):
            client.http.headers["Accept-Language"] = language
            runs = client.json("runs")
            (run,) = runs["runs"]
            assert torn in run["problems"][0] and run["problem_count"] == 1
            assert list(runs["refused"]) == ["linked"] and refused in runs["refused"]["linked"]
            assert client.json("run", run="torn")["problems"] == run["problems"]
            assert wrong in client.get("runs", filter="nothing > 1").json()["message"]


def test_a_run_that_is_not_served_any_more_is_a_change(tmp_path: Path) -> None:
    write_run(tmp_path / "log" / "run")
    write_run(tmp_path / "elsewhere")
    with serving(tmp_path / "log") as client:
        cursor = client.json("runs")["cursor"]
        (tmp_path / "log" / "linked").symlink_to(tmp_path / "elsewhere")
        changes = []

        def told() -> bool:
            changes.append(client.json("changes", since=cursor, wait=1))
            return bool(changes[-1]["layout"])

        until(told, "the change is told")
        assert list(client.json("runs")["refused"]) == ["linked"]
        assert not client.json("changes", since=client.json("runs")["cursor"], wait=0)["layout"]
