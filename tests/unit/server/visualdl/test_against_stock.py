"""Answers of the API are those of stock VisualDL on the same log, where stock is right."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest

import vizkit
from tests.helpers import get, python

_STOCK = """
import base64, json, os, sys
os.chdir(sys.argv[1])
from visualdl.server.api import create_api_call
call = create_api_call("log", "", 20)
answers = []
for path, query in json.loads(sys.argv[2]):
    data = call(path, query)[0]
    answers.append(data if isinstance(data, str) else base64.b64encode(data).decode())
print("ANSWERS" + json.dumps(answers))
"""

ASKED: list[tuple[str, dict[str, str]]] = [
    ("components", {}),
    ("runs", {}),
    *(
        (f"{kind}/tags", {})
        for kind in ("scalar", "histogram", "image", "audio", "text", "pr-curve", "roc-curve")
    ),
    ("scalar/list", {"run": "run1", "tag": "train/loss"}),
    ("scalar/list", {"run": "run1", "tag": "eval%acc"}),
    ("scalar/list", {"run": "中文运行", "tag": "训练/损失"}),
    ("scalar/list", {"run": "odd", "tag": "x/nan"}),
    ("scalar/list", {"run": "odd/sc_group_a", "tag": "sc/group"}),
    ("scalar/data", {"run": "run1", "tag": "train/loss", "type": "csv"}),
    ("scalar/data", {"run": "run1", "tag": "train/loss", "type": "tsv"}),
    ("histogram/list", {"run": "run2", "tag": "weights/fc"}),
    ("image/list", {"run": "run2", "tag": "inputs/flag"}),
    ("image/image", {"run": "run2", "tag": "inputs/flag", "index": "0"}),
    ("audio/list", {"run": "run2", "tag": "tones/a4"}),
    ("audio/audio", {"run": "run2", "tag": "tones/a4", "index": "0"}),
    ("text/list", {"run": "run2", "tag": "notes/summary"}),
    ("text/text", {"run": "run2", "tag": "notes/summary", "index": "1"}),
    ("pr-curve/steps", {"run": "run2"}),
    ("pr-curve/list", {"run": "run2", "tag": "eval/pr"}),
    ("roc-curve/steps", {"run": "run2"}),
    ("roc-curve/list", {"run": "run2", "tag": "eval/roc"}),
    ("hparams/indicators", {}),
    ("hparams/list", {}),
    ("hparams/metric", {"run": "run10", "metric": "eval/acc"}),
    ("hparams/data", {"type": "csv"}),
    ("embedding/list", {}),
    ("embedding/tensor", {"name": "run1/features"}),
    ("embedding/metadata", {"name": "run1/features"}),
    ("graph/static_graph", {}),
]


@pytest.fixture(scope="module")
def stock(root: Path) -> dict[tuple[str, str], str]:
    """Stock's answers; its names of runs begin with the log directory's, but for display names."""
    asked: list[tuple[str, dict[str, str]]] = []
    for path, query in ASKED:
        named = {key: f"log/{value}" if key in ("run", "name") else value for key, value in query.items()}
        named = {key: value.replace("log/中文运行", "中文运行") for key, value in named.items()}
        asked.append((path, named))
    done = python(_STOCK, root, json.dumps(asked))
    assert "ANSWERS" in done.stdout, done.stderr[-2000:]
    answers = json.loads(done.stdout.rpartition("ANSWERS")[2])
    return {(path, urlencode(query)): text for (path, query), text in zip(ASKED, answers, strict=True)}


def plain(data: Any) -> Any:
    """The same data with VizKit's names of runs, in one order."""
    if isinstance(data, dict):
        if set(data) == {"runs", "tags"}:
            return sorted(zip(map(plain, data["runs"]), map(plain, data["tags"]), strict=True))
        return {key: plain(value) for key, value in data.items()}
    if isinstance(data, list):
        if data and isinstance(data[0], dict) and "name" in data[0]:
            return sorted((plain(item) for item in data), key=lambda item: str(item["name"]))
        return [plain(item) for item in data]
    if isinstance(data, str):
        shown = data.replace("log/lenet/seed1/features", "中文运行/features")
        return shown.removeprefix("log/").replace("lenet/seed1", "中文运行")
    return pytest.approx(data, rel=1e-6) if isinstance(data, float) else data


def differences(path: str, ours: Any, theirs: Any) -> tuple[Any, Any]:
    """Both without what stock has wrong, each named here."""
    if path == "components":  # a name is no page; the members of groups are on the page of scalars
        return sorted(ours), sorted(set(theirs) - {"meta_data", "scalars"})
    if path == "runs":
        return sorted(ours), sorted(plain(theirs))
    if path == "hparams/indicators":  # the order of values and columns is the order of the runs
        for data in (ours, theirs):
            for item in data["hparams"]:
                item["values"] = sorted(item["values"])
    if path in ("pr-curve/list", "roc-curve/list"):  # stock guesses i/n where thresholds were recorded
        assert all(row[8] == pytest.approx(np.linspace(0, 1, 20)) for row in ours)
        return [row[:8] for row in ours], [row[:8] for row in theirs]
    return ours, theirs


@pytest.mark.parametrize(("path", "query"), ASKED, ids=[f"{p}-{'-'.join(q.values())}" for p, q in ASKED])
def test_answers_are_those_of_stock(
    server: vizkit.Server, stock: dict[tuple[str, str], str], path: str, query: dict[str, str]
) -> None:
    answer = get(f"http://127.0.0.1:{server.port}/app/api/{path}", params=query)
    assert answer.status_code == 200
    theirs = stock[path, urlencode(query)]
    kind = answer.headers["content-type"]
    if kind.startswith("application/json"):
        envelope = json.loads(theirs)
        assert {**answer.json(), "data": None} == {**envelope, "data": None}
        ours, theirs = differences(path, answer.json()["data"], envelope["data"])
        assert ours == plain(theirs) or plain_sorted(ours) == plain(theirs)
    elif kind.startswith("text/"):
        delimiter = "\t" if "type" in query and query["type"] == "tsv" else ","
        ours_rows = list(csv.reader(io.StringIO(answer.text), delimiter=delimiter))
        their_rows = list(csv.reader(io.StringIO(theirs), delimiter=delimiter))
        assert sorted(map(cells, ours_rows), key=str) == sorted(map(cells, their_rows), key=str)
    else:
        import base64

        assert answer.content == base64.b64decode(theirs)


def plain_sorted(data: Any) -> Any:
    """Ours in the order that `plain` gives stock's."""
    if isinstance(data, dict) and set(data) == {"runs", "tags"}:
        return sorted(zip(data["runs"], data["tags"], strict=True))
    if isinstance(data, list) and data and isinstance(data[0], dict) and "name" in data[0]:
        return sorted(data, key=lambda item: str(item["name"]))
    if isinstance(data, dict):
        return {key: plain_sorted(value) for key, value in data.items()}
    return data


def cells(row: list[str]) -> list[Any]:
    return [
        round(float(cell), 6) if re.fullmatch(r"-?[\d.]+(e[+-]\d+)?", cell) else plain(cell) for cell in row
    ]
