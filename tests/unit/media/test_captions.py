"""Captions and grids of captioned images: asserted on the pixels."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import paddle
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.unit.media.pictures import assert_inside, contrast, enlarged, ink_of, strip_of
from vizkit.errors import DataError, VizKitWarning
from vizkit.media.captions import add_caption, caption_color, captioned_grid, make_captions, percent

RNG = np.random.default_rng(5)
DIGIT = RNG.integers(0, 256, (28, 28), dtype=np.uint8)


@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 3), (28, 28, 1)])
def test_a_digit_is_enlarged_with_each_pixel_kept(shape: tuple[int, ...]) -> None:
    pixels = RNG.integers(0, 256, shape, dtype=np.uint8)
    image = add_caption(pixels, "true 7, predicted 1", good=False)
    assert image.dtype == np.uint8
    assert image.shape[1:] == (140, 3)
    np.testing.assert_array_equal(
        image[:140], enlarged(np.broadcast_to(pixels.reshape(28, 28, -1), (28, 28, 3)), 5)
    )


def test_alpha_is_kept_and_the_strip_is_opaque() -> None:
    pixels = RNG.integers(0, 256, (28, 28, 4), dtype=np.uint8)
    image = add_caption(pixels, "4")
    assert image.shape[2] == 4
    np.testing.assert_array_equal(image[:140], enlarged(pixels, 5))
    assert (image[140:, :, 3] == 255).all()


@pytest.mark.parametrize(
    ("height", "width", "factor"),
    [(32, 32, 4), (64, 64, 2), (300, 200, 1), (1, 1, 140), (20, 70, 2), (2000, 9, 1)],
)
def test_every_size_is_enlarged_by_a_whole_factor(height: int, width: int, factor: int) -> None:
    pixels = RNG.integers(0, 256, (height, width, 3), dtype=np.uint8)
    image = add_caption(pixels, "true cat, predicted dog", good=True)
    left = (image.shape[1] - width * factor) // 2
    found = image[: height * factor, left : left + width * factor]
    np.testing.assert_array_equal(found, enlarged(pixels, factor))
    rest = image[: height * factor].astype(int).sum() - found.astype(int).sum()
    assert rest == (image[: height * factor].size - found.size) * 255
    assert_inside(ink_of(strip_of(image, height * factor)))


def test_what_surrounds_a_narrow_image_with_alpha_is_transparent() -> None:
    image = add_caption(np.full((300, 10, 4), 255, np.uint8), "narrow")
    assert (image[:300, :, 3] == 255).sum() == 300 * 10


def test_good_is_blue_bad_is_orange_and_neither_is_grey() -> None:
    good, bad, plain = (
        strip_of(add_caption(DIGIT, "7", good))[0, 0].astype(int) for good in (True, False, None)
    )
    assert good[2] == good.max() > good[0] + 50
    assert bad[0] > bad[1] + 50 > bad[2] + 50
    assert np.ptp(plain) < 10


def test_good_and_bad_are_told_apart_without_colours() -> None:
    good, bad, plain = (ink_of(strip_of(add_caption(DIGIT, "", good))) for good in (True, False, None))
    assert good.any()
    assert bad.any()
    assert not plain.any()
    assert (good != bad).sum() > 20


def test_the_mark_stands_beside_the_text() -> None:
    mark, both = (ink_of(strip_of(add_caption(DIGIT, text, good=True))) for text in ("", "W"))
    end = np.nonzero(mark.any(axis=0))[0].max() + 1
    np.testing.assert_array_equal(both[:, :end], mark[:, :end])
    assert both[:, end:].any()


@pytest.mark.parametrize("good", [True, False, None])
def test_captions_have_the_contrast_of_wcag_aa(good: bool | None) -> None:
    strip = strip_of(add_caption(DIGIT, "lll", good))
    assert max(contrast(color, strip[0, 0]) for color in strip.reshape(-1, 3)) > 4.5


def test_a_common_caption_is_one_line_and_a_longer_one_more() -> None:
    one = add_caption(DIGIT, "7").shape[0]
    assert add_caption(DIGIT, "true 7, predicted 1", good=False).shape[0] <= one
    assert add_caption(DIGIT, "a sentence that is far too long for one line").shape[0] > one


def test_many_lines_are_set_smaller() -> None:
    few, many = (add_caption(DIGIT, "\n".join("abcdefgh"[:count])).shape[0] - 140 for count in (4, 8))
    assert few < many < 1.7 * few


def test_line_breaks_are_kept() -> None:
    one, three = (add_caption(DIGIT, text).shape[0] - 140 for text in ("a", "a\r\nb\nc"))
    assert three > 2 * one


@settings(max_examples=60)
@example("0000000: Ì", 96, True)  # Pillow's own letters are narrower than those of the font with Ì
@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
    | st.text("il1 WMfj\"'AV.-\n", max_size=600),
    st.sampled_from([1, 28, 40, 96, 224, 640]),
    st.sampled_from([True, False, None]),
)
def test_any_text_stays_inside_the_strip(text: str, side: int, good: bool | None) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", VizKitWarning)
        image = add_caption(np.zeros((side, side), np.uint8), text, good)
    ink = ink_of(strip_of(image, image.shape[1] if side > 1 else 140))
    assert not ink[:, [0, -1]].any()
    assert not ink[-1].any()


@pytest.mark.parametrize("text", ["word " * 60, "x" * 300, "W" * 100, "a" + "\n" * 10 + "b"])
def test_long_text_is_drawn_to_its_end(text: str) -> None:
    ink = ink_of(strip_of(add_caption(DIGIT, text, good=True)))
    assert_inside(ink)
    other = ink_of(strip_of(add_caption(DIGIT, text.rstrip() + " END", good=True)))
    assert other.shape != ink.shape or (other != ink).any()


def test_endless_text_is_cut_with_an_ellipsis() -> None:
    long, longer = (add_caption(DIGIT, "ab cd " * count) for count in (2_000, 200_000))
    np.testing.assert_array_equal(long, longer)
    assert long.shape[0] < 1000
    assert_inside(ink_of(strip_of(long)))


def test_signs_that_no_font_draws_do_no_harm() -> None:
    same = add_caption(DIGIT, "a b ?")
    np.testing.assert_array_equal(add_caption(DIGIT, "a\tb \ud800"), same)
    np.testing.assert_array_equal(add_caption(DIGIT, "a\x00b ?"), same)


def test_arguments_are_only_read_and_results_are_new() -> None:
    pixels = np.zeros((200, 200, 3), np.uint8)
    pixels.flags.writeable = False
    image = add_caption(pixels, "text")
    image[:] = 1
    assert not pixels.any()


def test_tensors_are_drawn_too() -> None:
    tensor = paddle.to_tensor(DIGIT)
    np.testing.assert_array_equal(add_caption(tensor, "7"), add_caption(DIGIT, "7"))


@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        (np.zeros((28, 28)), "must be uint8.*float64"),
        (np.zeros((3, 28, 28), np.uint8), r"shape \[H, W\].*\[3, 28, 28\]"),
        (np.zeros((0, 28), np.uint8), "shape"),
        (np.zeros(28, np.uint8), "shape"),
        (np.zeros((1, 28, 28, 3), np.uint8), "shape"),
    ],
)
def test_what_is_no_image_is_refused(pixels: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        add_caption(pixels, "text")


def test_images_encode_as_png(tmp_path: Path) -> None:
    image = add_caption(DIGIT, "7", good=True)
    Image.fromarray(image).save(tmp_path / "digit.png")
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "digit.png")), image)


def test_importing_the_module_imports_no_drawing_library() -> None:
    modules = ", ".join(f"vizkit.media.{name}" for name in ("captions", "confusion_image", "overlays"))
    code = f"import sys, {modules}; print({{'PIL', 'matplotlib', 'cv2'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_captions_tell_label_prediction_and_probability() -> None:
    shares = np.array([[0.9, 0.1], [0.25, 0.75], [0.004, 0.996]])
    captions = make_captions(3, [[0], [0], [1]], shares, ["cat", "狗"])
    assert captions == [
        ("label cat\npredicted cat, 90%", True),
        ("label cat\npredicted 狗, 75%", False),
        ("label 狗\npredicted 狗, 99%", True),
    ]


def test_captions_of_other_values() -> None:
    assert make_captions(2, ["a", "b"], ["a", "c"]) == [
        ("label a\npredicted a", True),
        ("label b\npredicted c", False),
    ]
    assert make_captions(1, [0.123456], np.array([[2.0]])) == [("label 0.1235\npredicted 2", None)]
    assert make_captions(1, None, np.array([[3.0, -7.0]])) == [("predicted 0", None)]
    assert make_captions(1, [7], None, ["only"]) == [("label 7", None)]
    assert make_captions(1, np.array([True]), [1])[0].good


@pytest.mark.parametrize("given", [[1], [[1, 2], [3, 4]], np.zeros((2, 2, 2)), ["a"]])
def test_labels_that_do_not_fit_are_told(given: Any) -> None:
    with pytest.raises(DataError, match="labels"):
        make_captions(2, given)


def test_right_and_wrong_differ_in_frame_and_mark() -> None:
    white = np.full((140, 140), 255, np.uint8)
    grids = [captioned_grid([white], make_captions(1, [0], [guess])) for guess in (0, 1)]
    assert [tuple(grid[0, 0]) for grid in grids] == [caption_color(True), caption_color(False)]
    for grid in grids:
        assert (grid[10:100, 10:100] == 255).all()
    marks = [(grid[148:170, :24] > 200).all(axis=2) for grid in grids]
    assert (marks[0] != marks[1]).sum() > 20


def test_as_many_predictions_as_images() -> None:
    with pytest.raises(DataError, match="2 images need 2 predictions"):
        make_captions(2, None, np.eye(3))
    with pytest.raises(DataError, match="2 images need 2 predictions, got 1"):
        make_captions(2, None, ["cat"])


def test_scores_may_be_lists() -> None:
    assert make_captions(2, None, [[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]) == [
        ("predicted 0, 50%", None),
        ("predicted 2, 100%", None),
    ]


def test_cells_of_a_grid_are_of_one_size() -> None:
    tall, low = np.full((300, 140), 255, np.uint8), np.full((140, 140), 255, np.uint8)
    grid = captioned_grid([tall, low], make_captions(2, [0, 0], [0, 1]), rows=1)
    left, right = grid[:, :148], grid[:, 152:]
    assert left.shape == right.shape
    assert tuple(right[-1, 70]) == caption_color(False)  # what is left over has the caption's colour
    assert tuple(left[0, 0]) == caption_color(True)


@pytest.mark.parametrize(
    ("share", "text"), [(0.93, "93%"), (0.9999, "99%"), (1.0, "100%"), (0.0, "0%"), (float("nan"), "nan%")]
)
def test_percentages_never_round_up_to_certainty(share: float, text: str) -> None:
    assert percent(share) == text
