"""Tables of samples over HTTP: filtered, sorted, paged, grouped, compared, as CSV; and single samples."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import vizkit
from vizkit.media.png import decode_indexes, decode_png

from .client import Client

NAMES = ["cat", "<b>dog</b>", "`'owl"]
N = 300
TABLE = "eval/predictions"


def sample_image(row: int) -> Any:
    return np.full((6, 5), row % 200, np.uint8)


def predictions(seed: int, step: int) -> dict[str, Any]:
    random = np.random.default_rng([seed, step])
    label = np.random.default_rng(9).integers(0, 3, N)
    right = random.random(N) < 0.5 + 0.2 * seed
    guess = np.where(right, label, (label + 1 + random.integers(0, 2, N)) % 3)
    loss = random.exponential(size=N).astype(np.float32)
    loss[::50] = np.nan
    return {
        "id": np.arange(N),
        "input": [sample_image(row) for row in range(N)],
        "label": [NAMES[place] for place in label],
        "prediction": [NAMES[place] for place in guess],
        "loss": loss,
        "light": ["day" if row % 3 else "night" for row in range(N)],
    }


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tables") / "log"
    for seed, name in enumerate("ab"):
        with vizkit.Tracker(root / name, system=False, strict=True) as tracker:
            for step in (0, 5):
                tracker.log_table(TABLE, predictions(seed, step), step=step)
            tracker.log_table("notes", {"text": ["one", None], "x": [1.0, np.inf]}, step=0)
    return root


@pytest.fixture(scope="module")
def samples(root: Path) -> Iterator[Client]:
    with vizkit.serve(root) as server:
        client = Client(server.port)
        yield client
        client.http.close()


def frame_of(root: Path, run: str, step: int | None = None) -> Any:
    return vizkit.load(root)[run].predictions(step, "eval")


@pytest.fixture(scope="module")
def evaluated_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A segmentation and embeddings."""
    root = tmp_path_factory.mktemp("evaluated") / "log"
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, (4, 12, 10))
    with vizkit.Tracker(root / "a", system=False, strict=True) as tracker:
        with tracker.evaluation("maps", task="segmentation", activation=None) as evaluation:
            evaluation.add(labels, random.dirichlet([1] * 3, labels.shape).transpose(0, 3, 1, 2),
                           random.random((4, 3, 12, 10)).astype(np.float32))  # fmt: skip
        with tracker.evaluation("faces", task="retrieval", class_names=NAMES) as evaluation:
            evaluation.add(np.arange(30) % 3, random.normal(size=(30, 5)), random.random((30, 1, 8, 8)))
    return root


@pytest.fixture(scope="module")
def evaluated(evaluated_root: Path) -> Iterator[Client]:
    with vizkit.serve(evaluated_root) as server:
        client = Client(server.port)
        yield client
        client.http.close()


def test_images_of_rows_have_layers(evaluated: Client, evaluated_root: Path) -> None:
    found = evaluated.json("rows", run="a", table="maps/predictions")
    at = [column["name"] for column in found["columns"]].index("input")
    image, over = found["rows"][2][at].split()
    assert found["images"][image] == found["images"][over] == "a"
    frame = vizkit.load(evaluated_root)["a"].predictions(tag="maps")
    layers = frame.input[2].layers()
    listed = evaluated.json("input-layers", run="a", digest=over)
    assert listed["size"] == [12, 10] and listed["masks"] == ["label", "prediction", "difference"]
    assert [one["number"] for one in listed["classes"]] == [1, 2]
    for name in ("label", "difference"):
        picture = evaluated.get("input-layer", run="a", digest=over, layer=name).content
        wanted = layers.masks["label"] if name == "label" else layers.difference
        np.testing.assert_array_equal(decode_indexes(picture), wanted)
    assert evaluated.get("input-layer", run="a", digest=over, layer="image").status_code == 404
    assert evaluated.get("input", run="a", digest=over).status_code == 404
    for digest in (image, "1", "no", "9" * 40):
        assert evaluated.get("input-layers", run="a", digest=digest).status_code == 404


def test_rows_are_points(evaluated: Client) -> None:
    asked = {"run": "a", "table": "faces/predictions"}
    points = evaluated.json("row-points", **asked, where="label == 'cat' or label == '<b>dog</b>'")
    rows = evaluated.json("rows", **asked)
    names = [column["name"] for column in rows["columns"]]
    wanted = [row for row in rows["rows"] if row[names.index("label")] in ("cat", "<b>dog</b>")]
    assert points["found"] == len(points["x"]) == len(wanted) == 20
    for key, name in (("ids", "id"), ("inputs", "input")):
        assert points[key] == [row[names.index(name)] for row in wanted]
    for key in "xy":
        np.testing.assert_allclose(points[key], [row[names.index(key)] for row in wanted], rtol=1e-6)
    assert [points["names"][group] for group in points["groups"]] == [
        row[names.index("label")] for row in wanted
    ]
    assert len(points["colors"]) == len(points["names"]) and set(points["images"]) == set(points["inputs"])
    assert evaluated.get("row-points", run="a", table="maps/predictions").status_code == 404


def test_tables_are_listed(samples: Client) -> None:
    found = samples.json("tables")
    assert found == {
        "tables": [
            {"run": run, "table": table, "steps": steps}
            for run in "ab"
            for table, steps in ((TABLE, [0, 5]), ("notes", [0]))
        ],
        "more": 0,
    }
    assert samples.get("tables", run="none").status_code == 404


def test_rows_are_filtered_sorted_and_paged(samples: Client, root: Path) -> None:
    frame = frame_of(root, "a")
    where = "not correct and light == 'day' and loss > 0.5"
    wanted = frame[~frame.correct & (frame.light == "day") & (frame.loss > 0.5)]
    wanted = wanted.sort_values("loss", ascending=False, kind="stable")
    asked = {"run": "a", "table": TABLE, "where": where, "order": "loss", "direction": "down"}
    found = samples.json("rows", **asked, start=3, most=10)
    assert (found["total"], found["found"], found["step"], found["steps"]) == (N, len(wanted), 5, [0, 5])
    names = [column["name"] for column in found["columns"]]
    assert names == ["id", "input", "label", "prediction", "loss", "light", "correct"]
    some = wanted.iloc[3:13]
    assert [row[0] for row in found["rows"]] == some.id.tolist() == found["places"]
    assert [row[2] for row in found["rows"]] == some.label.tolist()
    np.testing.assert_array_equal(np.array([row[4] for row in found["rows"]], np.float32), some.loss)
    last = samples.json("rows", run="a", table=TABLE, order="loss", start=N - 6)["rows"]
    assert [row[4] for row in last] == [None] * 6  # NaN
    first = samples.json("rows", run="a", table=TABLE, step=1, most=1)
    assert first["step"] == 0 and len(first["rows"]) == 1  # the nearest


def test_wrong_expressions_and_names_are_told(samples: Client) -> None:
    asked = {"run": "a", "table": TABLE}
    assert samples.get("rows", **asked, where="label ==").status_code == 400
    assert samples.get("rows", **asked, where="label > 3").status_code == 400
    assert "closest: 'label'" in samples.get("rows", **asked, where="labl == 'cat'").json()["message"]
    for wrong in ({"order": "x"}, {"table": "none"}, {"run": "c"}, {"against": "c"}):
        assert samples.get("rows", **{**asked, **wrong}).status_code == 404
    assert samples.get("row-groups", **asked).status_code == 400
    assert samples.get("row-groups", **asked, by=["x"]).status_code == 404
    assert samples.get("rows", run="a", table="notes", against="b").status_code == 400  # no ids


def test_groups_are_a_confusion_matrix_and_select_their_rows(samples: Client, root: Path) -> None:
    frame = frame_of(root, "b", 0)
    asked = {"run": "b", "table": TABLE, "step": 0}
    groups = samples.json("row-groups", **asked, by=["label", "prediction"])["groups"]
    assert {tuple(one["values"]): one["n"] for one in groups} == frame.groupby(
        ["label", "prediction"]
    ).size().to_dict()
    for one in groups:
        rows = samples.json("rows", **asked, where=one["where"], most=1000)
        assert rows["found"] == one["n"]
        assert {(row[2], row[3]) for row in rows["rows"]} == {tuple(one["values"])}
        assert one["correct"] == (one["values"][0] == one["values"][1])
    by_light = samples.json("row-groups", **asked, by=["light"])["groups"]
    assert [(one["values"], one["n"]) for one in by_light] == [(["day"], 200), (["night"], 100)]
    means = frame.groupby("light").agg(correct=("correct", "mean"), loss=("loss", "mean"))
    np.testing.assert_allclose([one["correct"] for one in by_light], means.correct)
    np.testing.assert_allclose([one["loss"] for one in by_light], means.loss, rtol=1e-6)
    bins = samples.json("row-groups", **asked, by=["loss"])["groups"]
    found = [samples.json("rows", **asked, where=one["where"], most=0)["found"] for one in bins]
    assert found == [one["n"] for one in bins] and sum(found) == N
    assert bins[-1]["values"] == [None] and bins[-1]["n"] == 6
    few = samples.json("row-groups", **asked, by=["label"], most=1)
    assert (len(few["groups"]), few["more"]) == (1, 2)


def test_two_runs_are_compared_as_diff_samples_does(samples: Client, root: Path) -> None:
    expected = vizkit.load(root).diff_samples("a", "b", tag="eval")
    asked = {"run": "a", "table": TABLE, "against": "b"}
    found = samples.json("rows", **asked, most=1000)
    pairs = found["pairs"]
    assert pairs["verdict"] == expected.verdict and found["other_step"] == 5
    names = [column["name"] for column in found["columns"]]
    change, ids = names.index("change"), names.index("id")
    for name in ("mended", "broken", "both_wrong", "both_right"):
        frame = getattr(expected, name)
        assert pairs[name] == len(frame)
        rows = samples.json("rows", **asked, where=f"change == '{name.replace('_', ' ')}'", most=1000)["rows"]
        assert {row[ids] for row in rows} == set(frame.id)
    other = frame_of(root, "b")
    assert [row[names.index("b.prediction")] for row in found["rows"]] == other.prediction.tolist()
    both = samples.json("rows", **asked, where="prediction != `b.prediction` and b.loss < loss", most=0)
    one = frame_of(root, "a")
    assert both["found"] == ((one.prediction != other.prediction) & (other.loss < one.loss)).sum()
    assert {row[change] for row in found["rows"]} == {"mended", "broken", "both wrong", "both right"}


def test_a_metric_is_compared_by_how_much_better_it_is(tmp_path: Path) -> None:
    for run, shift in (("a", 0.0), ("b", 0.25)):
        with vizkit.Tracker(tmp_path / run, system=False) as tracker:
            iou = np.array([0.5, 0.25, 0.75]) + shift * np.array([1, -1, 0])
            columns = {"id": np.array([3, 1, 2]), "iou": iou}
            tracker.log_table("eval/predictions", columns, step=0, about={"task": "segmentation"})
    with vizkit.serve(tmp_path) as server:
        client = Client(server.port)
        found = client.json("rows", run="a", table=TABLE, against="b", order="change")
        names = [column["name"] for column in found["columns"]]
        rows = [dict(zip(names, row, strict=True)) for row in found["rows"]]
        assert [(row["id"], row["change"]) for row in rows] == [(1, -0.25), (2, 0), (3, 0.25)]
        assert found["pairs"]["mended"] is None and found["pairs"]["verdict"]
        client.http.close()


def test_no_text_of_a_downloaded_table_is_run_by_a_spreadsheet(tmp_path: Path) -> None:
    texts = ["=1+1", "@x", "plain", "-3", "＝1", None]
    with vizkit.Tracker(tmp_path / "a", system=False) as tracker:
        tracker.log_table("notes", {"=name": texts, "x": np.arange(6) - 3}, step=0)
    with vizkit.serve(tmp_path) as server:
        client = Client(server.port)
        answer = client.get("rows.csv", run="a", table="notes")
        client.http.close()
    head, *rows = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert head == ["'=name", "x"]
    assert [row[0] for row in rows] == ["'=1+1", "'@x", "plain", "-3", "'＝1", ""]
    assert [row[1] for row in rows] == ["-3", "-2", "-1", "0", "1", "2"]


def test_rows_as_csv(samples: Client, root: Path) -> None:
    answer = samples.get("rows.csv", run="a", table=TABLE, where="not correct", order="loss")
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    assert answer.text.count("\ufeff") == answer.text.startswith("\ufeff") == 1  # by which Excel knows UTF-8
    assert pd.read_csv(io.BytesIO(answer.content)).columns[0] == "id"
    head, *rows = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert head == ["id", "label", "prediction", "loss", "light", "correct"]
    frame = frame_of(root, "a")
    wanted = frame[~frame.correct].sort_values("loss", kind="stable")
    assert [row[0] for row in rows] == wanted.id.astype(str).tolist()
    assert [row[1] for row in rows] == wanted.label.tolist()
    np.testing.assert_array_equal(np.array([row[3] for row in rows], np.float32), wanted.loss)
    assert samples.get("rows.csv", run="a", table=TABLE, where="x").status_code == 404


def test_a_sample_over_steps_and_runs_with_its_image(samples: Client, root: Path) -> None:
    found = samples.json("sample", table=TABLE, id="7", run=["a", "b"])
    assert found["complete"] and [(row["run"], row["step"]) for row in found["rows"]] == [
        ("a", 0), ("a", 5), ("b", 0), ("b", 5),
    ]  # fmt: skip
    for row in found["rows"]:
        expected = frame_of(root, row["run"], row["step"]).iloc[7]
        assert row["cells"]["prediction"] == expected.prediction
        assert np.float32(row["cells"]["loss"]) == expected.loss
    digest = found["rows"][0]["cells"]["input"]
    image = samples.get("input", run=found["images"][digest], digest=digest)
    np.testing.assert_array_equal(decode_png(image.content), sample_image(7))
    assert "immutable" in image.headers["cache-control"]
    for wrong in ("0", "1", "x", "-5", "9" * 30):
        assert samples.get("input", run="a", digest=wrong).status_code == 404
    for none in ("no", "-1", "9" * 30):
        assert samples.json("sample", table=TABLE, id=none, run=["a"])["rows"] == []
    (place,) = samples.json("sample", table="notes", id="1", run=["a"])["rows"]  # no ids: its place
    assert place["cells"] == {"text": None, "x": "inf"}


def test_a_damaged_table_is_that_tables_problem(tmp_path: Path) -> None:
    for run in "ab":
        with vizkit.Tracker(tmp_path / run, system=False) as tracker:
            tracker.log_table(TABLE, {"id": np.arange(3)}, step=0)
    (file,) = (tmp_path / "a").rglob("*.npz")
    file.write_bytes(file.read_bytes()[:-40])
    with vizkit.serve(tmp_path) as server:
        client = Client(server.port)
        assert client.get("rows", run="a", table=TABLE).status_code == 404
        assert client.json("rows", run="b", table=TABLE)["total"] == 3
        client.http.close()
