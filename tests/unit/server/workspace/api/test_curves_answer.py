"""Windows of curves and means over HTTP."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vizkit
from vizkit.curves.curves import curves_data
from vizkit.curves.smoothing import smoothed, smoothing

from .client import Client


def test_a_window_of_few_points_holds_them_all(client: Client, log: Path) -> None:
    head = client.curves(tag="loss", start=100, end=120.5, width=50)
    runs = vizkit.load(log)
    assert [curve["run"] for curve in head["curves"]] == [run.name for run in runs]
    assert (head["start"], head["end"], head["least"], head["greatest"]) == (100, 120.5, 0, 499)
    for curve, run in zip(head["curves"], runs, strict=True):
        columns = run.columns("loss")
        assert (curve["kind"], curve["n"]) == ("points", 21)
        assert curve["arrays"]["x"].tolist() == list(range(100, 121))
        assert curve["arrays"]["y"].tolist() == columns.values[100:121].tolist()
        assert curve["arrays"]["around"].tolist() == [99, columns.values[99], 121, columns.values[121]]


def test_columns_are_equally_wide_on_a_logarithmic_axis_too(client: Client, log: Path) -> None:
    head = client.curves(tag="loss", run="lr0/seed1", width=20, scale="log")
    (curve,) = head["curves"]
    x = curve["arrays"]["x"]
    values = vizkit.load(log)["lr0/seed1"].columns("loss").values
    assert x[:2].tolist() == [1, 2] and x[-1] > len(values) / 2  # each early step has a column
    assert curve["arrays"]["x_last"][-1] == len(values) - 1
    edges = np.append(x, len(values)).astype(int)
    parts = [values[low:high] for low, high in pairwise(edges)]
    np.testing.assert_array_equal(curve["arrays"]["least"], [np.nanmin(part) for part in parts])


def test_numbers_are_sent_in_the_smallest_type_that_holds_them(client: Client) -> None:
    answer = client.get("curves", tag="loss", width=8000).content
    head = json.loads(answer[4 : 4 + int.from_bytes(answer[:4], "little")])
    places = [curve["arrays"] for curve in head["curves"]]
    for curve, place in zip(head["curves"], places, strict=True):
        assert place["x"] == {"type": "ramp", "offset": 0, "count": curve["n"], "start": 0.0, "step": 1.0}
    assert {place["y"]["type"] for place in places} <= {"float32", "float64"}


def test_columns_hold_the_extremes_of_all_points(client: Client, log: Path) -> None:
    head = client.curves(tag="loss", width=10, run="lr0/seed1")
    (curve,) = head["curves"]
    assert curve["kind"] == "columns"
    values = vizkit.load(log)["lr0/seed1"].columns("loss").values
    arrays = curve["arrays"]
    bounds = np.append(arrays["x"].astype(int), 500)
    assert arrays["n"].tolist() == np.diff(bounds).tolist() and arrays["n"].sum() == 500
    for index, (start, end) in enumerate(pairwise(bounds)):
        finite = values[start:end][np.isfinite(values[start:end])]
        assert arrays["least"][index] == finite.min() and arrays["greatest"][index] == finite.max()
        assert (arrays["first"][index], arrays["last"][index]) == (values[start], values[end - 1])
    assert arrays["nan"].tolist() == arrays["above"].tolist() == [1, *[0] * 9]
    assert "below" not in arrays


@pytest.mark.parametrize("x", ["step", "epoch", "time", "relative", "walltime", "eval/acc"])
def test_every_axis_is_that_of_the_plots(x: str, client: Client, log: Path) -> None:
    head = client.curves(tag="loss", x=x, run="lr0/seed0")
    data = curves_data(vizkit.load(log)["lr0/seed0"], "loss", x=x)
    seconds = {"s": 1, "min": 60, "h": 3600, "days": 86400}.get(data.unit, 1)
    arrays = head["curves"][0]["arrays"]
    np.testing.assert_allclose(arrays["x"], data.series[0].x * seconds)
    np.testing.assert_array_equal(arrays["y"], data.series[0].y)


def test_expressions_are_those_of_the_plots(client: Client, log: Path) -> None:
    text = "{loss} * 2 - {eval/acc}"
    head = client.curves(tag=text)
    data = curves_data(vizkit.load(log), text)
    assert [curve["run"] for curve in head["curves"]] == [curve.name for curve in data.series]
    for curve, expected in zip(head["curves"], data.series, strict=True):
        np.testing.assert_array_equal(curve["arrays"]["x"], expected.x)
        np.testing.assert_array_equal(curve["arrays"]["y"], expected.y)
    (mean, *_) = client.curves(tag=text, group="lr")["groups"]
    np.testing.assert_array_equal(
        mean["arrays"]["y"], curves_data(vizkit.load(log), text, by="lr").series[0].y
    )
    last = data.series[0]
    (value,) = client.json("values", tag=text, at=1e9, run=last.name)["values"]
    assert (value["x"], value["step"], value["value"]) == (last.x[-1], last.x[-1], last.y[-1])


@pytest.mark.parametrize(
    ("tag", "status", "reason"),
    [("{loss} -", 400, "ends too early"), ("{lss} * 2", 404, "'lss'"), ("{" * 4000, 400, "1000 characters")],
)
@pytest.mark.parametrize("path", ["curves", "values"])
def test_expressions_that_are_none_are_refused(
    path: str, tag: str, status: int, reason: str, client: Client
) -> None:
    answer = client.get(path, tag=tag, **({"at": 1} if path == "values" else {}))
    assert answer.status_code == status
    if path == "curves":
        assert reason in answer.json()["message"]
        assert answer.json()["parameter"] == ("tag" if status == 400 else None)


@pytest.mark.parametrize("smooth", ["0.9", "time:0.9", "gaussian:5", "mean:9"])
def test_smoothing_is_of_all_points(smooth: str, client: Client, log: Path) -> None:
    (curve,) = client.curves(tag="loss", run="lr1/seed2", start=200, end=300, width=100, smooth=smooth)[
        "curves"
    ]
    columns = vizkit.load(log)["lr1/seed2"].columns("loss")
    expected = smoothed(columns.values, smoothing(smooth), columns.steps)
    np.testing.assert_allclose(curve["smooth"]["y"], expected[200:301])
    assert curve["arrays"]["y"].tolist() == columns.values[200:301].tolist()


@pytest.mark.parametrize("band", ["ci", "std", "se", "minmax"])
def test_groups_are_those_of_the_plots(band: Any, client: Client, log: Path) -> None:
    head = client.curves(tag="eval/acc", group="lr", band=band)
    data = curves_data(vizkit.load(log), "eval/acc", by="lr", band=band)
    assert [group["label"] for group in head["groups"]] == [curve.name for curve in data.series]
    assert head["groups"][0]["runs"] == ["lr0/seed0", "lr0/seed1"] and head["curves"] == []
    for group, curve in zip(head["groups"], data.series, strict=True):
        for name, expected in (("x", curve.x), ("y", curve.y), ("low", curve.low), ("high", curve.high)):
            assert expected is not None
            np.testing.assert_allclose(group["arrays"][name], expected)
        assert group["arrays"]["reach"].tolist() == curve.n.tolist()  # type: ignore[union-attr]
    assert bool(head["band"])


def test_a_group_in_columns_keeps_the_extremes_of_its_band(client: Client) -> None:
    whole = client.curves(tag="loss", group="lr", center="median", band="minmax", width=8000)["groups"][0][
        "arrays"
    ]
    few = client.curves(tag="loss", group="lr", center="median", band="minmax", width=5)["groups"][0][
        "arrays"
    ]
    assert len(few["x"]) == 5 and few["n"].sum() == len(whole["x"]) == 500
    assert few["low"].min() == np.nanmin(whole["low"]) and few["reach"].tolist() == [0, 2, 2, 2, 1]


def test_members_of_groups_are_curves_too(client: Client) -> None:
    head = client.curves(tag="pair/b", run="lr0/seed0")
    assert head["curves"][0]["arrays"]["y"].tolist() == [2.0]


def test_a_run_without_the_tag_says_so(client: Client) -> None:
    answer = client.get("curves", tag="none", run="lr0/seed0")
    assert answer.status_code == 404 and "'none'" in answer.json()["message"]
    answer = client.get("curves", tag="los")
    assert answer.status_code == 404 and "'los'" in answer.json()["message"]
    answer = client.get("curves", tag="loss", run="nowhere")
    assert answer.status_code == 404 and "'nowhere'" in answer.json()["message"]


def test_the_same_answer_is_not_sent_twice(client: Client) -> None:
    first = client.get("curves", tag="loss", width=33)
    again = client.http.get(
        "curves", params={"tag": "loss", "width": 33}, headers={"If-None-Match": first.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")
    other = client.http.get(
        "curves", params={"tag": "loss", "width": 34}, headers={"If-None-Match": first.headers["etag"]}
    )
    assert other.status_code == 200


def test_many_points_of_groups_are_taken_stretch_by_stretch(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    query: dict[str, Any] = {"tag": "loss", "group": "lr", "width": 700}
    whole = client.curves(**query)["groups"][0]["arrays"]
    monkeypatch.setattr("vizkit.curves.group_windows._POINTS", 100)
    parts = client.curves(**query, start=0)["groups"][0]["arrays"]  # another address: the first is cached
    for name in ("x", "y", "low", "high", "reach"):
        np.testing.assert_array_equal(parts[name], whole[name])
