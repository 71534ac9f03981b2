"""Pictures of confusion matrices: asserted on the pixels."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import paddle
import pytest
from numpy.typing import ArrayLike

from tests.unit.media.pictures import around, assert_inside, contrast, ink_of, luminance
from vizkit.errors import DataError
from vizkit.media import confusion_image as confusion
from vizkit.media import lettering
from vizkit.media.confusion_image import confusion_image
from vizkit.metrics.arrays import Pixels

RNG = np.random.default_rng(5)
DARKEST = (8, 48, 107)
EMPTY = (221, 221, 221)


def cells_of(image: Pixels, like: ArrayLike, names: Sequence[object] | None = None) -> list[list[Pixels]]:
    """The inside of each cell; the diagonal in darkest blue shows where they are."""
    classes = len(np.asarray(like))
    digits = max(len(str(value)) for row in np.asarray(like).tolist() for value in row)
    ruler = confusion_image(np.eye(classes, dtype=int) * 10 ** (digits - 1), names)
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
    cells = cells_of(confusion_image(counts), counts)
    shares = counts / counts.sum(axis=1, keepdims=True)
    shades = sorted((share, luminance(ground_of(cells[i][j]))) for (i, j), share in np.ndenumerate(shares))
    for (share, shade), (next_share, next_shade) in pairwise(shades):
        assert (shade > next_shade) if next_share > share else (shade == next_shade)
    assert ground_of(cells[3][3]) == DARKEST


def test_rows_are_true_and_columns_predicted() -> None:
    counts = np.array([[0, 9], [3, 6]])
    cells = cells_of(confusion_image(counts), counts)
    assert ground_of(cells[0][1]) == DARKEST
    assert luminance(ground_of(cells[0][0])) > 0.9


@pytest.mark.parametrize("classes", [1, 2, 3, 10, 20])
def test_all_numbers_are_drawn_inside_their_cells(classes: int) -> None:
    counts = RNG.integers(0, 1_000_000, (classes, classes))
    for row in cells_of(confusion_image(counts), counts):
        for cell in row:
            assert_inside(ink_of(cell))


@pytest.mark.parametrize("largest", [1, 10**6, 10**9, 2**63 - 1])
def test_numbers_of_ten_classes_are_legible_however_large(largest: int) -> None:
    counts = np.full((10, 10), largest // 10)
    counts[3, 4] = largest
    ink = ink_of(cells_of(confusion_image(counts), counts)[3][4])
    assert_inside(ink)
    assert np.ptp(np.nonzero(ink)[0]) + 1 >= 7  # pixels in height


def test_each_number_is_drawn_in_its_own_cell() -> None:
    drawn = {n: ink_of(cells_of(confusion_image([[n]]), [[n]])[0][0]) for n in range(10)}
    assert len({ink.tobytes() for ink in drawn.values()}) == 10
    counts = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    for row, numbers in zip(cells_of(confusion_image(counts), counts), counts, strict=True):
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
        cell = cells_of(confusion_image(counts), counts)[0][0]
        assert max(contrast(color, cell[0, 0]) for color in cell.reshape(-1, 3)) > 4, share


def test_rows_without_samples_are_neutral() -> None:
    for empty, mark in ((0, "0"), (np.nan, "NaN")):
        counts = np.array([[0.5, 0.5, 0], [empty] * 3, [0, 0, 1]])
        image = confusion_image(counts)
        cells = cells_of(image, np.full((3, 3), int("1" * len(max("0.5", mark, key=len)))))
        assert [ground_of(cell) for cell in cells[1]] == [EMPTY] * 3
        assert EMPTY not in [ground_of(cell) for cell in cells[0] + cells[2]]
        assert all(has_number(cell) for cell in cells[1])


def test_matrices_of_shares_are_drawn_as_such() -> None:
    counts = np.array([[30, 10], [5, 5]])
    shares = counts / counts.sum(axis=1, keepdims=True)
    grounds = [
        [ground_of(cell) for row in cells_of(confusion_image(matrix), like) for cell in row]
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
    assert confusion._number(value) == text


@pytest.mark.parametrize("classes", [1, 2, 5, 10, 21, 40, 100, 130, 400, 2000])
def test_sizes_are_sensible(classes: int) -> None:
    image = confusion_image(np.eye(classes, dtype=np.int32) * 7)
    assert image.dtype == np.uint8
    assert image.shape[2] == 3
    assert min(image.shape[:2]) > 120
    assert max(image.shape[:2]) < (600 if classes <= 10 else 1100 if classes <= 40 else 2200)
    assert (image == DARKEST).all(axis=2).any()
    for border in (image[0], image[-1], image[:, 0], image[:, -1]):
        assert (border == 255).all()


def test_numbers_are_left_out_where_they_do_not_fit() -> None:
    counts = np.full((100, 100), 123456)
    assert not any(has_number(cell) for row in cells_of(confusion_image(counts), counts)[:3] for cell in row)


def test_zeros_of_many_classes_are_left_blank() -> None:
    counts = np.eye(40, dtype=int) * 9
    cells = cells_of(confusion_image(counts), counts)
    assert all(has_number(cells[i][j]) == (i == j) for i in range(40) for j in range(40))


@pytest.mark.parametrize(
    "names", [None, ["cat", "dog", "cow"], ["n" * 30, "o" * 30, "p" * 30], ["", "b", "x" * 9999]]
)
def test_names_and_titles_are_drawn_on_both_axes(names: list[str] | None) -> None:
    blank = [ink.sum() for ink in around(confusion_image(np.eye(3), ["", "", ""]), 3)]
    image = confusion_image(np.eye(3), names)
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
    assert all(lettering.Letters(14).shortened(name, confusion._LONGEST_NAME) == name for name in names)
    images = [confusion_image(np.eye(10), [*names[:-1], last]) for last in (names[-1], names[-1][:-1] + "8")]
    assert images[0].shape == images[1].shape
    assert all((a != b).any() for a, b in zip(around(images[0], 10), around(images[1], 10), strict=True))


def test_names_may_be_any_objects_and_line_breaks_are_spaces() -> None:
    np.testing.assert_array_equal(confusion_image(np.eye(2), [1, 2]), confusion_image(np.eye(2), ["1", "2"]))
    np.testing.assert_array_equal(
        confusion_image(np.eye(2), ["a\nb", "c"]), confusion_image(np.eye(2), ["a b", "c"])
    )


def test_counts_may_be_lists_and_tensors_and_stay_as_they_are() -> None:
    counts = np.array([[5, 1], [0, 3]])
    counts.flags.writeable = False
    expected = confusion_image(counts)
    np.testing.assert_array_equal(confusion_image(counts.tolist()), expected)
    np.testing.assert_array_equal(confusion_image(paddle.to_tensor(counts.tolist())), expected)


@pytest.mark.parametrize("value", [np.inf, 1.7e308, 5e-324])
def test_extreme_numbers_are_drawn(value: float) -> None:
    assert confusion_image([[value, value], [0.0, 1.0]]).any()


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
        confusion_image(counts, names)


def test_a_picture_is_the_same_when_its_letters_are_drawn_again() -> None:
    counts, names = np.array([[7, 0], [3, 12]]), ["a long name that is shown upright", "b"]
    first = confusion_image(counts, names)
    lettering._stamp.cache_clear()
    np.testing.assert_array_equal(confusion_image(counts, names), first)
    np.testing.assert_array_equal(confusion_image(counts, names), first)
