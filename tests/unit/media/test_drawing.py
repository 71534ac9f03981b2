"""Captions and confusion matrices as pixels: asserted on what is seen."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import paddle
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTCollection
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from vizkit.errors import DataError, VizKitWarning
from vizkit.media import drawing, lettering
from vizkit.media.drawing import captioned, matrix_image

Pixels = NDArray[np.uint8]

RNG = np.random.default_rng(5)
DIGIT = RNG.integers(0, 256, (28, 28), dtype=np.uint8)
DARKEST = (8, 48, 107)
EMPTY = (221, 221, 221)


def enlarged(pixels: Pixels, factor: int) -> Pixels:
    rgb = pixels if pixels.ndim == 3 else np.stack([pixels] * 3, axis=-1)
    return np.kron(rgb, np.ones((factor, factor, 1), np.uint8))


def strip_of(image: Pixels, height: int = 140) -> Pixels:
    return image[height:, :, :3]


def ink_of(strip: Pixels) -> NDArray[np.bool_]:
    """Where something is drawn on the ground, whose colour is in the corner."""
    return (strip != strip[0, 0]).any(axis=2)


def assert_inside(ink: NDArray[np.bool_]) -> None:
    assert ink.any()
    for border in (ink[0], ink[-1], ink[:, 0], ink[:, -1]):
        assert not border.any()


def luminance(color: Any) -> float:
    channels = np.asarray(color) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def contrast(one: Any, other: Any) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.fixture
def only_fonts_of(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], None]]:
    """Have the fonts of a folder for the system's, and nothing told so far."""

    def use(folder: Path) -> None:
        monkeypatch.setattr(lettering, "_font_folders", lambda: [str(folder)])
        lettering._system_fonts.cache_clear()

    monkeypatch.setattr(lettering, "_told", {})
    yield use
    lettering._system_fonts.cache_clear()


def build_font(family: str, **heights: int) -> FontBuilder:
    """A font whose characters are rectangles of these heights, in thousandths of its size."""

    def glyph(height: int) -> Any:
        pen = TTGlyphPen(None)
        pen.moveTo((0, 0))
        for point in ((0, height), (1000, height), (1000, 0)):
            pen.lineTo(point)
        pen.closePath()
        return pen.glyph()

    names = [".notdef", *(f"uni{ord(character):04X}" for character in heights)]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap(dict(zip(map(ord, heights), names[1:], strict=True)))
    builder.setupGlyf(dict(zip(names, map(glyph, (100, *heights.values())), strict=True)))
    builder.setupHorizontalMetrics(dict.fromkeys(names, (1000, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": family, "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    return builder


@pytest.fixture
def chinese_font(tmp_path: Path, only_fonts_of: Callable[[Path], None]) -> Path:
    """A font with 猫 as a full rectangle and 狗 as its lower half, in a folder of its own."""
    path = tmp_path / "some" / "folder" / "simhei.ttf"
    path.parent.mkdir(parents=True)
    build_font("Test", 猫=800, 狗=400).save(path)
    only_fonts_of(tmp_path)
    return path


# ---- captions --------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 3), (28, 28, 1)])
def test_a_digit_is_enlarged_with_each_pixel_kept(shape: tuple[int, ...]) -> None:
    pixels = RNG.integers(0, 256, shape, dtype=np.uint8)
    image = captioned(pixels, "true 7, predicted 1", good=False)
    assert image.dtype == np.uint8
    assert image.shape[1:] == (140, 3)
    np.testing.assert_array_equal(
        image[:140], enlarged(np.broadcast_to(pixels.reshape(28, 28, -1), (28, 28, 3)), 5)
    )


def test_alpha_is_kept_and_the_strip_is_opaque() -> None:
    pixels = RNG.integers(0, 256, (28, 28, 4), dtype=np.uint8)
    image = captioned(pixels, "4")
    assert image.shape[2] == 4
    np.testing.assert_array_equal(image[:140], enlarged(pixels, 5))
    assert (image[140:, :, 3] == 255).all()


@pytest.mark.parametrize(
    ("height", "width", "factor"),
    [(32, 32, 4), (64, 64, 2), (300, 200, 1), (1, 1, 140), (20, 70, 2), (2000, 9, 1)],
)
def test_every_size_is_enlarged_by_a_whole_factor(height: int, width: int, factor: int) -> None:
    pixels = RNG.integers(0, 256, (height, width, 3), dtype=np.uint8)
    image = captioned(pixels, "true cat, predicted dog", good=True)
    left = (image.shape[1] - width * factor) // 2
    found = image[: height * factor, left : left + width * factor]
    np.testing.assert_array_equal(found, enlarged(pixels, factor))
    rest = image[: height * factor].astype(int).sum() - found.astype(int).sum()
    assert rest == (image[: height * factor].size - found.size) * 255
    assert_inside(ink_of(strip_of(image, height * factor)))


def test_what_surrounds_a_narrow_image_with_alpha_is_transparent() -> None:
    image = captioned(np.full((300, 10, 4), 255, np.uint8), "narrow")
    assert (image[:300, :, 3] == 255).sum() == 300 * 10


def test_good_is_blue_bad_is_orange_and_neither_is_grey() -> None:
    good, bad, plain = (
        strip_of(captioned(DIGIT, "7", good))[0, 0].astype(int) for good in (True, False, None)
    )
    assert good[2] == good.max() > good[0] + 50
    assert bad[0] > bad[1] + 50 > bad[2] + 50
    assert np.ptp(plain) < 10


def test_good_and_bad_are_told_apart_without_colours() -> None:
    good, bad, plain = (ink_of(strip_of(captioned(DIGIT, "", good))) for good in (True, False, None))
    assert good.any()
    assert bad.any()
    assert not plain.any()
    assert (good != bad).sum() > 20


def test_the_mark_stands_beside_the_text() -> None:
    mark, both = (ink_of(strip_of(captioned(DIGIT, text, good=True))) for text in ("", "W"))
    end = np.nonzero(mark.any(axis=0))[0].max() + 1
    np.testing.assert_array_equal(both[:, :end], mark[:, :end])
    assert both[:, end:].any()


@pytest.mark.parametrize("good", [True, False, None])
def test_captions_have_the_contrast_of_wcag_aa(good: bool | None) -> None:
    strip = strip_of(captioned(DIGIT, "lll", good))
    assert max(contrast(color, strip[0, 0]) for color in strip.reshape(-1, 3)) > 4.5


def test_a_common_caption_is_one_line_and_a_longer_one_more() -> None:
    one = captioned(DIGIT, "7").shape[0]
    assert captioned(DIGIT, "true 7, predicted 1", good=False).shape[0] <= one
    assert captioned(DIGIT, "a sentence that is far too long for one line").shape[0] > one


def test_many_lines_are_set_smaller() -> None:
    few, many = (captioned(DIGIT, "\n".join("abcdefgh"[:count])).shape[0] - 140 for count in (4, 8))
    assert few < many < 1.7 * few


def test_line_breaks_are_kept() -> None:
    one, three = (captioned(DIGIT, text).shape[0] - 140 for text in ("a", "a\r\nb\nc"))
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
        image = captioned(np.zeros((side, side), np.uint8), text, good)
    ink = ink_of(strip_of(image, image.shape[1] if side > 1 else 140))
    assert not ink[:, [0, -1]].any()
    assert not ink[-1].any()


@pytest.mark.parametrize("text", ["word " * 60, "x" * 300, "W" * 100, "a" + "\n" * 10 + "b"])
def test_long_text_is_drawn_to_its_end(text: str) -> None:
    ink = ink_of(strip_of(captioned(DIGIT, text, good=True)))
    assert_inside(ink)
    other = ink_of(strip_of(captioned(DIGIT, text.rstrip() + " END", good=True)))
    assert other.shape != ink.shape or (other != ink).any()


def test_endless_text_is_cut_with_an_ellipsis() -> None:
    long, longer = (captioned(DIGIT, "ab cd " * count) for count in (2_000, 200_000))
    np.testing.assert_array_equal(long, longer)
    assert long.shape[0] < 1000
    assert_inside(ink_of(strip_of(long)))


def test_signs_that_no_font_draws_do_no_harm() -> None:
    same = captioned(DIGIT, "a b ?")
    np.testing.assert_array_equal(captioned(DIGIT, "a\tb \ud800"), same)
    np.testing.assert_array_equal(captioned(DIGIT, "a\x00b ?"), same)


def test_arguments_are_only_read_and_results_are_new() -> None:
    pixels = np.zeros((200, 200, 3), np.uint8)
    pixels.flags.writeable = False
    image = captioned(pixels, "text")
    image[:] = 1
    assert not pixels.any()


def test_tensors_are_drawn_too() -> None:
    tensor = paddle.to_tensor(DIGIT)
    np.testing.assert_array_equal(captioned(tensor, "7"), captioned(DIGIT, "7"))


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
        captioned(pixels, "text")


# ---- confusion matrices ----------------------------------------------------------------------------


def cells_of(image: Pixels, like: Any, names: Any = None) -> list[list[Pixels]]:
    """The inside of each cell; the diagonal in darkest blue shows where they are."""
    classes = len(like)
    digits = max(len(str(value)) for row in np.asarray(like).tolist() for value in row)
    ruler = matrix_image(np.eye(classes, dtype=int) * 10 ** (digits - 1), names)
    assert ruler.shape == image.shape
    rows, columns = np.nonzero((ruler == DARKEST).all(axis=2))
    top, left = rows.min() - 1, columns.min() - 1
    side = (rows.max() + 1 - top) / classes
    assert side == int(side)
    edges = range(0, classes * int(side), int(side))
    return [
        [image[top + y + 1 : top + y + int(side), left + x + 1 : left + x + int(side)] for x in edges]
        for y in edges
    ]


def ground_of(cell: Pixels) -> tuple[int, ...]:
    assert (cell[0] == cell[0, 0]).all()
    return tuple(int(c) for c in cell[0, 0])


def has_number(cell: Pixels) -> bool:
    return bool(ink_of(cell).any())


def test_cells_are_the_darker_the_larger_their_share_of_the_row() -> None:
    counts = np.array([[10, 20, 30, 40], [0, 1, 9, 90], [4, 4, 4, 4], [0, 0, 0, 7]])
    cells = cells_of(matrix_image(counts), counts)
    shares = counts / counts.sum(axis=1, keepdims=True)
    shades = sorted((share, luminance(ground_of(cells[i][j]))) for (i, j), share in np.ndenumerate(shares))
    for (share, shade), (next_share, next_shade) in pairwise(shades):
        assert (shade > next_shade) if next_share > share else (shade == next_shade)
    assert ground_of(cells[3][3]) == DARKEST


def test_rows_are_true_and_columns_predicted() -> None:
    counts = np.array([[0, 9], [3, 6]])
    cells = cells_of(matrix_image(counts), counts)
    assert ground_of(cells[0][1]) == DARKEST
    assert luminance(ground_of(cells[0][0])) > 0.9


@pytest.mark.parametrize("classes", [1, 2, 3, 10, 20])
def test_all_numbers_are_drawn_inside_their_cells(classes: int) -> None:
    counts = RNG.integers(0, 1_000_000, (classes, classes))
    for row in cells_of(matrix_image(counts), counts):
        for cell in row:
            assert_inside(ink_of(cell))


@pytest.mark.parametrize("largest", [1, 10**6, 10**9, 2**63 - 1])
def test_numbers_of_ten_classes_are_legible_however_large(largest: int) -> None:
    counts = np.full((10, 10), largest // 10)
    counts[3, 4] = largest
    ink = ink_of(cells_of(matrix_image(counts), counts)[3][4])
    assert_inside(ink)
    assert np.ptp(np.nonzero(ink)[0]) + 1 >= 7  # pixels in height


def test_each_number_is_drawn_in_its_own_cell() -> None:
    drawn = {n: ink_of(cells_of(matrix_image([[n]]), [[n]])[0][0]) for n in range(10)}
    assert len({ink.tobytes() for ink in drawn.values()}) == 10
    counts = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    for row, numbers in zip(cells_of(matrix_image(counts), counts), counts, strict=True):
        for cell, number in zip(row, numbers, strict=True):
            rows, columns = (slice(found.min(), found.max() + 1) for found in np.nonzero(ink_of(cell)))
            ink = ink_of(cell)[rows, columns]
            rows, columns = (slice(found.min(), found.max() + 1) for found in np.nonzero(drawn[number]))
            expected = drawn[number][rows, columns]
            assert ink.shape == expected.shape
            assert (ink != expected).mean() < 0.1  # shades of dark and of light ink round differently


def test_numbers_stand_out_from_any_shade() -> None:
    for share in range(0, 101, 5):
        counts = [[share, 100 - share], [50, 50]]
        cell = cells_of(matrix_image(counts), counts)[0][0]
        assert max(contrast(color, cell[0, 0]) for color in cell.reshape(-1, 3)) > 4, share


def test_rows_without_samples_are_neutral() -> None:
    for empty, mark in ((0, "0"), (np.nan, "NaN")):
        counts = np.array([[0.5, 0.5, 0], [empty] * 3, [0, 0, 1]])
        image = matrix_image(counts)
        cells = cells_of(image, np.full((3, 3), int("1" * len(max("0.5", mark, key=len)))))
        assert [ground_of(cell) for cell in cells[1]] == [EMPTY] * 3
        assert EMPTY not in [ground_of(cell) for cell in cells[0] + cells[2]]
        assert all(has_number(cell) for cell in cells[1])


def test_matrices_of_shares_are_drawn_as_such() -> None:
    counts = np.array([[30, 10], [5, 5]])
    shares = counts / counts.sum(axis=1, keepdims=True)
    grounds = [
        [ground_of(cell) for row in cells_of(matrix_image(matrix), like) for cell in row]
        for matrix, like in ((counts, counts), (shares, np.full((2, 2), 1000)))
    ]
    assert grounds[0] == grounds[1]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "3"),
        (2**63 - 1, "9223372036854775807"),
        (3.0, "3"),
        (0.96666, "0.967"),
        (12.25, "12.2"),
        (1234.5, "1234"),
        (1e20, "1e+20"),
        (float("nan"), "NaN"),
        (float("inf"), "inf"),
    ],
)
def test_whole_numbers_are_exact_and_others_have_three_digits(value: float, text: str) -> None:
    assert drawing._number(value) == text


@pytest.mark.parametrize("classes", [1, 2, 5, 10, 21, 40, 100, 130, 400, 2000])
def test_sizes_are_sensible(classes: int) -> None:
    image = matrix_image(np.eye(classes, dtype=np.int32) * 7)
    assert image.dtype == np.uint8
    assert image.shape[2] == 3
    assert min(image.shape[:2]) > 120
    assert max(image.shape[:2]) < (600 if classes <= 10 else 1100 if classes <= 40 else 2200)
    assert (image == DARKEST).all(axis=2).any()
    for border in (image[0], image[-1], image[:, 0], image[:, -1]):
        assert (border == 255).all()


def test_numbers_are_left_out_where_they_do_not_fit() -> None:
    counts = np.full((100, 100), 123456)
    assert not any(has_number(cell) for row in cells_of(matrix_image(counts), counts)[:3] for cell in row)


def test_zeros_of_many_classes_are_left_blank() -> None:
    counts = np.eye(40, dtype=int) * 9
    cells = cells_of(matrix_image(counts), counts)
    assert all(has_number(cells[i][j]) == (i == j) for i in range(40) for j in range(40))


def around(image: Pixels, classes: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """What is drawn to the left of the matrix, and below it."""
    frame = (image == (208, 215, 222)).all(axis=2)
    left, bottom = frame.any(axis=0).argmax(), len(frame) - frame.any(axis=1)[::-1].argmax()
    ink = (image != 255).any(axis=2)
    return ink[:, :left], ink[bottom:]


@pytest.mark.parametrize(
    "names", [None, ["cat", "dog", "cow"], ["n" * 30, "o" * 30, "p" * 30], ["", "b", "x" * 9999]]
)
def test_names_and_titles_are_drawn_on_both_axes(names: list[str] | None) -> None:
    blank = [ink.sum() for ink in around(matrix_image(np.eye(3), ["", "", ""]), 3)]
    image = matrix_image(np.eye(3), names)
    drawn = around(image, 3)
    for nothing, ink in zip(blank, drawn, strict=True):
        assert nothing > 20  # the title
        assert ink.sum() > nothing + 10
    assert max(image.shape) < 900
    for border in (image[0], image[-1], image[:, 0], image[:, -1]):
        assert (border == 255).all()


def test_names_of_thirty_characters_are_whole() -> None:
    names = [f"a name of thirty characters {i:02}" for i in range(10)]
    assert all(len(name) == 30 for name in names)
    assert all(lettering.Letters(14).shortened(name, drawing._LONGEST_NAME) == name for name in names)
    images = [matrix_image(np.eye(10), [*names[:-1], last]) for last in (names[-1], names[-1][:-1] + "8")]
    assert images[0].shape == images[1].shape
    assert all((a != b).any() for a, b in zip(around(images[0], 10), around(images[1], 10), strict=True))


def test_longer_names_keep_their_start_and_end() -> None:
    letters = lettering.Letters(14)
    short = letters.shortened("vehicle/" + "very long " * 20 + "/tram 7", 220)
    assert short.startswith("vehicle/very")
    assert short.endswith("/tram 7")
    assert "…" in short
    assert letters.width(short) <= 220


def test_names_may_be_any_objects_and_line_breaks_are_spaces() -> None:
    np.testing.assert_array_equal(matrix_image(np.eye(2), [1, 2]), matrix_image(np.eye(2), ["1", "2"]))
    np.testing.assert_array_equal(
        matrix_image(np.eye(2), ["a\nb", "c"]), matrix_image(np.eye(2), ["a b", "c"])
    )


def test_counts_may_be_lists_and_tensors_and_stay_as_they_are() -> None:
    counts = np.array([[5, 1], [0, 3]])
    counts.flags.writeable = False
    expected = matrix_image(counts)
    np.testing.assert_array_equal(matrix_image(counts.tolist()), expected)
    np.testing.assert_array_equal(matrix_image(paddle.to_tensor(counts.tolist())), expected)


@pytest.mark.parametrize("value", [np.inf, 1.7e308, 5e-324])
def test_extreme_numbers_are_drawn(value: float) -> None:
    assert matrix_image([[value, value], [0, 1]]).any()


@pytest.mark.parametrize(
    ("counts", "names", "message"),
    [
        (np.zeros((2, 3)), None, r"shape \[k, k\]"),
        (np.zeros(4), None, r"shape \[k, k\]"),
        (np.zeros((0, 0)), None, r"shape \[k, k\]"),
        (np.eye(2) * 1j, None, "real numbers"),
        ([[1, -2], [-3, 1]], None, "2 of 4 counts are negative"),
        (np.zeros((2001, 2001), np.int8), None, "2001 classes is too large"),
        (np.eye(2), ["a"], "names of 2 classes, got 1"),
    ],
)
def test_what_is_no_confusion_matrix_is_refused(counts: Any, names: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        matrix_image(counts, names)


# ---- fonts -----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("chinese_font")
def test_chinese_is_drawn_with_a_font_of_the_system() -> None:
    strip = strip_of(captioned(DIGIT, "猫"))
    rows, columns = np.nonzero((strip == drawing.INK).all(axis=2))
    assert np.ptp(columns) + 1 == pytest.approx(14, abs=1)  # the square of the test's font
    assert np.ptp(rows) + 1 == pytest.approx(0.8 * 14, abs=1)
    assert len(rows) == (np.ptp(columns) + 1) * (np.ptp(rows) + 1)


@pytest.mark.usefixtures("chinese_font")
def test_chinese_and_latin_share_a_line() -> None:
    latin, both = (ink_of(strip_of(captioned(DIGIT, text))) for text in ("true ", "true 猫"))
    assert latin.shape == both.shape
    end = latin.any(axis=0).nonzero()[0].max() + 1
    np.testing.assert_array_equal(both[:, :end], latin[:, :end])
    assert both[:, end:].sum() > 100


@pytest.mark.usefixtures("chinese_font")
def test_chinese_names_are_drawn_on_both_axes() -> None:
    images = [matrix_image(np.eye(2), names) for names in (["猫", "狗"], ["狗", "猫"])]
    assert images[0].shape == images[1].shape
    one, other = (around(image, 2) for image in images)
    assert (one[0] != other[0]).any()
    assert (one[1] != other[1]).any()


@pytest.mark.usefixtures("chinese_font")
def test_chinese_wraps_between_characters_but_not_before_closing_marks() -> None:
    with pytest.warns(VizKitWarning):  # the test's font has no 。
        letters = lettering.Letters(14, lettering.paths_for("猫狗。"))
    lines = letters.wrapped("猫狗猫狗猫。狗", 5 * 14 + 2)
    assert lines == ["猫狗猫狗", "猫。狗"]


def test_chinese_without_a_font_warns_once_and_is_drawn_all_the_same(
    tmp_path: Path, only_fonts_of: Callable[[Path], None]
) -> None:
    only_fonts_of(tmp_path)
    with pytest.warns(VizKitWarning, match="apt-get install fonts-noto-cjk") as caught:
        images = [captioned(DIGIT, text, good=True) for text in ("标签：猫", "true cat 猫", "狗" * 500)]
    assert len(caught) == 1
    matrix = matrix_image(np.eye(2), ["猫", "狗"])  # a second warning would be an error
    assert all(ink_of(strip_of(image)).any() for image in images)
    assert all(ink.any() for ink in around(matrix, 2))


def test_what_latin_text_needs_is_always_there(tmp_path: Path, only_fonts_of: Callable[[Path], None]) -> None:
    only_fonts_of(tmp_path)
    before = captioned(DIGIT, "plain ASCII…", good=False)
    assert ink_of(strip_of(before)).any()


def test_fonts_that_are_broken_are_passed_over(chinese_font: Path) -> None:
    (chinese_font.parent / "NotoSansCJK-Regular.ttc").write_bytes(b"no font")
    (chinese_font.parent / "msyh.ttc").write_bytes(b"")
    lettering._system_fonts.cache_clear()
    assert lettering._system_fonts() == (str(chinese_font),)


def test_of_a_collection_the_simplified_chinese_font_is_taken(
    tmp_path: Path, only_fonts_of: Callable[[Path], None]
) -> None:
    collection = TTCollection()
    collection.fonts = [
        build_font(f"Test CJK {region}", 猫=height).font
        for region, height in (("JP", 200), ("SC", 800), ("TC", 400))
    ]
    collection.save(tmp_path / "NotoSansCJK-Regular.ttc")
    only_fonts_of(tmp_path)
    rows = (strip_of(captioned(DIGIT, "猫")) == drawing.INK).all(axis=2).any(axis=1)
    assert rows.sum() == pytest.approx(0.8 * 14, abs=1)


def test_fonts_are_searched_once_and_only_when_needed(
    chinese_font: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    searches = []
    monkeypatch.setattr(lettering, "_font_folders", lambda: searches.append(1) or [str(chinese_font.parent)])
    captioned(DIGIT, "Latin only…")
    assert not searches
    captioned(DIGIT, "猫")
    captioned(DIGIT, "狗")
    assert len(searches) == 1


def test_folders_of_this_system_are_searched_without_error() -> None:
    lettering._system_fonts.cache_clear()
    assert all(Path(path).is_file() for path in lettering._system_fonts())


# ---- manners ---------------------------------------------------------------------------------------


def test_threads_draw_the_same(chinese_font: Path) -> None:
    texts = [f"true {i}, predicted 猫 {i % 3}" for i in range(40)]
    counts = np.arange(100).reshape(10, 10)
    expected = [captioned(DIGIT, text, good=True) for text in texts], matrix_image(counts)
    lettering._font.cache_clear()
    drawing._mark.cache_clear()
    with ThreadPoolExecutor(8) as pool:
        matrices = [pool.submit(matrix_image, counts) for _ in range(8)]
        images = list(pool.map(lambda text: captioned(DIGIT, text, good=True), texts))
    for image, same in zip(images, expected[0], strict=True):
        np.testing.assert_array_equal(image, same)
    for matrix in matrices:
        np.testing.assert_array_equal(matrix.result(), expected[1])


def test_of_many_threads_one_warns(tmp_path: Path, only_fonts_of: Callable[[Path], None]) -> None:
    only_fonts_of(tmp_path)
    with pytest.warns(VizKitWarning) as caught, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: captioned(DIGIT, "猫"), range(32)))
    assert len(caught) == 1


def test_images_encode_as_png(tmp_path: Path) -> None:
    image = captioned(DIGIT, "7", good=True)
    Image.fromarray(image).save(tmp_path / "digit.png")
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "digit.png")), image)


def test_importing_the_module_imports_no_drawing_library() -> None:
    code = "import sys, vizkit.media.drawing; print({'PIL', 'matplotlib', 'cv2'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_picture_is_the_same_when_its_letters_are_drawn_again() -> None:
    counts, names = np.array([[7, 0], [3, 12]]), ["a long name that is shown upright", "b"]
    first = matrix_image(counts, names)
    lettering._stamp.cache_clear()
    np.testing.assert_array_equal(matrix_image(counts, names), first)
    np.testing.assert_array_equal(matrix_image(counts, names), first)
