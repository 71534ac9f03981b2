"""Layers of images in records: kept to the pixel, skipped by stock VisualDL, bounded whoever wrote them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import vizkit
from tests.helpers import series, stock
from vizkit import DataError, Tracker
from vizkit.format import wire
from vizkit.format.packed_layers import PackedLayers, pack_layers
from vizkit.media import png
from vizkit.media.image_layers import NO_IMAGE, BoxLayer, Layers
from vizkit.media.overlays import check_annotations, draw_annotations
from vizkit.media.palette import class_color

from .frames import fast

RNG = np.random.default_rng(3)
IMAGE = RNG.integers(0, 256, (6, 9, 3)).astype(np.uint8)


def reread(layers: Layers) -> Layers:
    return PackedLayers.of(pack_layers(layers)).unpacked()


@fast
@given(
    st.lists(st.one_of(st.integers(0, 300), st.integers(0, 2**40)), min_size=1, max_size=12),
    st.integers(0, 2**32),
)
def test_masks_come_back_class_by_class(classes: list[int], seed: int) -> None:
    random = np.random.default_rng(seed)
    masks = {name: random.choice(classes, (6, 9)) for name in ("label", "prediction")}
    found = reread(Layers(IMAGE, masks, class_names={classes[0]: "首"}))
    np.testing.assert_array_equal(found.image, IMAGE)
    assert list(found.masks) == ["label", "prediction"]
    for name, mask in masks.items():
        np.testing.assert_array_equal(found.masks[name], mask)
    if classes[0] not in (0, 255) and any((mask == classes[0]).any() for mask in masks.values()):
        assert found.class_names[classes[0]] == "首"
    difference = found.difference
    assert difference is not None
    np.testing.assert_array_equal(
        difference, (masks["label"] != masks["prediction"]) & (masks["label"] != 255)
    )


@pytest.mark.parametrize("shape", [(6, 9), (6, 9, 1), (6, 9, 3), (6, 9, 4)])
def test_the_bare_image_is_any_image(shape: tuple[int, ...]) -> None:
    image = RNG.integers(0, 256, shape).astype(np.uint8)
    np.testing.assert_array_equal(reread(Layers(image)).image.reshape(shape), image)


def test_layers_may_be_of_an_image_that_is_elsewhere() -> None:
    mask = RNG.integers(0, 4, (6, 9))
    found = reread(Layers(NO_IMAGE, {"label": mask}, size=(6, 9)))
    assert found.size == (6, 9) and not found.image.size
    np.testing.assert_array_equal(found.masks["label"], mask)
    with pytest.raises(DataError, match="not of one size"):
        PackedLayers.of(pack_layers(Layers(NO_IMAGE, {"label": mask}, size=(6, 8))))
    with pytest.raises(DataError, match="not of one size"):
        PackedLayers.of(pack_layers(Layers(NO_IMAGE, size=(1 << 20, 1 << 20))))


def test_boxes_come_back_with_scores_or_none() -> None:
    places, classes = np.array([[0, 1, 4.25, 5], [2, 2, 9, 6]]), np.array([3, 1])
    scored = BoxLayer(places, classes, ["cat", ""], np.array([0.5, np.nan]))
    found = reread(
        Layers(IMAGE, boxes={"label": BoxLayer(places, classes, ["a", "b"]), "prediction": scored})
    )
    np.testing.assert_array_equal(found.boxes["label"].places, places)
    assert found.boxes["label"].scores is None and found.boxes["label"].texts == ["a", "b"]
    np.testing.assert_array_equal(found.boxes["prediction"].scores, [0.5, np.nan])
    assert found.boxes["prediction"].classes.tolist() == [3, 1]


def test_a_mask_is_a_picture_in_the_colours_of_its_classes() -> None:
    mask = np.array([[0, 7, 255]])
    packed = PackedLayers.of(pack_layers(Layers(np.zeros((1, 3), np.uint8), {"mask": mask})))
    picture = np.asarray(Image.open(io.BytesIO(packed.masks["mask"])).convert("RGBA"))
    assert picture[0].tolist() == [[0, 0, 0, 0], [*class_color(7), 255], [0, 0, 0, 0]]


def test_a_mask_of_too_many_classes_is_left_out() -> None:
    image = np.zeros((16, 17), np.uint8)
    many = np.arange(16 * 17).reshape(16, 17)
    few = many % 200
    assert list(reread(Layers(image, {"label": many, "prediction": few})).masks) == ["prediction"]


def test_where_masks_differ_is_a_picture() -> None:
    label, prediction = np.array([[1, 2, 255, 0]]), np.array([[1, 1, 2, 0]])
    layers = Layers(np.zeros((1, 4), np.uint8), {"label": label, "prediction": prediction})
    packed = PackedLayers.of(pack_layers(layers))
    picture = packed.picture("difference")
    assert picture is not None and packed.picture("none") is None
    assert png.decode_indexes(picture).tolist() == [[0, 1, 2, 0]]


def test_stock_readers_see_the_drawn_picture_and_vizkit_the_layers(tmp_path: Path) -> None:
    mask, boxes = np.zeros((40, 50), int), [[1, 2, 20, 30], [5, 5, 40, 39]]
    mask[5:20, 5:30] = 2
    image = RNG.integers(0, 256, (40, 50, 3)).astype(np.uint8)
    marks: dict[str, Any] = {
        "mask": mask, "boxes": boxes, "labels": [1, 2], "scores": [0.75, 0.25],
        "class_names": ["a", "b", "c"],
    }  # fmt: skip
    with Tracker(tmp_path, strict=True) as tracker:
        tracker.log_image("shape", image, step=1, **marks)
        tracker.log_image("shape", image, step=2)
    drawn = png.encode_png(draw_annotations(image, check_annotations((40, 50), **marks)))
    assert series(tmp_path, "shape")[0][1] == drawn
    assert stock(tmp_path, "image", "shape")[0].image.encoded_image_string == drawn
    images = vizkit.load(tmp_path)[0].images("shape")
    np.testing.assert_array_equal(images[0], png.decode_png(drawn))
    found = images.layers(0)
    assert found is not None and images.layers(1) is None
    assert [images.entries.has_layers(at) for at in (0, 1)] == [True, False]
    np.testing.assert_array_equal(found.image, image)
    np.testing.assert_array_equal(found.masks["mask"], mask)
    assert found.class_names == {2: "c"}
    assert found.boxes["boxes"].texts == ["c", "b"]  # the most confident in front
    np.testing.assert_array_equal(found.boxes["boxes"].scores, [0.25, 0.75])


def test_layers_that_are_broken_or_too_large_are_refused() -> None:
    good = pack_layers(Layers(IMAGE, {"mask": np.ones((6, 9), int)}))
    parts = {number: value for number, _, value in wire.fields(good)}

    def changed(head: object = None, **others: bytes) -> bytes:
        text = parts[1] if head is None else json.dumps({**json.loads(parts[1]), **head}).encode()  # type: ignore[dict-item]
        fields = {"1": text, "2": parts[2], "3": parts[3], **others}
        return b"".join(wire.length_delimited(int(number), value) for number, value in fields.items())

    large = png.encode_indexes(np.zeros((7, 9), np.uint8), [(0, 0, 0, 0)])
    bomb = bytearray(parts[2])
    bomb[16:24] = b"\x7f\xff\xff\xff" * 2
    wrong = [
        b"", b"\x0a\xff", good[:-4], changed({"size": [6]}), changed({"size": [7, 9]}),
        changed({"masks": [1]}),
        changed({"masks": ["a", "b"]}), changed({"boxes": {"a": [[1, 2, 3, float("nan"), 0, ""]]}}),
        changed({"boxes": {"a": [[1, 2, 3]]}}), changed({"boxes": {"a": [[0, 0, 1, 1, 0, "x"]] * 6000}}),
        changed(**{"3": large}), changed(**{"1": b"[" * 10**6}),
        changed({"size": [2**31 - 1] * 2}, **{"2": bytes(bomb)}), changed(**{"3": b"no PNG"}),
    ]  # fmt: skip
    for data in wrong:
        with pytest.raises(DataError):
            PackedLayers.of(data)
    torn = PackedLayers.of(changed(**{"3": parts[3][:60]}))
    with pytest.raises(DataError):
        torn.unpacked()


@fast
@given(st.binary(max_size=200), st.integers(0, 400))
def test_no_bytes_break_the_reader(noise: bytes, at: int) -> None:
    good = pack_layers(Layers(IMAGE, {"label": np.ones((6, 9), int), "prediction": np.zeros((6, 9), int)}))
    try:
        packed = PackedLayers.of(good[:at] + noise + good[at + len(noise) :])
        packed.picture("difference")
        packed.unpacked()
    except DataError:
        pass
