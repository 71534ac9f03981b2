"""Images: what is drawn is what the array holds, in the right colours, from any layout."""

from __future__ import annotations

import warnings
from itertools import permutations
from typing import Any

import numpy as np
import paddle
import pytest
from numpy.typing import NDArray
from PIL import Image
from visualdl.component.base_component import convert_to_HWC

from tests.unit.media.pictures import noise
from vizkit.errors import DataError
from vizkit.media.image_grid import image_grid
from vizkit.media.images import to_pixels, to_pixels_each, to_rgb

RNG = np.random.default_rng(11)
MAGENTA = [255, 0, 255]


def grey(*values: Any, dtype: Any = np.float32) -> NDArray[Any]:
    """An image of one row."""
    return np.array([values], dtype)


def drawn(*values: Any, dtype: Any = np.float32, **how: Any) -> list[Any]:
    """The pixels of an image of one row."""
    return list(to_pixels(grey(*values, dtype=dtype), "HW", **how)[0].tolist())


# Layouts


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("letters", ["".join(p) for p in permutations("HWC")])
def test_every_order_of_three_axes(letters: str, channels: int) -> None:
    image = noise(6, 9, channels)
    given = np.ascontiguousarray(image.transpose(["HWC".index(letter) for letter in letters]))
    for dataformats in (letters, letters.lower()):
        pixels = to_pixels(given, dataformats)
        np.testing.assert_array_equal(pixels, image if channels > 1 else image[..., 0])
        assert pixels.dtype == np.uint8
        assert pixels.flags.c_contiguous
        assert not np.shares_memory(pixels, given)


@pytest.mark.parametrize("letters", ["".join(p) for p in permutations("NCHW")])
@pytest.mark.parametrize("count", [1, 5, 8, 11])
def test_a_batch_is_the_grid_that_visualdl_draws(letters: str, count: int) -> None:
    images = noise(count, 3, 4, 5)
    given = images.transpose(["NCHW".index(letter) for letter in letters])
    np.testing.assert_array_equal(to_pixels(given, letters), convert_to_HWC(images, "NCHW"))


def test_two_axes() -> None:
    image = noise(4, 7)
    np.testing.assert_array_equal(to_pixels(image, "HW"), image)
    np.testing.assert_array_equal(to_pixels(image.T, "wh"), image)
    assert not np.shares_memory(to_pixels(image, "HW"), image)


def test_a_grey_batch_is_grey() -> None:
    images = noise(3, 1, 4, 5)
    np.testing.assert_array_equal(to_pixels(images, "NCHW"), np.hstack(list(images[:, 0])))


def test_the_callers_array_is_only_read() -> None:
    for values in (
        RNG.random((4, 5, 3)),
        noise(4, 5, 3) % 2,
        RNG.random((4, 5, 3)) > 0.5,
        RNG.normal(size=(4, 5, 3)),
    ):
        before = values.copy()
        values.flags.writeable = False
        whole = to_pixels(values)
        np.testing.assert_array_equal(values, before)
        np.testing.assert_array_equal(to_pixels(values.tolist()), whole)
        wide = np.repeat(values, 2, axis=1)[:, ::2]
        np.testing.assert_array_equal(to_pixels(wide), whole)
        assert whole.flags.writeable


def test_tensors_and_pil_images() -> None:
    image = RNG.random((3, 4, 5)).astype(np.float32)
    tensor = paddle.to_tensor(image, stop_gradient=False)
    np.testing.assert_array_equal(to_pixels(tensor, "CHW"), to_pixels(image, "CHW"))
    halves = paddle.to_tensor(np.array([[0, 0.5, 1]], np.float32)).astype("bfloat16")
    assert to_pixels(halves, "HW").tolist() == [[0, 128, 255]]

    colours = Image.fromarray(noise(4, 5, 3))
    np.testing.assert_array_equal(to_pixels(colours), np.asarray(colours))
    np.testing.assert_array_equal(to_pixels(colours.convert("L")), np.asarray(colours.convert("L")))
    palette = colours.quantize(8)
    np.testing.assert_array_equal(to_pixels(palette), np.asarray(palette.convert("RGB")))
    faded = colours.convert("LA")
    np.testing.assert_array_equal(to_pixels(faded), np.asarray(faded.convert("RGBA")))


@pytest.mark.parametrize(
    ("shape", "given", "meant"),
    [
        *(((3, 32, 32), "HWC", "CHW"), ((1, 28, 30), "HWC", "CHW"), ((4, 5, 6), "hwc", "CHW")),
        *(((32, 32, 3), "CHW", "HWC"), ((2, 3, 8, 9), "NHWC", "NCHW"), ((2, 8, 9, 1), "NCHW", "NHWC")),
        *(((8, 9), "HWC", "HW"), ((8, 9), "CHW", "HW"), ((8, 9), "CWH", "WH")),
        *(((2, 8, 9), "NHWC", "NHW"), ((2, 8, 9), "NCHW", "NHW"), ((8, 9, 3), "NHWC", "HWC")),
    ],
)
def test_what_an_image_can_only_be(shape: tuple[int, ...], given: str, meant: str) -> None:
    array = RNG.integers(0, 256, shape, np.uint8)
    if meant == "NHW":
        array, meant = array[..., np.newaxis], "NHWC"
    np.testing.assert_array_equal(to_pixels(array.reshape(shape), given), to_pixels(array, meant))


def test_a_grid_has_the_rows_asked_for() -> None:
    images = [np.full((2, 3), 9, np.uint8)] * 6
    assert image_grid(images, 4).shape == (8, 6)
    assert not image_grid(images, 4)[6:].any()
    assert image_grid(images, 5, pad=1).shape == (14, 7)
    assert image_grid(images, 6).shape == (12, 3)
    assert image_grid(images).shape == (6, 6)


@pytest.mark.parametrize(
    ("shape", "dataformats", "pixels"),
    [
        ((1, 8, 9, 3), "HWC", (8, 9, 3)),  # a batch of one
        ((1, 3, 8, 9), "HWC", (8, 9, 3)),
        ((1, 3, 8, 9), "CHW", (8, 9, 3)),
        ((8, 9, 1), "HW", (8, 9)),
        ((1, 8, 9), "HW", (8, 9)),
    ],
)
def test_an_axis_of_one_that_is_not_named(
    shape: tuple[int, ...], dataformats: str, pixels: tuple[int, ...]
) -> None:
    image = np.arange(np.prod(shape)).reshape(shape).astype(np.uint8)
    found = to_pixels(image, dataformats)
    assert found.shape == pixels
    channels_first = shape[1:] == (3, 8, 9)
    kept = image[0].transpose(1, 2, 0) if channels_first else image.reshape(pixels)
    assert (found == kept).all()


@pytest.mark.parametrize(
    ("shape", "dataformats", "message"),
    [
        ((2, 32, 32), "HWC", r"\[2, 32, 32\] has 32 channels|has 32; choose"),
        ((3, 8, 9), "WHC", "has 9; choose"),
        ((3, 8, 8), "NCHW", r"3 axes.*'NCHW'.*try dataformats"),
        ((8, 8, 2), "HWC", r"1, 3 or 4 channels.*'HWC'.*\[8, 8, 2\] has 2; choose"),
        ((8, 8, 3), "HW", r"try dataformats=\"HWC\" or \"CHW\""),
        ((1, 1, 8, 8, 3), "HWC", "5 axes.*reshape"),
        ((2, 8, 8, 3), "HWC", r"try dataformats=\"NHWC\" or \"NCHW\""),
        ((8,), "HWC", "1 axes.*reshape"),
        ((0, 8, 3), "HWC", "no pixels"),
        ((8, 8, 3), "HWW", "'HWW' does not name"),
        ((8, 8, 3), "HCN", "does not name"),
        ((8, 8, 3), "", "does not name"),
        ((8, 8, 3), None, "does not name"),
    ],
)
def test_what_is_no_image(shape: tuple[int, ...], dataformats: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        to_pixels(np.zeros(shape), dataformats)


def test_complex_and_text_are_refused() -> None:
    with pytest.raises(DataError, match="real numbers"):
        to_pixels(np.zeros((4, 4), complex), "HW")
    with pytest.raises(DataError, match="array of numbers"):
        to_pixels(np.full((4, 4), "x"), "HW")


# Values


def test_every_uint8_is_kept() -> None:
    image = np.arange(256, dtype=np.uint8).reshape(16, 16)
    np.testing.assert_array_equal(to_pixels(image, "HW"), image)
    for dtype in (np.int16, np.uint16, np.int32, np.int64, np.uint64):
        np.testing.assert_array_equal(to_pixels(image.astype(dtype), "HW"), image)


def test_masks() -> None:
    assert drawn(True, False, dtype=bool) == [255, 0]
    assert drawn(1, 0, dtype=np.uint8) == [255, 0]
    assert drawn(1, 0, dtype=np.int64) == [255, 0]
    assert drawn(1, 1, dtype=np.uint8) == [255, 255]
    assert drawn(0, 0, dtype=np.uint8) == [0, 0]
    assert drawn(1, 0, dtype=np.uint8, value_range=(0, 255)) == [1, 0]
    assert drawn(2, 1, 0, dtype=np.uint8) == [2, 1, 0]


def test_other_integers() -> None:
    assert drawn(0, 200, 257, 65535, 32768, dtype=np.uint16) == [0, 1, 1, 255, 128]
    assert drawn(-100, 0, 100, dtype=np.int16) == [0, 128, 255]
    assert drawn(0, 1000, dtype=np.int32) == [0, 255]
    assert drawn(np.iinfo(np.int64).min, np.iinfo(np.int64).max, dtype=np.int64) == [0, 255]
    assert drawn(-5, -5, dtype=np.int8) == [128, 128]
    assert drawn(10, 20, dtype=np.uint8, value_range="minmax") == [0, 255]
    assert drawn(0, 10, 20, 30, dtype=np.uint8, value_range=(10, 20)) == [0, 0, 255, 255]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats(dtype: Any) -> None:
    steps = np.arange(256)
    assert drawn(*(steps / 255), dtype=dtype) == steps.tolist()
    assert drawn(*steps, dtype=dtype) == steps.tolist()
    assert drawn(0, 0.2, 1, dtype=dtype) == [0, 51, 255]
    assert drawn(0, 100.4, 100.6, dtype=dtype) == [0, 100, 101]
    assert drawn(-1, 0, 1, dtype=dtype) == [0, 128, 255]
    assert drawn(0, 300, 600, dtype=dtype) == [0, 128, 255]


def test_every_float16_goes_to_the_nearest_step() -> None:
    values = np.arange(0x3C01, dtype=np.uint16).view(np.float16)  # 0 to 1
    expected = np.rint(values.astype(np.float64) * 255).tolist()
    assert drawn(*values, dtype=np.float16) == expected


def test_rounding_errors_at_the_ends_do_not_change_the_scale() -> None:
    assert drawn(-1e-7, 0.5, 1.0000001) == [0, 128, 255]
    assert drawn(-1e-4, 128, 255.01) == [0, 128, 255]


@pytest.mark.parametrize("value", [-3.0, 300.0, 1e300, -1e300])
def test_a_constant_image_out_of_range_is_mid_grey(value: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert drawn(value, value, dtype=np.float64) == [128, 128]
        assert drawn(0.25, 0.25, value_range="minmax") == [128, 128]


def test_the_largest_floats() -> None:
    most = np.finfo(np.float64).max
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert drawn(-most, 0, most, dtype=np.float64) == [0, 128, 255]


def test_value_range() -> None:
    assert drawn(-2, -1, 0, 1, 2, value_range=(-1, 1)) == [0, 0, 128, 255, 255]
    assert drawn(0, 1, value_range=(0, 255)) == [0, 1]
    assert drawn(0.5, 0.75, 1, value_range="minmax") == [0, 128, 255]
    for wrong in ((1, 0), (1, 1), (0, np.nan), (0, np.inf), (0,), 3, "max"):
        with pytest.raises(DataError, match="value_range="):
            drawn(0, 1, value_range=wrong)


def test_mean_and_std_are_taken_back() -> None:
    image = noise(8, 9, 3)
    mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    normal = ((image / 255 - mean) / std).astype(np.float32)
    np.testing.assert_array_equal(to_pixels(normal, mean=mean, std=std), image)
    np.testing.assert_array_equal(
        to_pixels(normal.transpose(2, 0, 1), "CHW", mean=mean, std=tuple(std)), image
    )
    np.testing.assert_array_equal(to_pixels((image - 127.5) / 127.5, mean=127.5, std=127.5), image)
    np.testing.assert_array_equal(to_pixels(image / 255, mean=[0, 0, 0], std=[255, 255, 255]), image)
    np.testing.assert_array_equal(to_pixels((image / 255 - 0.5) / 0.5, mean=0.5, std=np.array([0.5])), image)
    assert drawn(-9, 9, mean=0.5, std=0.5) == [0, 255]
    assert drawn(0, 1, mean=1, value_range=(0, 4)) == [64, 128]


def test_mean_of_other_channels_is_refused() -> None:
    with pytest.raises(DataError, match=r"mean=\[0.1, 0.2, 0.3\] for 1 channels"):
        drawn(0, 1, mean=[0.1, 0.2, 0.3])
    with pytest.raises(DataError, match="std=nan"):
        drawn(0, 1, std=float("nan"))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_nan_is_magenta_and_inf_is_full(dtype: Any) -> None:
    found = drawn(0, np.nan, 1, np.inf, -np.inf, dtype=dtype)
    assert found == [[0, 0, 0], MAGENTA, [255, 255, 255], [255, 255, 255], [0, 0, 0]]
    assert drawn(-1, 1, np.inf, -np.inf, 0, dtype=dtype) == [0, 255, 255, 0, 128]
    colour = np.full((2, 2, 3), 0.2, dtype)
    colour[0, 1, 2] = np.nan
    assert to_pixels(colour).tolist() == [[[51] * 3, MAGENTA], [[51] * 3, [51] * 3]]
    clear = np.full((1, 2, 4), 0.2, dtype)
    clear[0, 0, 1] = np.nan
    assert to_pixels(clear).tolist() == [[[*MAGENTA, 255], [51] * 4]]
    assert drawn(0, np.nan, mean=0.2, std=1, dtype=dtype) == [[51] * 3, MAGENTA]


def test_nothing_but_nan_and_inf() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert drawn(np.nan, np.nan) == [MAGENTA, MAGENTA]
        assert drawn(np.inf, -np.inf) == [255, 0]


def test_images_of_one_call_share_a_scale() -> None:
    dim, bright = grey(-1, 0), grey(0, 1, 3)
    first, second = to_pixels_each([dim, bright], "HW")
    assert first.tolist() == [[0, 64]]
    assert second.tolist() == [[64, 128, 255]]
    batch = np.stack([np.full((2, 2), v, np.float32) for v in (-1, 0, 1)])
    assert [pixels[0, 0] for pixels in to_pixels_each(batch, "HW")] == [0, 128, 255]
    colours = RNG.normal(size=(2, 3, 4, 5))
    both = to_pixels_each(list(colours), "CHW")
    np.testing.assert_array_equal(np.hstack(both), to_pixels(colours, "NCHW"))
    holes = to_pixels_each([grey(0, np.nan), grey(0, 1)], "HW")
    assert holes[0].tolist() == [[[0, 0, 0], MAGENTA]]
    assert holes[1].tolist() == [[[0, 0, 0], [255, 255, 255]]]


def test_images_of_different_kinds_have_their_own_scales() -> None:
    image = noise(3, 4, 3)
    first, second = to_pixels_each([image, np.full((2, 2, 1), 0.2)])
    np.testing.assert_array_equal(first, image)
    assert second.tolist() == [[51, 51], [51, 51]]
    assert to_pixels_each([]) == []


# Grids and sizes


@pytest.mark.parametrize(
    ("count", "rows", "shape"),
    [(1, -1, (1, 1)), (2, -1, (2, 1)), (3, -1, (2, 2)), (5, -1, (3, 2)), (9, -1, (3, 3)), (6, 1, (1, 6)),
     (5, 2, (2, 3)), (4, 4, (4, 1))],
)  # fmt: skip
def test_the_shape_of_a_grid(count: int, rows: int, shape: tuple[int, int]) -> None:
    images = [np.full((2, 3), 10 * (i + 1), np.uint8) for i in range(count)]
    found = image_grid(images, rows)
    assert found.shape == (2 * shape[0], 3 * shape[1])
    cells = [int(value) for value in found[::2, ::3].ravel()]
    assert cells == [10 * (i + 1) for i in range(count)] + [0] * (shape[0] * shape[1] - count)


def test_smaller_images_are_centred_on_black() -> None:
    found = image_grid([np.full((3, 5), 9, np.uint8), np.full((1, 1, 3), [1, 2, 3], np.uint8)], rows=1, pad=2)
    assert found.shape == (3, 12, 3)
    assert (found[:, :5] == 9).all()
    assert found[1, 9].tolist() == [1, 2, 3]
    found[1, 9] = 0
    assert not found[:, 5:].any()


def test_a_grid_with_transparency_is_opaque_elsewhere() -> None:
    found = image_grid(
        [np.full((1, 1, 4), 7, np.uint8), np.full((1, 1), 5, np.uint8), noise(1, 1, 3)], rows=1
    )
    assert found[0, 0].tolist() == [7, 7, 7, 7]
    assert found[0, 1].tolist() == [5, 5, 5, 255]
    assert found[0, 2, 3] == 255


def test_impossible_grids() -> None:
    with pytest.raises(DataError, match="got none"):
        image_grid([])
    for rows in (0, 3, -2):
        with pytest.raises(DataError, match=f"rows={rows} for 2 images"):
            image_grid([noise(2, 2), noise(2, 2)], rows)
    with pytest.raises(DataError, match="pad=-1"):
        image_grid([noise(2, 2)], pad=-1)


def test_a_float_image_made_brighter_is_not_taken_for_a_dark_one() -> None:
    np.testing.assert_array_equal(to_pixels(np.array([[0.0, 0.5, 1.3]]), "HW"), [[0, 128, 255]])
    np.testing.assert_array_equal(to_pixels(np.array([[0.0, 3.0]]), "HW"), [[0, 3]])


def test_transparent_pixels_become_white_in_rgb() -> None:
    clear = np.array([[[10, 20, 30, 0], [10, 20, 30, 255], [0, 0, 0, 51]]], np.uint8)
    assert to_rgb(clear).tolist() == [[[255, 255, 255], [10, 20, 30], [204, 204, 204]]]
    assert to_rgb(np.array([[7]], np.uint8)).tolist() == [[[7, 7, 7]]]
    colors = noise(2, 2, 3)
    assert to_rgb(colors) is colors
