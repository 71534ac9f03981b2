"""Text in fonts of the system: asserted on the pixels."""

from __future__ import annotations

import string
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from fontTools.ttLib import TTCollection
from PIL import Image, ImageDraw, ImageFont

from tests.unit.media.pictures import around, build_font, ink_of, strip_of
from vizkit.errors import VizKitWarning
from vizkit.media import captions, lettering
from vizkit.media.captions import add_caption
from vizkit.media.confusion_image import confusion_image
from vizkit.media.palette import INK

DIGIT = np.random.default_rng(5).integers(0, 256, (28, 28), dtype=np.uint8)


@pytest.mark.parametrize("size", [9, 11, 14, 23, 48])
@pytest.mark.parametrize(
    "text", ["predicted 7, 93%", " (a)  jf ", string.ascii_letters, string.digits + string.punctuation]
)
def test_pasted_letters_are_those_of_the_font(size: int, text: str) -> None:
    font = ImageFont.load_default(size)
    letters = lettering.Letters(size)
    assert letters.width(text) == font.getlength(text)
    pictures = [Image.new("RGB", (60 * size, 2 * size + 8), "white") for _ in range(2)]
    letters.write(ImageDraw.Draw(pictures[0]), text, 5, 4, INK)
    ImageDraw.Draw(pictures[1]).text((5, 4 + size), text, fill=INK, font=font, anchor="ls")
    np.testing.assert_array_equal(np.asarray(pictures[0]), np.asarray(pictures[1]))


def test_words_of_known_letters_are_drawn_without_a_font(monkeypatch: pytest.MonkeyPatch) -> None:
    letters = lettering.Letters(14)
    letters.stamp("0123456789 predicted")
    monkeypatch.setattr(lettering, "_font", None)
    assert ink_of(np.asarray(letters.stamp("detected 4711").convert("RGB"))).any()


def test_longer_names_keep_their_start_and_end() -> None:
    letters = lettering.Letters(14)
    short = letters.shortened("vehicle/" + "very long " * 20 + "/tram 7", 220)
    assert short.startswith("vehicle/very")
    assert short.endswith("/tram 7")
    assert "…" in short
    assert letters.width(short) <= 220


@pytest.mark.usefixtures("chinese_font")
def test_chinese_is_drawn_with_a_font_of_the_system() -> None:
    strip = strip_of(add_caption(DIGIT, "猫"))
    rows, columns = np.nonzero((strip == INK).all(axis=2))
    assert np.ptp(columns) + 1 == pytest.approx(14, abs=1)  # the square of the test's font
    assert np.ptp(rows) + 1 == pytest.approx(0.8 * 14, abs=1)
    assert len(rows) == (np.ptp(columns) + 1) * (np.ptp(rows) + 1)


@pytest.mark.usefixtures("chinese_font")
def test_chinese_and_latin_share_a_line() -> None:
    latin, both = (ink_of(strip_of(add_caption(DIGIT, text))) for text in ("true ", "true 猫"))
    assert latin.shape == both.shape
    end = np.flatnonzero(latin.any(axis=0)).max() + 1
    np.testing.assert_array_equal(both[:, :end], latin[:, :end])
    assert both[:, end:].sum() > 100


@pytest.mark.usefixtures("chinese_font")
def test_chinese_names_are_drawn_on_both_axes() -> None:
    images = [confusion_image(np.eye(2), names) for names in (["猫", "狗"], ["狗", "猫"])]
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
        images = [add_caption(DIGIT, text, good=True) for text in ("标签：猫", "true cat 猫", "狗" * 500)]
    assert len(caught) == 1
    matrix = confusion_image(np.eye(2), ["猫", "狗"])  # a second warning would be an error
    assert all(ink_of(strip_of(image)).any() for image in images)
    assert all(ink.any() for ink in around(matrix, 2))


def test_what_latin_text_needs_is_always_there(tmp_path: Path, only_fonts_of: Callable[[Path], None]) -> None:
    only_fonts_of(tmp_path)
    before = add_caption(DIGIT, "plain ASCII…", good=False)
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
    rows = (strip_of(add_caption(DIGIT, "猫")) == INK).all(axis=2).any(axis=1)
    assert rows.sum() == pytest.approx(0.8 * 14, abs=1)


def test_fonts_are_searched_once_and_only_when_needed(
    chinese_font: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    searches = []

    def search() -> list[str]:
        searches.append(1)
        return [str(chinese_font.parent)]

    monkeypatch.setattr(lettering, "_font_folders", search)
    add_caption(DIGIT, "Latin only…")
    assert not searches
    add_caption(DIGIT, "猫")
    add_caption(DIGIT, "狗")
    assert len(searches) == 1


def test_folders_of_this_system_are_searched_without_error() -> None:
    lettering._system_fonts.cache_clear()
    assert all(Path(path).is_file() for path in lettering._system_fonts())


def test_threads_draw_the_same(chinese_font: Path) -> None:
    texts = [f"true {i}, predicted 猫 {i % 3}" for i in range(40)]
    counts = np.arange(100).reshape(10, 10)
    expected = [add_caption(DIGIT, text, good=True) for text in texts], confusion_image(counts)
    lettering._font.cache_clear()
    captions._mark.cache_clear()
    with ThreadPoolExecutor(8) as pool:
        matrices = [pool.submit(confusion_image, counts) for _ in range(8)]
        images = list(pool.map(lambda text: add_caption(DIGIT, text, good=True), texts))
    for image, same in zip(images, expected[0], strict=True):
        np.testing.assert_array_equal(image, same)
    for matrix in matrices:
        np.testing.assert_array_equal(matrix.result(), expected[1])


def test_of_many_threads_one_warns(tmp_path: Path, only_fonts_of: Callable[[Path], None]) -> None:
    only_fonts_of(tmp_path)
    with pytest.warns(VizKitWarning) as caught, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: add_caption(DIGIT, "猫"), range(32)))
    assert len(caught) == 1
