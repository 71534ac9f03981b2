from __future__ import annotations

import io
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike
from PIL import Image

from tests.helpers import by_tag
from vizkit import DataError, Tracker, VizKitWarning
from vizkit.media.overlays import check_annotations, draw_annotations, draw_heat_map
from vizkit.media.palette import class_color
from vizkit.metrics.arrays import Pixels

GREY = np.full((300, 300), 128, np.uint8)
SIZE = (300, 300)


def drawn(pixels: Any = GREY, **marks: Any) -> Any:
    return draw_annotations(pixels, check_annotations(pixels.shape[:2], **marks))


# ---- masks ------------------------------------------------------------------------------------------


def test_a_mask_colours_its_classes_and_leaves_background_and_ignored_pixels() -> None:
    mask = np.zeros(SIZE, int)
    mask[50:100, 50:100] = 1
    mask[150:200, 150:200] = 2
    mask[250:, :] = 255
    out = drawn(mask=mask)
    assert (out[10, 10] == 128).all()
    assert (out[280, 10] == 128).all()
    for number, place in ((1, 75), (2, 175)):
        mixed = np.rint(0.55 * 128 + 0.45 * np.array(class_color(number)))
        np.testing.assert_array_equal(out[place, place], mixed)
        np.testing.assert_array_equal(out[place - 25, place], class_color(number))  # its outline


def test_the_legend_shows_the_classes_that_occur() -> None:
    mask = np.zeros(SIZE, int)
    mask[100:, :] = 2
    legend = drawn(mask=mask, class_names=["background", "cat", "dog"])[300:]
    assert len(legend) > 15
    colors = {tuple(color) for color in legend.reshape(-1, 3).tolist()}
    assert class_color(2) in colors
    assert class_color(1) not in colors


def test_an_empty_mask_changes_nothing() -> None:
    out = drawn(mask=np.zeros(SIZE, int))
    np.testing.assert_array_equal(out, np.repeat(GREY[..., None], 3, axis=2))


def test_a_bool_mask_and_one_with_an_axis_of_one_are_masks() -> None:
    mask = np.zeros(SIZE, bool)
    mask[:100] = True
    expected = drawn(mask=mask.astype(int))
    for given in (mask, mask[None], mask[..., None], mask.astype("float32")):
        np.testing.assert_array_equal(drawn(mask=given), expected)


def test_a_small_image_is_enlarged_with_its_mask_and_boxes() -> None:
    small = np.zeros((28, 28), np.uint8)
    mask = np.zeros((28, 28), int)
    mask[:14] = 1
    out = drawn(small, mask=mask, boxes=[[10, 10, 20, 20]])
    assert out.shape[1:] == (280, 3)
    assert (out[50, 5] == np.rint(0.45 * np.array(class_color(1)))).all()
    assert (out[200, 5] == 0).all()
    assert (out[150, 100] == class_color(0)).all()  # the box's left side


def test_neighbouring_colours_differ() -> None:
    colors = [np.array(class_color(number), int) for number in range(30)]
    for one, other in itertools.combinations(colors, 2):
        assert abs(one - other).sum() > 20


# ---- boxes ------------------------------------------------------------------------------------------


def test_a_box_is_drawn_on_its_pixels() -> None:
    out = drawn(boxes=[[100, 120, 200, 220]])
    changed = np.argwhere((out != 128).any(axis=2))
    assert changed.min(axis=0).tolist() == [120, 100]
    assert changed.max(axis=0).tolist() == [219, 199]
    assert (out[160, 150] == 128).all()


def test_labels_and_scores_are_written_above_boxes() -> None:
    plain, named = drawn(boxes=[[100, 120, 200, 220]]), drawn(boxes=[[100, 120, 200, 220]], labels=["cat"])
    scored = drawn(boxes=[[100, 120, 200, 220]], labels=["cat"], scores=[0.5])
    above = [int((out[:120] != 128).any(axis=2).sum()) for out in (plain, named, scored)]
    assert 0 == above[0] < above[1] < above[2]


def test_a_label_stays_within_the_image() -> None:
    out = drawn(boxes=[[270, 0, 300, 40]], labels=["a rather long name"])
    assert (out[2, 200] == class_color(0)).all()


def test_what_sticks_out_is_cut_off() -> None:
    np.testing.assert_array_equal(
        drawn(boxes=[[-10, -5, 100, 400]]),
        drawn(boxes=[[0, 0, 100, 300]]),
    )


def test_the_surest_box_is_in_front() -> None:
    boxes = [[50, 50, 150, 150], [50, 50, 150, 150]]
    out = drawn(boxes=boxes, labels=[1, 2], scores=[0.9, 0.3])
    assert (out[100, 50] == class_color(1)).all()


def test_no_boxes_are_fine() -> None:
    empty: list[ArrayLike] = [[], np.empty((0, 4))]
    for boxes in empty:
        assert (drawn(boxes=boxes, labels=[], scores=[]) == 128).all()


def test_names_and_numbers_of_a_class_have_one_colour() -> None:
    names = ["cat", "dog"]
    by_number = drawn(boxes=[[50, 50, 150, 150]], labels=[1], class_names=names)
    np.testing.assert_array_equal(
        by_number, drawn(boxes=[[50, 50, 150, 150]], labels=["dog"], class_names=names)
    )


@pytest.mark.parametrize(
    ("marks", "message"),
    [
        ({"mask": np.zeros((300, 200), int)}, r"must be of shape \[300, 300\]"),
        ({"mask": np.zeros((3, 300, 300), int)}, "argmax"),
        ({"mask": np.full(SIZE, 0.5)}, "class numbers"),
        ({"mask": np.full(SIZE, -1)}, "from 0 on, got -1"),
        ({"mask": np.full(SIZE, 3), "class_names": ["a", "b"]}, "class 3, but there are 2"),
        ({"boxes": [[1, 2, 3]]}, r"\[n, 4\]"),
        ({"boxes": [1, 2, 3, 4]}, r"\[n, 4\]"),
        ({"boxes": [[10, 10, 5, 20]]}, "ends before it begins"),
        ({"boxes": [[1, 1, 2, 2], [400, 10, 500, 20]]}, "box 1 .* outside"),
        ({"boxes": [[0.1, 0.1, 0.5, 0.9]]}, "multiply"),
        ({"boxes": [[1, 1, np.nan, 9]]}, "not finite"),
        ({"boxes": [[1, 1, 9, 9]], "labels": [1, 2]}, "1 boxes need 1 labels"),
        ({"boxes": [[1, 1, 9, 9]], "labels": ["a", "b"]}, "1 boxes need 1 labels, got 2"),
        ({"boxes": [[1, 1, 9, 9]], "scores": [[1, 2]]}, "1 boxes need 1 scores"),
        ({"boxes": [[1, 1, 9, 9]], "labels": [2], "class_names": ["a", "b"]}, "class 2, but there are 2"),
        ({"boxes": [[1, 1, 9, 9]], "labels": [-1]}, "from 0 on, got -1"),
        ({"labels": [1]}, "pass boxes="),
    ],
)
def test_what_does_not_fit_is_told(marks: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        check_annotations(SIZE, **marks)


# ---- heat maps ----------------------------------------------------------------------------------------


def test_heat_is_clear_where_it_is_cold_and_bright_where_it_is_hot() -> None:
    heat = np.zeros(SIZE)
    heat[:, 100:200] = 0.5
    heat[:, 200:] = 1
    out = draw_heat_map(GREY, heat).astype(int)
    assert (out[0, 0] == 128).all()
    assert np.ptp(out[0, 150]) > 50  # a colour
    assert out[0, 250].sum() > out[0, 150].sum()


@pytest.mark.parametrize("heat", [np.zeros(SIZE), np.full(SIZE, np.nan), -np.ones(SIZE)])
def test_no_heat_leaves_the_image(heat: Any) -> None:
    assert (draw_heat_map(GREY, heat) == 128).all()


def test_a_heat_map_of_another_size_is_refused() -> None:
    with pytest.raises(DataError, match="of its size"):
        draw_heat_map(GREY, np.zeros((3, 3)))


# ---- recorded --------------------------------------------------------------------------------------


def test_an_image_is_recorded_with_mask_and_boxes(tmp_path: Path) -> None:
    img = np.random.default_rng(0).random((3, 290, 310)).astype("float32")
    mask = np.zeros((290, 310), np.int32)
    mask[100:] = 1
    before = img.copy(), mask.copy()
    with Tracker(tmp_path, strict=True) as tracker:
        tracker.log_image(
            "seg", img, 3, dataformats="CHW", mask=mask, boxes=[[5, 5, 50, 60]], labels=["cat"], scores=[0.5]
        )
        img[:], mask[:] = 0, 0  # it was copied
    (record,) = by_tag(tmp_path)["seg"]
    picture = np.asarray(Image.open(io.BytesIO(record.data)))
    assert record.step == 3
    expected = np.rint(before[0].transpose(1, 2, 0) * 255).astype(np.uint8)
    same = drawn(expected, mask=before[1], boxes=[[5, 5, 50, 60]], labels=["cat"], scores=[0.5])
    np.testing.assert_array_equal(picture, same)


def test_marks_that_do_not_fit_are_lost_with_a_warning(tmp_path: Path) -> None:
    with Tracker(tmp_path) as tracker, pytest.warns(VizKitWarning, match="a mask of an image of 8 x 8"):
        tracker.log_image("seg", np.zeros((8, 8)), dataformats="HW", mask=np.zeros((4, 4), int))
        tracker.log_image("seg", np.zeros((2, 8, 8, 3)), dataformats="NHWC", boxes=[[1, 1, 2, 2]])
    assert tracker.lost == {"seg": 2}


def test_labels_and_scores_may_be_columns() -> None:
    box = [[50, 50, 150, 150], [100, 100, 200, 200]]
    flat = drawn(boxes=box, labels=[1, 2], scores=[0.9, 0.8])
    columns = drawn(boxes=box, labels=np.array([[1], [2]]), scores=np.array([[0.9], [0.8]]))
    np.testing.assert_array_equal(flat, columns)


def test_a_legend_of_many_classes_ends_with_an_ellipsis() -> None:
    def legend(classes: int) -> Pixels:
        pixels: Pixels = drawn(mask=np.arange(300)[:, None].repeat(300, axis=1) % (classes + 1))[300:]
        return pixels

    many = legend(45)
    np.testing.assert_array_equal(many, legend(60))  # the first 39 and an ellipsis
    assert len(many) > 2 * len(legend(1))  # in several lines
    assert many.shape != legend(39).shape or (many != legend(39)).any()
