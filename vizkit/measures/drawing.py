"""Captions and confusion matrices drawn as pixels, with no plotting library.

Text is drawn with Pillow's own font where that has all its characters, else with a font of the
system. Nothing here keeps state that threads could share but caches.
"""

from __future__ import annotations

import contextlib
import functools
import glob
import os
import re
import unicodedata
import warnings
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vizkit.errors import DataError, VizKitWarning
from vizkit.measures.arrays import describe, to_array

if TYPE_CHECKING:
    from PIL import Image, ImageDraw
    from PIL.ImageFont import FreeTypeFont

__all__ = ["captioned", "matrix_image"]

_Pixels = NDArray[np.uint8]
_Color = tuple[int, int, int]

_INK = (31, 35, 40)
_PAPER = (255, 255, 255)
_PLAIN = (234, 238, 242)
_GOOD = (26, 127, 55)
_BAD = (207, 34, 46)


# ---- captions --------------------------------------------------------------------------------------

_SMALL = 140  # pixels that small images are enlarged to, about
_NARROW = 96  # pixels that a strip needs to hold words
_PAD = 4
_FEW_LINES = 4  # more are set in small letters
_MOST_LINES = 40


def captioned(pixels: _Pixels, text: str, good: bool | None = None) -> _Pixels:
    """An image with a strip of text below it, such as its true and predicted class.

    Args:
        pixels: uint8, shape (H, W), (H, W, 3) or (H, W, 4). An image of less than about 140
            pixels is enlarged by a whole factor, each pixel to a square.
        text: wrapped at the image's width, and set smaller if it is long; what goes past 40 lines
            is cut with an ellipsis. Line breaks are kept.
        good: whether the strip is green with a check mark, red with a cross, or (None) grey.

    Returns:
        uint8, shape (h, w, 3), or (h, w, 4) for an image with alpha. The enlarged image is at the
        top; one too narrow to hold words is centred on white, or on transparent with alpha.

    Raises:
        DataError: ``pixels`` is no such image.
    """
    picture = _checked_image(pixels)
    height, width = picture.shape[:2]
    factor = max(1, round(_SMALL / max(height, width)))
    if factor > 1:
        picture = picture.repeat(factor, axis=0).repeat(factor, axis=1)
        height, width = height * factor, width * factor
    full = max(width, _NARROW)
    strip = _strip(text, good, full)

    out = np.full((height + len(strip), full, 4 if picture.shape[2] == 4 else 3), 255, np.uint8)
    if full > width and out.shape[2] == 4:
        out[:height, :, 3] = 0
    left = (full - width) // 2
    out[:height, left : left + width] = picture
    out[height:, :, :3] = strip
    return out


def _checked_image(pixels: _Pixels) -> _Pixels:
    array = to_array(pixels)
    if array.dtype != np.uint8:
        raise DataError(f"pixels must be uint8, got {describe(pixels)}")
    if array.ndim == 2:
        array = array[:, :, np.newaxis]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or not array.size:
        raise DataError(f"pixels must be of shape [H, W], [H, W, 3] or [H, W, 4], got {describe(pixels)}")
    return array


def _strip(text: str, good: bool | None, width: int) -> _Pixels:
    """The text on its ground, shape (any, width, 3)."""
    from PIL import Image, ImageDraw

    text = _drawable(text)[: _MOST_LINES * width]
    letters, lines = _typeset(text, width - 2 * _PAD, has_mark=good is not None)
    size, step = letters.size, letters.line_height
    mark = 0 if good is None else size + _PAD
    if len(lines) > _MOST_LINES:
        lines[_MOST_LINES - 1 :] = ["…"]

    ground, ink = (_PLAIN, _INK) if good is None else (_GOOD if good else _BAD, _PAPER)
    image = Image.new("RGB", (width, len(lines) * step + 2 * _PAD), ground)
    if good is not None:
        image.paste(ink, (_PAD, _PAD + (step - size) // 2), _mark(bool(good), size))
    draw = ImageDraw.Draw(image)
    for row, line in enumerate(lines):
        letters.write(draw, line, _PAD + mark, _PAD + row * step, ink)
    return np.asarray(image)


def _typeset(text: str, width: int, has_mark: bool) -> tuple[_Letters, list[str]]:
    """The letters and the lines: one if it takes little shrinking, else few or small ones."""
    path_of = _paths_for(text)
    full = min(max(14, width // 32), 48)
    for size, most in (*((size, 1) for size in range(full, full * 3 // 4, -1)), (full, _FEW_LINES)):
        letters = _Letters(size, path_of)
        room = width - (size + _PAD if has_mark else 0)
        # Letters are hardly narrower than a fifth of their size: do not wrap what is far too long.
        if len(text) * size < 5 * room * most:
            lines = letters.wrapped(text, room)
            if len(lines) <= most:
                return letters, lines
    letters = _Letters(full * 5 // 7, path_of)
    return letters, letters.wrapped(text, width - (letters.size + _PAD if has_mark else 0))


@functools.lru_cache(maxsize=32)
def _mark(good: bool, size: int) -> Image.Image:
    """A check mark or a cross, which few fonts have, as a mask."""
    from PIL import Image, ImageDraw

    fine = Image.new("L", (4 * size, 4 * size))
    check = [[(0.1, 0.55), (0.38, 0.83), (0.9, 0.2)]]
    cross = [[(0.17, 0.17), (0.83, 0.83)], [(0.17, 0.83), (0.83, 0.17)]]
    draw = ImageDraw.Draw(fine)
    for stroke in check if good else cross:
        draw.line([(4 * size * x, 4 * size * y) for x, y in stroke], 255, width=size * 5 // 8, joint="curve")
    return fine.reduce(4)


# ---- confusion matrices ----------------------------------------------------------------------------

# ColorBrewer's "Blues": its lightness falls steadily, for colour-blind readers and grey prints too.
_RAMP = np.array(
    [
        (247, 251, 255),
        (222, 235, 247),
        (198, 219, 239),
        (158, 202, 225),
        (107, 174, 214),
        (66, 146, 198),
        (33, 113, 181),
        (8, 81, 156),
        (8, 48, 107),
    ],
    dtype=np.float64,
)
_GAMMA = 0.6  # below 1, so that confusions of a few percent show
_NEUTRAL = (221, 221, 221)
_LINE = (208, 215, 222)
_FAINT = (101, 109, 118)  # zeros, so that the other numbers stand out
_FEW_CLASSES = 20
_MOST_CLASSES = 2000
_LONGEST_NAME = 220  # pixels
_TITLE = 14


def matrix_image(counts: Any, names: Sequence[Any] | None = None) -> _Pixels:
    """A confusion matrix as a heat map, with the numbers in its cells.

    A cell is the darker the larger its share of its row: from white (0) to dark blue (1). A row
    without samples, all 0 or NaN, is grey. Up to 20 classes all numbers are drawn, and cells grow
    with them. With more classes zeros are left blank, and where they do not fit all numbers and
    then some of the names.

    Args:
        counts: shape (k, k), not negative; rows are the true classes, columns the predicted.
        names: of the k classes; by default 0 .. k - 1. Long ones lose their middle.

    Returns:
        uint8, shape (h, w, 3).

    Raises:
        DataError: ``counts`` is no such matrix or has over 2000 classes, or ``names`` are not k.
    """
    from PIL import Image

    matrix = _checked_matrix(counts)
    classes = len(matrix)
    labels = _checked_names(names, classes)
    numbers = [[_number(value) for value in row] for row in matrix.tolist()]
    cell, size = _cell_and_text_size(classes, max(len(number) for row in numbers for number in row))
    colors = _colors(matrix)

    letters = _Letters(min(max(cell * 3 // 4, 10), 14), _paths_for("".join(labels)))
    line = letters.line_height
    shown = range(0, classes, -(-line // (cell + 1)))
    stamps = {i: letters.stamp(letters.shortened(labels[i], _LONGEST_NAME)) for i in shown}
    reach = max(stamp.width for stamp in stamps.values())
    if reach < min(160, 800 // classes):  # wider cells are better than upright names
        cell = max(cell, reach + 2)
    upright = reach > cell - 2

    titles = _Letters(_TITLE)
    left, top = _PAD + titles.line_height + _PAD + reach + _PAD, 2 * _PAD
    extent = classes * cell + 1
    bottom = top + extent + _PAD
    foot = bottom + (reach if upright else line) + _PAD
    image = Image.new("RGB", (left + extent + 2 * _PAD, foot + titles.line_height + _PAD), _PAPER)
    image.paste(Image.fromarray(_heat_map(colors, cell)), (left, top))

    for i, stamp in stamps.items():
        middle = i * cell + (cell + 1) // 2
        image.paste(_INK, (left - _PAD - stamp.width, top + middle - line // 2), stamp)
        if upright:
            image.paste(_INK, (left + middle - line // 2, bottom), stamp.transpose(Image.Transpose.ROTATE_90))
        else:
            image.paste(_INK, (left + middle - stamp.width // 2, bottom), stamp)
    predicted, true = titles.stamp("predicted"), titles.stamp("true").transpose(Image.Transpose.ROTATE_90)
    image.paste(_INK, (_PAD, top + max(0, extent - true.height) // 2), true)
    image.paste(_INK, (left + (extent - predicted.width) // 2, foot), predicted)

    if size:
        dark, digits = _is_dark(colors), _Letters(size)
        drawn: dict[str, Image.Image] = {}
        for i, row in enumerate(numbers):
            for j, number in enumerate(row):
                if number == "0" and classes > _FEW_CLASSES:
                    continue
                stamp = drawn.get(number) or drawn.setdefault(number, digits.stamp(number))
                ink = _PAPER if dark[i, j] else _FAINT if number == "0" else _INK
                x = left + j * cell + (cell + 1 - stamp.width) // 2
                y = top + i * cell + (cell + 1 - stamp.height) // 2
                image.paste(ink, (x, y), stamp)
    return np.array(image)


def _checked_matrix(counts: Any) -> NDArray[Any]:
    matrix = to_array(counts)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size or matrix.dtype.kind == "c":
        raise DataError(
            f"a confusion matrix must be of real numbers and shape [k, k], got {describe(matrix)}"
        )
    if len(matrix) > _MOST_CLASSES:
        raise DataError(
            f"a matrix of {len(matrix)} classes is too large to draw; {_MOST_CLASSES} are the most"
        )
    below = int(np.count_nonzero(matrix < 0))
    if below:
        raise DataError(f"{below} of {matrix.size} counts are negative")
    return matrix


def _checked_names(names: Sequence[Any] | None, classes: int) -> list[str]:
    if names is None:
        return [str(i) for i in range(classes)]
    if len(names) != classes:
        raise DataError(f"expected names of {classes} classes, got {len(names)}")
    return [_drawable(str(name)).replace("\n", " ") for name in names]


def _number(value: float) -> str:
    """Whole numbers exactly, others to 3 digits."""
    if value != value:
        return "NaN"
    if isinstance(value, int) or (value < 1e7 and value == int(value)):
        return str(int(value))
    return f"{value:.0f}" if 100 <= value < 1e7 else f"{value:.3g}"


def _cell_and_text_size(classes: int, digits: int) -> tuple[int, int]:
    """Pixels of a cell's side, and the size of its number (0: none)."""
    widest = "0" * digits
    cell = max(1, min(96, round(150 / classes**0.5), _MOST_CLASSES // classes))
    if classes <= _FEW_CLASSES:
        cell = max(cell, round(_Letters(11).width(widest)) + 8)
    for size in range(16, 8, -1):
        letters = _Letters(size)
        # Some signs are a little wider than digits.
        if letters.line_height < cell and letters.width(widest) <= cell - 5:
            return cell, size
    return cell, 0


def _colors(matrix: NDArray[Any]) -> _Pixels:
    """The cells' colours, shape (k, k, 3)."""
    values = matrix.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        shares = values / np.nansum(values, axis=1, keepdims=True)
    empty = ~np.isfinite(shares)
    shares[empty] = 0.0
    at = np.clip(shares, 0, 1) ** _GAMMA
    stops = np.linspace(0, 1, len(_RAMP))
    colors = np.stack([np.interp(at, stops, channel) for channel in _RAMP.T], axis=-1)
    colors[empty] = _NEUTRAL
    return colors.round().astype(np.uint8)


def _heat_map(colors: _Pixels, cell: int) -> _Pixels:
    """Squares with lines between them if there is room, and a line around them."""
    image = np.empty((len(colors) * cell + 1, len(colors) * cell + 1, 3), np.uint8)
    image[:-1, :-1] = colors.repeat(cell, axis=0).repeat(cell, axis=1)
    step = cell if cell >= 8 else len(colors) * cell
    image[::step] = image[:, ::step] = _LINE
    return image


def _is_dark(colors: _Pixels) -> NDArray[np.bool_]:
    """Where white text has more contrast than dark (by the relative luminance of WCAG 2)."""
    channels = colors / 255.0
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear @ (0.2126, 0.7152, 0.0722) < 0.2)


# ---- text ------------------------------------------------------------------------------------------

_WIDE = r"\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
_CLOSING = "、。，．！？；：）」』】》〉”’"
# Where lines may break: at spaces, and after each CJK character unless a closing mark follows.
_PIECES = re.compile(rf"\s+|[{_WIDE}][{_CLOSING}]*|[^\s{_WIDE}]+")


def _drawable(text: str) -> str:
    """The text without what no font can draw; line breaks stay."""
    if text.isascii() and text.isprintable():
        return text
    text = unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode())
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text.replace("\r\n", "\n"))


@dataclass(frozen=True)
class _Letters:
    """The size and the fonts that text is drawn with.

    Fonts are chosen once for a text, so that its parts are as wide alone as on their line.
    """

    size: int
    path_of: Mapping[str, str] = field(default_factory=dict)  # the font of a character, else Pillow's own

    @property
    def line_height(self) -> int:
        return round(1.3 * self.size)

    def width(self, text: str) -> float:
        return sum(_font(path, self.size).getlength(run) for path, run in self._runs(text))

    def wrapped(self, text: str, width: int) -> list[str]:
        """Lines of at most ``width`` pixels, broken within words only where one is too long."""
        lines = []
        for paragraph in text.split("\n"):
            line, used = "", 0.0
            for piece in _PIECES.findall(paragraph):
                length = self.width(piece)
                if used + length > width:
                    if line.strip():
                        lines.append(line.rstrip())
                    line, used = "", 0.0
                    if piece.isspace():
                        continue
                    while length > width and len(piece) > 1:
                        fits = max(1, self._fitting(piece, width))
                        lines.append(piece[:fits])
                        piece = piece[fits:]
                        length = self.width(piece)
                line, used = line + piece, used + length
            lines.append(line.rstrip())
        return lines

    def shortened(self, text: str, width: int) -> str:
        """The text, or its start and end if it is wider than ``width`` pixels."""
        if len(text) <= width and self.width(text) <= width:
            return text
        half = (width - self.width("…")) / 2
        head = text[: self._fitting(text, half)]
        tail = text[len(text) - self._fitting(text[::-1], half) :]
        return f"{head.rstrip()}…{tail.lstrip()}"

    def write(self, draw: ImageDraw.ImageDraw, text: str, x: float, y: float, ink: _Color | int) -> None:
        """Draw one line with its top left at (x, y)."""
        for path, run in self._runs(text):
            font = _font(path, self.size)
            draw.text((x, y + self.size), run, fill=ink, font=font, anchor="ls")
            x += font.getlength(run)

    def stamp(self, text: str) -> Image.Image:
        """One line of text as a mask."""
        from PIL import Image, ImageDraw

        mask = Image.new("L", (int(self.width(text)) + 2, self.line_height))
        self.write(ImageDraw.Draw(mask), text, 1, 0, 255)
        return mask

    def _fitting(self, text: str, width: float) -> int:
        """How many characters from the start fit ``width`` pixels."""
        most = min(len(text), int(width))
        return bisect_right(range(1, most + 1), width, key=lambda count: self.width(text[:count]))

    def _runs(self, text: str) -> Iterable[tuple[str, str]]:
        if not self.path_of:
            return [(_OWN, text)]
        return [(path, "".join(run)) for path, run in groupby(text, lambda c: self.path_of.get(c, _OWN))]


# ---- fonts -----------------------------------------------------------------------------------------

_OWN = ""  # stands for the path of Pillow's own font, which has ASCII and little else
_ABSENT = "\uffff"  # no character: drawn as what the font draws for those it lacks
# Chinese first; then other scripts. A blank in a name is written as "|".
_FILES = """
    NotoSansCJK-Regular.ttc NotoSansCJKsc-Regular.otf NotoSansSC-Regular.otf NotoSansSC-Regular.ttf
    NotoSansCJK-VF.ttc NotoSansCJK-VF.otf.ttc NotoSansSC-VF.ttf NotoSansSC[wght].ttf
    SourceHanSans.ttc SourceHanSans-Regular.ttc SourceHanSansSC-Regular.otf SourceHanSansCN-Regular.otf
    wqy-microhei.ttc wqy-zenhei.ttc
    PingFang.ttc Hiragino|Sans|GB.ttc STHeiti|Medium.ttc STHeiti|Light.ttc
    msyh.ttc msyh.ttf Deng.ttf simhei.ttf simsun.ttc
    DroidSansFallbackFull.ttf DroidSansFallback.ttf NotoSerifCJK-Regular.ttc uming.ttc ukai.ttc
    Arial|Unicode.ttf arialuni.ttf unifont.otf unifont.ttf
    YuGothM.ttc msgothic.ttc malgun.ttf AppleSDGothicNeo.ttc NanumGothic.ttf
    DejaVuSans.ttf NotoSans-Regular.ttf LiberationSans-Regular.ttf segoeui.ttf arial.ttf
"""
_RANKS = {name.replace("|", " "): rank for rank, name in enumerate(_FILES.lower().split())}
_told: dict[str, object] = {}


def _paths_for(text: str) -> dict[str, str]:
    """The font of each character; none where Pillow's own font serves."""
    characters = set(text)
    if text.isascii() or all(_has(_OWN, c) for c in characters):
        return {}
    fonts = _system_fonts()
    for path in fonts:  # one font for all looks better than two
        if all(_has(path, c) for c in characters):
            return dict.fromkeys(characters, path)
    path_of = {c: next((path for path in (_OWN, *fonts) if _has(path, c)), None) for c in characters}
    missing = sorted(c for c, path in path_of.items() if path is None)
    if missing:
        _tell_missing(missing)
    return {c: path for c, path in path_of.items() if path}


def _tell_missing(characters: Iterable[str]) -> None:
    me = object()
    if _told.setdefault("missing", me) is not me:  # atomic: of many threads, one tells
        return
    warnings.warn(
        f"no font found for {''.join(characters)[:20]}: drawn as boxes in captions and confusion matrices. "
        "For Chinese, Japanese and Korean install fonts (Debian, Ubuntu: `apt-get install fonts-noto-cjk`; "
        "Fedora: `dnf install google-noto-sans-cjk-fonts`), or put NotoSansCJK-Regular.ttc into "
        "~/.local/share/fonts, and start again",
        VizKitWarning,
        stacklevel=2,
    )


@functools.lru_cache(maxsize=1 << 14)
def _has(path: str, character: str) -> bool:
    """Whether the font has the character, told by what it draws: Pillow cannot be asked."""
    if character.isspace():
        return True
    font = _font(path, 16)
    glyph, absent = font.getmask(character), font.getmask(_ABSENT)
    return glyph.size != absent.size or bytes(glyph) != bytes(absent)


@functools.lru_cache(maxsize=64)
def _font(path: str, size: int) -> FreeTypeFont:
    from PIL import ImageFont

    if path == _OWN:
        font = ImageFont.load_default(size)
        assert isinstance(font, ImageFont.FreeTypeFont)  # as long as Pillow is built with FreeType
        return font
    font = ImageFont.truetype(path, size, index=_face(path))
    with contextlib.suppress(OSError, ValueError, NotImplementedError):  # mostly: no variable font
        font.set_variation_by_name("Regular")
    return font


@functools.cache
def _face(path: str) -> int:
    """Which font of a collection draws the Chinese of the mainland; Noto's first is Japanese."""
    from PIL import ImageFont

    if path.lower().endswith(".ttc"):
        for index in range(16):
            try:
                family = ImageFont.truetype(path, 16, index=index).getname()[0] or ""
            except OSError:
                break
            if family.endswith(" SC"):
                return index
    return 0


@functools.cache
def _system_fonts() -> tuple[str, ...]:
    """Paths of the fonts that other scripts are drawn with, best first; searched once."""
    found = []
    for folder in _font_folders():
        for where, _, names in os.walk(folder):
            found += [(_RANKS[n.lower()], os.path.join(where, n)) for n in names if n.lower() in _RANKS]
    return tuple(path for _, path in sorted(found) if _loads(path))


def _loads(path: str) -> bool:
    try:
        _font(path, 16)
    except (OSError, ValueError):
        return False
    return True


def _font_folders() -> list[str]:
    """Where Linux, macOS and Windows keep fonts, of the system and of the user."""
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    windows = os.environ.get("WINDIR") or "C:\\Windows"
    local = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    folders = [
        f"{data}/fonts",
        "~/.fonts",
        "/usr/local/share/fonts",
        "/usr/share/fonts",
        "~/Library/Fonts",
        "/Library/Fonts",
        "/System/Library/Fonts",
        *glob.glob("/System/Library/AssetsV2/com_apple_MobileAsset_Font*"),
        f"{local}/Microsoft/Windows/Fonts",
        f"{windows}/Fonts",
    ]
    return [os.path.expanduser(folder) for folder in folders]
