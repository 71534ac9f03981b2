"""Importance and verdicts of the page are those of Python, in the language of who asks."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

import vizkit

from .client import Client


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("verdicts") / "log"
    random = np.random.default_rng(1)
    for number in range(10):
        hparams = {"rate": 0.1 * (number % 2), "twin": number % 2, "seed": number, "name": f"n{number}"}
        with vizkit.LogWriter(root / f"run{number}") as writer:
            writer.add_hparams(hparams, ["eval/acc"])
            for step in range(3):
                writer.add_scalar("eval/acc", 0.5 + 0.3 * (number % 2) + random.random() / 20, step)
                writer.add_scalar("odd", float(number), step)
            writer.add_scalar("loss", math.nan, 0)
    return root


@pytest.mark.parametrize(("tag", "mode"), [("eval/acc", "auto"), ("odd", "min")])
def test_importance_has_the_numbers_of_python(tag: str, mode: str, log: Path, client: Client) -> None:
    answer = client.json("importance", tag=tag, mode=mode)
    expected = vizkit.load(log).importance(tag, mode).frame()
    assert (answer["reason"], answer["n"]) == ("", 10)
    assert [one["name"] for one in answer["hparams"]] == list(expected.index)
    for one, (_, row) in zip(answer["hparams"], expected.iterrows(), strict=True):
        for name in ("importance", "p"):
            assert float(one[name]) == row[name] or (one[name] == "nan" and math.isnan(row[name]))
        assert one["values"] == row["values"] and ", ".join(one["together_with"]) == row["together_with"]
    if tag == "eval/acc":
        assert {one["name"] for one in answer["hparams"][:2]} == {"rate", "twin"}
        assert answer["hparams"][0]["importance"] > 0.9 and answer["hparams"][0]["p"] < 0.05


def test_importance_is_that_of_the_runs_that_fit_but_those_left_out(log: Path, client: Client) -> None:
    answer = client.json("importance", tag="odd", mode="max", filter="seed > 1", without=["run9", "gone"])
    runs = vizkit.load(log)
    some = runs.filter("seed > 1 and seed < 9")
    expected = some.importance("odd", "max").frame()
    assert answer["n"] == len(some) == 7
    assert [one["importance"] for one in answer["hparams"]] == [
        pytest.approx(value) if value == value else "nan" for value in expected["importance"]
    ]
    named = client.json("importance", tag="odd", mode="max", filter="seed > 1", run=["run0", "run4"])
    assert named["n"] == 0 and named["reason"].startswith("importance needs four runs or more")
    assert client.get("importance", tag="odd", filter="seed >").status_code == 400


@pytest.mark.parametrize(
    ("a", "b", "better"),
    [
        ([0, 2, 4, 6, 8], [1, 3, 5, 7, 9], True),
        ([1, 3], [0, 2], False),
        ([0, 1, 2, 3], [4, 5, 6, 7], None),
        ([0], [1], None),
    ],
)
def test_a_verdict_has_the_numbers_and_the_words_of_python(
    a: list[int], b: list[int], better: bool | None, log: Path, client: Client
) -> None:
    sides = [[f"run{number}" for number in side] for side in (a, b)]
    answer = client.json("comparison", tag="eval/acc", a=sides[0], b=sides[1])
    runs = vizkit.load(log)
    expected = runs.compare([runs[n] for n in sides[0]], [runs[n] for n in sides[1]], "eval/acc")
    assert answer["sentence"] == str(expected) and answer["reason"] == ""
    assert answer["numbers"]["better"] is expected.better is better
    for name in ("mean_a", "mean_b", "difference", "low", "high"):
        assert float(answer["numbers"][name]) == pytest.approx(getattr(expected, name), rel=0, nan_ok=True)
    assert [answer["numbers"][name] for name in ("n_a", "n_b", "left_out")] == [len(a), len(b), 0]


def test_what_cannot_be_told_is_said_in_the_language_of_who_asks(client: Client) -> None:
    few = {"tag": "eval/acc", "run": ["run1", "run2"]}
    assert client.json("importance", **few)["reason"].startswith("importance needs four runs or more")
    unknown = client.json("comparison", tag="odd", a="run1", b="run2")
    assert unknown["numbers"] is None and "'odd'" in unknown["reason"]
    nothing = client.json("comparison", tag="loss", a="run1", b="run2")
    assert nothing["reason"].startswith("none of the 1 runs of A has a finite 'loss'")
    chinese = {"Accept-Language": "zh-CN"}
    answer = client.http.get("importance", params=few, headers=chinese).json()
    assert answer["reason"].startswith("计算重要性需要至少四个")
    query = {"tag": "eval/acc", "a": ["run0", "run2"], "b": ["run1", "run3"]}
    assert "：B 更好；" in client.http.get("comparison", params=query, headers=chinese).json()["sentence"]
    refused = client.http.get("runs", params={"filter": "("}, headers=chinese)
    assert "不是" in refused.json()["message"]
    assert ": B is better;" in client.json("comparison", **query)["sentence"]


def test_an_unknown_run_or_tag_is_refused(client: Client) -> None:
    assert client.get("importance", tag="nothing").status_code == 404
    assert client.get("comparison", tag="eval/acc", a="run1", b="nobody").status_code == 404
    assert client.get("comparison", tag="eval/acc", a="run1").json()["parameter"] == "b"
