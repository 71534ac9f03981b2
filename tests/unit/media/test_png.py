"""PNG files by OpenCV and by Pillow: the pixels, and in the right colours."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.unit.media.pictures import noise
from vizkit.errors import DataError, VizKitWarning
from vizkit.media import png
from vizkit.media.confusion_image import confusion_image
from vizkit.media.images import resize
from vizkit.media.png import decode_png, encode_png, resize_pixels


@pytest.fixture(params=["cv2", "pillow"])
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    png._cv2.cache_clear()
    if request.param == "pillow":
        monkeypatch.setitem(sys.modules, "cv2", None)
        with pytest.warns(VizKitWarning, match="Pillow"):
            assert png._cv2() is None
    yield request.param
    png._cv2.cache_clear()


SHAPES = [(28, 28), (1, 1), (5, 7), (5, 7, 3), (5, 7, 4), (1, 300, 3), (224, 224, 3)]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_png_holds_exactly_the_pixels(backend: str, shape: tuple[int, ...]) -> None:
    pixels = noise(*shape)
    data = encode_png(pixels)
    by_pillow = Image.open(io.BytesIO(data))
    assert by_pillow.mode == ("L" if len(shape) == 2 else "RGBA"[: shape[2]])
    np.testing.assert_array_equal(np.asarray(by_pillow), pixels)
    found = decode_png(data)
    np.testing.assert_array_equal(found, pixels)
    assert found.dtype == np.uint8


@pytest.mark.parametrize("shape", SHAPES)
def test_a_drawn_picture_holds_exactly_its_pixels(backend: str, shape: tuple[int, ...]) -> None:
    pixels = noise(*shape)
    np.testing.assert_array_equal(decode_png(encode_png(pixels, drawn=True)), pixels)


def test_a_diagram_takes_little_room() -> None:
    counts = np.random.default_rng(0).integers(0, 4, (10, 10)) + 90 * np.eye(10, dtype=int)
    pixels = confusion_image(counts)
    assert len(encode_png(pixels, drawn=True)) < pixels.size / 25
    assert len(encode_png(pixels)) < pixels.size / 13


def test_red_is_red(backend: str) -> None:
    red = np.zeros((2, 2, 3), np.uint8)
    red[..., 0] = 200
    assert Image.open(io.BytesIO(encode_png(red))).getpixel((0, 0)) == (200, 0, 0)
    file = io.BytesIO()
    Image.fromarray(red).save(file, "png")
    np.testing.assert_array_equal(decode_png(file.getvalue()), red)


def test_pixels_of_any_memory(backend: str) -> None:
    for pixels in (noise(12, 10, 3)[::2, ::-1], noise(10, 12).T, noise(4, 10, 12).transpose(1, 2, 0)):
        pixels.flags.writeable = False
        np.testing.assert_array_equal(decode_png(encode_png(pixels)), pixels)
        assert resize_pixels(pixels, (2, 2)).shape[:2] == (2, 2)


@pytest.mark.parametrize("mode", ["1", "LA", "P", "I;16"])
def test_other_kinds_of_png_are_read(backend: str, mode: str) -> None:
    rgb = Image.fromarray(noise(6, 5, 3))
    if mode == "I;16":
        image = Image.fromarray((np.asarray(rgb.convert("L")).astype(np.uint16) << 8) + 77)
        expected = np.asarray(rgb.convert("L"))
    else:
        image = rgb.quantize(9) if mode == "P" else rgb.convert(mode)
        expected = np.asarray(image.convert({"1": "L", "LA": "RGBA", "P": "RGB"}[mode]))
    file = io.BytesIO()
    image.save(file, "png")
    np.testing.assert_array_equal(decode_png(file.getvalue()), expected)


def test_damaged_png_is_refused(backend: str) -> None:
    data = encode_png(noise(20, 20, 3))
    flipped = bytearray(data)
    flipped[100] ^= 255
    for broken in (b"", b"GIF89a", data[:8], data[: len(data) // 2], data[:-40], bytes(flipped)):
        with pytest.raises(DataError):
            decode_png(broken)


@pytest.mark.parametrize(
    "wrong", [np.zeros((2, 2)), np.zeros((2, 2, 2), "u1"), np.zeros((2, 0), "u1"), [[1]]]
)
def test_what_are_no_pixels(backend: str, wrong: Any) -> None:
    with pytest.raises(DataError, match="pixels"):
        encode_png(wrong)


def test_resizing(backend: str) -> None:
    checks = np.array([[0, 200], [100, 40]], np.uint8)
    np.testing.assert_array_equal(resize(checks, 3), np.kron(checks, np.ones((3, 3), np.uint8)))
    assert resize(checks, 0.5).tolist() == [[85]]
    assert resize(checks, 1e-6).shape == (1, 1)
    rgb = np.full((4, 6, 3), [10, 20, 30], np.uint8)
    assert (resize_pixels(rgb, (3, 8)) == [10, 20, 30]).all()
    assert resize_pixels(rgb, (3, 8)).shape == (3, 8, 3)
    same = resize(checks, 1)
    np.testing.assert_array_equal(same, checks)
    assert not np.shares_memory(same, checks)
    for scale in (0, -1, float("nan"), float("inf")):
        with pytest.raises(DataError, match="scale="):
            resize(checks, scale)
    with pytest.raises(DataError, match="0 pixels high"):
        resize_pixels(checks, (0, 3))


def test_without_opencv_there_is_one_warning() -> None:
    script = """
import sys, warnings
assert not {"cv2", "PIL"} & set(sys.modules)
import vizkit.media.images, vizkit.media.png as png
assert not {"cv2", "PIL"} & set(sys.modules), "imported before it is used"
class NoLibGL:
    def find_spec(self, name, path=None, target=None):
        if name == "cv2":
            raise OSError("libGL.so.1: cannot open shared object file")
sys.meta_path.insert(0, NoLibGL())
import numpy as np
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    for value in (1, 2):
        pixels = np.full((3, 4, 3), value, np.uint8)
        assert (png.decode_png(png.encode_png(pixels)) == pixels).all()
assert [type(w.message).__name__ for w in seen] == ["VizKitWarning"], seen
assert "libGL" in str(seen[0].message)
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=300)


def test_what_opencv_cannot_encode_or_decode_is_refused() -> None:
    with pytest.raises(DataError, match="OpenCV cannot encode"):
        encode_png(np.zeros((1, 1_000_001), np.uint8))
    header = b"IHDR" + struct.pack(">IIBBBBB", 100_000, 100_000, 8, 0, 0, 0, 0)
    claim = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    claim += struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))
    with pytest.raises(DataError, match="OpenCV cannot decode"):
        decode_png(claim)
