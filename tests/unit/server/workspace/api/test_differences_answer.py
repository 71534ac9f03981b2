"""What differs between runs, and two of their texts line by line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import vizkit
from vizkit.format.file_names import CONSOLE_FILE
from vizkit.runs.query import MISSING

from .client import Client

ENVIRONMENT: dict[str, Any] = {
    "format": 1,
    "started": 1_767_225_600_000,
    "status": "finished",
    "command": ["python", "train.py", "--rate", "0.1"],
    "packages": {"numpy": "1.26.4", "paddlepaddle": "3.3.1"},
    "git": {"commit": "a" * 40},
}


def write_run(directory: Path, **changed: Any) -> None:
    hparams = {"rate": 0.1, "layers": 2, **changed.pop("hparams", {})}
    with vizkit.LogWriter(directory) as writer:
        writer.add_hparams(hparams, [])
        for step in range(changed.pop("texts", 3)):
            writer.add_text("console", f"epoch {step}\nloss {changed.get('loss', 1)}/{step}", step)
    changed.pop("loss", None)
    (directory / "environment.json").write_text(json.dumps({**ENVIRONMENT, **changed}))


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("differences") / "log"
    write_run(root / "a", hparams={"name": "<b>", "only": True})
    packages = {"numpy": "2.4.0", "paddlepaddle": "3.3.1", "pandas": "2.2.0"}
    command = ["python", "train.py", "--rate", "0.2"]
    write_run(root / "b", hparams={"rate": 0.2}, packages=packages, command=command, loss=2, texts=600)
    with vizkit.LogWriter(root / "bare") as writer:
        writer.add_scalar("loss", 1.0, 0)
    return root


def test_differences_are_those_of_python(log: Path, client: Client) -> None:
    answer = client.json("differences", run=["a", "b", "bare"])
    expected = vizkit.load(log).differences()
    assert answer["runs"] == ["a", "b", "bare"] and answer["more"] == 0
    for part in ("hparams", "environment"):
        assert [one["name"] for one in answer[part]] == list(expected[part])
        for one, values in zip(answer[part], expected[part].values(), strict=True):
            assert [value is None for value in one["values"]] == [value is MISSING for value in values]
    found = {one["name"]: one["values"] for one in answer["hparams"] + answer["environment"]}
    assert found["rate"] == ["0.1", "0.2", None] and found["only"] == ["True", None, None]
    assert found["packages/numpy"] == ["1.26.4", "2.4.0", None]
    assert found["command"][1] == "python train.py --rate 0.2"
    assert client.get("differences", run=["a"] * 60).status_code == 400


def rows(answer: dict[str, Any]) -> list[tuple[str, str | None, str | None]]:
    return [(line["kind"], line["text_a"], line["text_b"]) for line in answer["lines"]]


def test_what_runs_printed_is_laid_side_by_side(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for run, rate in (("a", 0.1), ("b", 0.2)):
        with vizkit.Tracker(tmp_path / run, quiet=True) as tracker:
            tracker.log({"loss": 1.0})
            print("begin", *(f"step {step}" for step in range(2000)), f"rate {rate}", sep="\n")
    with vizkit.serve(tmp_path) as server:
        client = Client(server.port)
        answer = client.json("texts", a="a", b="b", source="console")
        assert "console" in answer["sources"] and answer["cut"] == 1002
        assert rows(answer)[-1] == ("changed", "rate 0.1", "rate 0.2")
        (tmp_path / "b" / CONSOLE_FILE).unlink()
        (tmp_path / "b" / CONSOLE_FILE).symlink_to("/etc/passwd")
        answer = client.json("texts", a="a", b="b", source="console")
        assert {kind for kind, _, _ in rows(answer)} == {"removed"}


def test_texts_are_laid_side_by_side(client: Client) -> None:
    answer = client.json("texts", a="a", b="b", source="packages")
    assert answer["sources"] == ["configuration", "packages", "environment", "command", "text:console"]
    assert rows(answer) == [
        ("changed", "numpy==1.26.4", "numpy==2.4.0"),
        ("same", "paddlepaddle==3.3.1", "paddlepaddle==3.3.1"),
        ("added", None, "pandas==2.2.0"),
    ]
    assert rows(client.json("texts", a="a", b="b")) == [
        ("same", "layers: 2", "layers: 2"),
        ("removed", "name: <b>", None),
        ("removed", "only: True", None),
        ("changed", "rate: 0.1", "rate: 0.2"),
    ]
    assert rows(client.json("texts", a="a", b="b", source="command"))[-1] == ("changed", "0.1", "0.2")
    same = client.json("texts", a="a", b="a", source="environment")
    assert same["same"] and same["lines"] == []
    assert client.json("texts", a="a", b="b", source="code")["lines"] == []


def test_the_newest_lines_of_a_long_text_are_compared(client: Client) -> None:
    answer = client.json("texts", a="a", b="b", source="text:console")
    assert answer["cut"] == 200  # of 1,200 lines the last 1,000
    shown = [one for one in answer["lines"] if one["text_b"]]
    assert (shown[-1]["line_b"], shown[-1]["text_b"]) == (1000, "loss 2/599")
    assert [line["text_a"] for line in answer["lines"] if line["text_a"]] == [
        text for step in range(3) for text in (f"epoch {step}", f"loss 1/{step}")
    ]


def test_what_is_not_there_is_refused(client: Client) -> None:
    for query in ({"a": "a", "b": "nobody"}, {"a": "a", "b": "b", "source": "text:nothing"}):
        assert client.get("texts", **query).status_code == 404
    assert client.json("texts", a="a", b="bare", source="packages")["lines"][0]["kind"] == "removed"
