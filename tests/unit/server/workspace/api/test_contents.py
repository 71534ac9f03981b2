"""Records of other kinds than scalars over HTTP: where they are, and what they hold."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import vizkit
from vizkit.media.palette import color
from vizkit.media.png import decode_png, encode_png
from vizkit.server.workspace.api.thumbnails import thumbnail

from .client import Client


def contents(client: Client, run: str, tag: str, **more: Any) -> list[Any]:
    """The answers with all records of a tag of a run."""
    (found,) = client.json("records", run=run, tag=tag, **more)["runs"]
    return [
        client.get("content", run=run, tag=tag, place=place, name=name)
        for place, name in zip(found["places"], found["names"], strict=True)
    ]


def test_records_of_all_runs_have_places_and_contents_for_good(client: Client, log: Path) -> None:
    answer = client.json("records", tag="picture")
    assert [(one["run"], one["kind"], one["steps"], one["total"]) for one in answer["runs"]] == [
        (run.name, "image", [3, 5], 2) for run in vizkit.load(log)
    ]
    pictures = contents(client, "lr0/seed0", "picture")
    images = vizkit.load(log)["lr0/seed0"].images("picture")
    assert [one.content for one in pictures] == [images.png(0), images.png(1)]
    for one in pictures:
        assert one.headers["content-type"] == "image/png"
        assert "immutable" in one.headers["cache-control"] and "max-age" in one.headers["cache-control"]
        assert one.headers["x-content-type-options"] == "nosniff"
    (text,) = contents(client, "lr0/seed0", "words")
    assert text.text == "some text" and text.headers["content-type"].startswith("text/plain")


def test_layers_of_an_image(tmp_path: Path) -> None:
    mask = np.zeros((6, 8), int)
    mask[2:4] = 3
    with vizkit.LogWriter(tmp_path / "run") as writer:
        image = np.arange(48, dtype=np.uint8).reshape(6, 8)
        writer.add_image("shape", image, 0, dataformats="HW")
        boxes: Any = {"boxes": [[0, 1, 7.5, 5]], "labels": ["<cat>"], "scores": [0.5]}
        writer.add_image("shape", image, 1, dataformats="HW", mask=mask, **boxes)
    with vizkit.serve(tmp_path) as server:
        client = Client(server.port)
        (found,) = client.json("records", tag="shape")["runs"]
        assert found["layers"]
        plain, layered = (
            {"run": "run", "tag": "shape", "place": place, "name": found["names"][place]} for place in (0, 1)
        )
        none = {"size": [0, 0], "masks": [], "boxes": {}, "classes": [], "threshold": 0}
        assert client.json("layers", **plain) == none
        layers = client.json("layers", **layered)
        assert layers["size"] == [6, 8] and layers["masks"] == ["mask"]
        (box,) = layers["boxes"]["boxes"]
        assert box == {"place": [0, 1, 7.5, 5], "color": color(0), "text": "<cat>", "score": 0.5}
        assert layers["classes"] == [{"number": 3, "name": "3", "color": color(3)}]
        bare = client.get("layer", **layered, layer="image")
        np.testing.assert_array_equal(decode_png(bare.content), image)
        assert "immutable" in bare.headers["cache-control"]
        picture = Image.open(io.BytesIO(client.get("layer", **layered, layer="mask").content)).convert("RGBA")
        np.testing.assert_array_equal(np.asarray(picture)[..., 3] > 0, mask > 0)
        assert client.get("layer", **layered, layer="difference").status_code == 404
        recorded = client.get("content", **plain).content  # it is the bare image itself
        assert client.get("layer", **plain, layer="image").content == recorded
        assert client.get("layer", **plain, layer="mask").status_code == 404
        client.http.close()


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_large_images_come_as_thumbnails(tmp_path: Path, channels: int) -> None:
    noise = np.random.default_rng(0).integers(0, 40, (500, 800, channels)).astype(np.uint8)
    noise[:250] += 200
    with vizkit.LogWriter(tmp_path / "run") as writer:
        writer.add_image("large", noise, 0)
        writer.add_image("small", noise[:20, :30], 0)
    with vizkit.serve(tmp_path) as server:
        client = Client(server.port)
        for tag, expected in (("large", (160, 100)), ("small", (30, 20))):
            (found,) = client.json("records", tag=tag)["runs"]
            asked = {"run": "run", "tag": tag, "place": 0, "name": found["names"][0]}
            whole, some = client.get("content", **asked), client.get("content", **asked, side=160)
            assert Image.open(io.BytesIO(whole.content)).size == ((800, 500) if tag == "large" else (30, 20))
            picture = Image.open(io.BytesIO(some.content))
            assert picture.size == expected and len(some.content) <= max(len(whole.content) / 20, 65536)
            assert some.headers["content-type"] == f"image/{picture.format}".lower()
        client.http.close()
    pixels = np.asarray(Image.open(io.BytesIO(thumbnail(make_png(noise), 16))).convert("L"), int)
    assert pixels[:4].min() > 180 if channels != 4 else pixels.size
    broken = make_png(noise)[:-2000]
    assert thumbnail(broken, 16) == broken


def make_png(pixels: Any) -> bytes:
    return encode_png(pixels[..., 0] if pixels.shape[2] == 1 else pixels)


def test_what_is_no_record_is_not_found(client: Client) -> None:
    for tag in ("loss", "pair", "none"):
        assert client.get("records", run="lr0/seed0", tag=tag).status_code == 404
        assert client.get("content", run="lr0/seed0", tag=tag, place=0, name="a").status_code == 404
    (found,) = client.json("records", run="lr0/seed0", tag="picture")["runs"]
    for place, name in ((0, "other"), (0, ""), (10**9, found["names"][0][:-1])):
        assert (
            client.get("content", run="lr0/seed0", tag="picture", place=place, name=name).status_code == 404
        )
    moved = client.get("content", run="lr0/seed0", tag="picture", place=7, name=found["names"][1])
    assert moved.status_code == 200  # records before it have come or gone
    assert client.get("histograms", run="lr0/seed0", tag="picture").status_code == 404


def test_answers_are_bounded_and_say_what_they_leave_out(tmp_path: Path) -> None:
    with vizkit.LogWriter(tmp_path / "run") as writer:
        for step in range(300):
            writer.add_text("words", f"text {step}", step)
            writer.add_histogram("weights", np.arange(1000.0), step, buckets=1000)
    with vizkit.serve(tmp_path) as server:
        client = Client(server.port)
        (some,) = client.json("records", tag="words", most=4)["runs"]
        assert (some["steps"], some["total"]) == ([0, 100, 199, 299], 300)
        (few,) = client.json("records", tag="words", start=10, end=12.5)["runs"]
        assert (few["steps"], few["total"]) == ([10, 11, 12], 3)
        found = client.json("histograms", run="run", tag="weights", most=3)
        assert [one["step"] for one in found["records"]] == [0, 150, 299] and found["total"] == 300
        for one in found["records"]:
            assert len(one["counts"]) <= 256 and len(one["edges"]) == len(one["counts"]) + 1
            assert sum(one["counts"]) == 1000 and one["edges"][0] == 0 and one["edges"][-1] == 999
            for low, high, count in zip(one["edges"][:-1], one["edges"][1:], one["counts"], strict=True):
                inside = (np.arange(1000.0) >= low) & (np.arange(1000.0) < high)
                assert inside.sum() == count - (high == 999)  # the last one holds its right edge
        many = client.json("search", text="TEXT")
        assert len(many["found"]) == 200 and not many["complete"]
        client.http.close()


def test_texts_are_searched_in_all_runs_and_steps(tmp_path: Path) -> None:
    for name in ("a", "b"):
        with vizkit.LogWriter(tmp_path / name) as writer:
            for step in range(5):
                writer.add_text("notes", f"before {step}\n\tthe Loss of {name} is {step} after", step)
    with vizkit.serve(tmp_path) as server:
        client = Client(server.port)
        answer = client.json("search", text="loss of A is 3")
        assert answer["complete"]
        assert answer["found"] == [
            {"run": "a", "tag": "notes", "step": 3, "excerpt": "before 3 the Loss of a is 3 after"}
        ]
        assert [one["step"] for one in client.json("search", text="loss", run="b")["found"]] == [
            4,
            3,
            2,
            1,
            0,
        ]
        for nothing in ("", "  ", "no such words"):
            assert client.json("search", text=nothing) == {"found": [], "complete": True}
        assert client.get("search", text="a", run="none").status_code == 404
        client.http.close()


def test_curves_have_their_points_and_the_area_of_all_scores(tmp_path: Path) -> None:
    labels = np.arange(200) % 2
    scores = np.random.default_rng(1).random(200) * 0.7 + labels * 0.3
    with vizkit.LogWriter(tmp_path / "run") as writer:
        writer.add_pr_curve("pr", labels, scores, 1, num_thresholds=20)
        writer.add_roc_curve("roc", labels, scores, 1, num_thresholds=20)
    run = vizkit.load(tmp_path)["run"]
    with vizkit.serve(tmp_path) as server:
        client = Client(server.port)
        (pr,), (roc,) = contents(client, "run", "pr"), contents(client, "run", "roc")
        known, other = run.pr_curves("pr")[0], run.roc_curves("roc")[0]
        assert pr.json()["x"] == known.recall.tolist() and pr.json()["y"] == known.precision.tolist()
        assert roc.json()["x"] == other.fpr.tolist() and roc.json()["y"] == other.tpr.tolist()
        assert pr.json()["area"] == known.ap and roc.json()["area"] == other.auc
        assert roc.json()["thresholds"] == other.thresholds.tolist()
        for name in ("tp", "fp", "tn", "fn"):
            assert pr.json()[name] == getattr(known, name).tolist()
        client.http.close()


def test_a_name_means_one_content_while_the_log_grows_and_is_replaced(tmp_path: Path) -> None:
    def write(text: str) -> None:
        with vizkit.LogWriter(tmp_path / "run") as writer:
            writer.add_text("words", text, 1)

    write("first")
    reader = vizkit.load(tmp_path)["run"]
    first = reader.logs.entries("words").name(0)
    write("second")
    reader.refresh()
    entries = reader.logs.entries("words")
    names = {entries.name(index): entries[index] for index in range(len(entries))}
    assert len(names) == len(entries)
    assert names.get(first, "first") == "first"


def test_a_record_that_is_gone_is_said(tmp_path: Path) -> None:
    with vizkit.LogWriter(tmp_path / "run") as writer:
        writer.add_text("words", "text", 1)
    with vizkit.serve(tmp_path) as server:
        client = Client(server.port)
        (found,) = client.json("records", tag="words")["runs"]
        (log,) = (tmp_path / "run").glob("*vdlrecords*")
        log.unlink()
        query = {"run": "run", "tag": "words", "place": 0, "name": found["names"][0]}
        answer = client.get("content", **query)
        assert answer.status_code == 404 and answer.json()["message"]
        client.http.close()


def test_embeddings_are_left_to_visualdls_page(tmp_path: Path) -> None:
    with vizkit.LogWriter(tmp_path / "run") as writer:
        writer.add_embeddings("vectors", np.eye(3), metadata=["a", "b", "c"])
    with vizkit.serve(tmp_path) as server:
        client = Client(server.port)
        (answer,) = contents(client, "run", "vectors")
        assert answer.status_code == 404 and "embeddings" in answer.json()["message"]
        client.http.close()
