"""Text drawn as pixels: in Pillow's own font if it has all characters, else in fonts of the system.

Its characters of ASCII, of which most pictures of a training are made, are drawn once and then pasted.
Threads share only caches.
"""

from __future__ import annotations

import contextlib
import functools
import glob
import math
import os
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from vizkit._language import english, language, tr
from vizkit._warnings import warn
from vizkit.media.palette import RGB

if TYPE_CHECKING:
    from PIL import Image, ImageDraw
    from PIL.ImageFont import FreeTypeFont

__all__ = ["Letters", "as_texts", "breakable", "drawable", "one_line", "paths_for", "picture_text"]

_WIDE = r"\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
_CLOSING = "、。，．！？；：）」』】》〉”’"
# Where lines may break: at spaces, and after each CJK character unless a closing mark follows.
_PIECES = re.compile(rf"\s+|[{_WIDE}][{_CLOSING}]*|[^\s{_WIDE}]+")


def drawable(text: str) -> str:
    """Replace characters that no font can draw by spaces; line breaks stay."""
    if text.isascii() and text.isprintable():
        return text
    text = unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode())
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text.replace("\r\n", "\n"))


def as_texts(values: object) -> list[str] | None:
    """Convert a list that holds a text to texts; None if it holds none, such as numbers."""
    if isinstance(values, (list, tuple)) and any(isinstance(value, str) for value in values):
        return [str(value) for value in values]
    return None


def one_line(text: str) -> str:
    """Replace line breaks, and characters that no font can draw, by spaces."""
    return drawable(text).replace("\n", " ")


def picture_text(text: str, /, **values: object) -> str:
    """Translate a text for a picture, as `tr` does; it is in English where no font has Chinese."""
    message = tr(text, **values)
    return message if language() == "en" or _draws_chinese() else english(message)


def breakable(text: str) -> list[str]:
    """Split a line at the places where it may break."""
    return _PIECES.findall(text)


@dataclass(frozen=True)
class Letters:
    """The size and the fonts of a text.

    Fonts are chosen once for a text, so that its parts are as wide alone as on their line.
    """

    size: int
    path_of: Mapping[str, str] = field(default_factory=dict)  # the font of a character, else Pillow's own

    @property
    def line_height(self) -> int:
        """Pixels from one line to the next."""
        return round(1.3 * self.size)

    def width(self, text: str) -> float:
        """Return the width of ``text`` on one line in pixels."""
        return sum(_length(path, self.size, run) for path, run in self._runs(text))

    def wrapped(self, text: str, width: int) -> list[str]:
        """Break text into lines of at most ``width`` pixels, and words only if they are too long."""
        lines = []
        for paragraph in text.split("\n"):
            line, used = "", 0.0
            for piece in breakable(paragraph):
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
        """Cut the middle out of a text that is wider than ``width`` pixels."""
        if len(text) <= width and self.width(text) <= width:
            return text
        half = (width - self.width("…")) / 2
        head = text[: self._fitting(text, half)]
        tail = text[len(text) - self._fitting(text[::-1], half) :]
        return f"{head.rstrip()}…{tail.lstrip()}"

    def write(self, draw: ImageDraw.ImageDraw, text: str, x: float, y: float, ink: RGB | int) -> None:
        """Draw one line with its top left at (x, y)."""
        for path, run in self._runs(text):
            if _is_pasted(path, run):
                for word in run.split(" "):
                    if word:
                        draw.bitmap((round(x) - _MARGIN, round(y) - _MARGIN), _word(self.size, word), ink)
                    x += _length(path, self.size, word + " ")
                x -= _length(path, self.size, " ")
                continue
            draw.text((x, y + self.size), run, fill=ink, font=_font(path, self.size), anchor="ls")
            x += _length(path, self.size, run)

    def stamp(self, text: str) -> Image.Image:
        """Draw one line of text as a mask, which must not be changed."""
        return self._stamped(text) if self.path_of else _stamp(self.size, text)

    def _stamped(self, text: str) -> Image.Image:
        from PIL import Image, ImageDraw

        mask = Image.new("L", (int(self.width(text)) + 2, self.line_height))
        self.write(ImageDraw.Draw(mask), text, 1, 0, 255)
        return mask

    def _fitting(self, text: str, width: float) -> int:
        """Count the characters from the start that fit ``width`` pixels."""
        most = min(len(text), int(width))
        return bisect_right(range(1, most + 1), width, key=lambda count: self.width(text[:count]))

    def _runs(self, text: str) -> Iterable[tuple[str, str]]:
        if not self.path_of:
            return [(_OWN, text)]
        return [(path, "".join(run)) for path, run in groupby(text, lambda c: self.path_of.get(c, _OWN))]


# ---- fonts -----------------------------------------------------------------------------------------

_OWN = ""  # stands for the path of Pillow's own font, which has ASCII and little else
_MARGIN = 3  # pixels around a word: letters may reach beyond their own width
_ABSENT = "\uffff"  # no character: drawn like all that a font lacks
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
_warned: dict[str, object] = {}


def paths_for(text: str) -> dict[str, str]:
    """Choose a font for each character; empty if Pillow's own font has all."""
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
        _warn_missing(missing)
    return {c: path for c, path in path_of.items() if path}


@functools.cache
def _draws_chinese() -> bool:
    if any(_has(path, "中") for path in _system_fonts()):
        return True
    warn(
        "no font found for Chinese: words in pictures are in English. Install one (Debian, Ubuntu: `apt-get "
        "install fonts-noto-cjk`; Fedora: `dnf install google-noto-sans-cjk-fonts`), and start again"
    )
    return False


def _warn_missing(characters: Iterable[str]) -> None:
    me = object()
    if _warned.setdefault("missing", me) is not me:  # atomic: one of many threads warns
        return
    warn(
        "no font found for {characters}: drawn as boxes. For Chinese, Japanese and Korean install "
        "fonts (Debian, Ubuntu: `apt-get install fonts-noto-cjk`; Fedora: `dnf install "
        "google-noto-sans-cjk-fonts`), or put NotoSansCJK-Regular.ttc into "
        "~/.local/share/fonts, and start again",
        characters="".join(characters)[:20],
    )


@functools.lru_cache(maxsize=1 << 14)
def _has(path: str, character: str) -> bool:
    """Return True if the font has the character, judged by its glyph: Pillow has no way to ask."""
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


# Characters, numbers and names recur in every picture of a training, and FreeType takes 10 us to measure a
# word and 200 us to draw a line. Pillow's own font has no kerning: a word is its characters side by side.
@functools.lru_cache(maxsize=1 << 11)
def _length(path: str, size: int, text: str) -> float:
    if len(text) > 1 and _is_pasted(path, text):
        return sum(_length(path, size, character) for character in text)
    return _font(path, size).getlength(text)


def _is_pasted(path: str, text: str) -> bool:
    return path == _OWN and text.isascii() and text.isprintable()


@functools.lru_cache(maxsize=1 << 9)
def _word(size: int, word: str) -> Image.Image:
    """A mask of a word in Pillow's own font with a margin around it, which must not be changed."""
    from PIL import Image, ImageDraw

    high = Letters(size).line_height + 2 * _MARGIN
    mask = Image.new("L", (math.ceil(_length(_OWN, size, word)) + 2 * _MARGIN, high))
    draw, x = ImageDraw.Draw(mask), 0.0
    if len(word) == 1:
        draw.text((_MARGIN, _MARGIN + size), word, fill=255, font=_font(_OWN, size), anchor="ls")
        return mask
    for character in word:
        draw.bitmap((round(x), 0), _word(size, character), 255)
        x += _length(_OWN, size, character)
    return mask


@functools.lru_cache(maxsize=1 << 9)
def _stamp(size: int, text: str) -> Image.Image:
    return Letters(size)._stamped(text)


@functools.cache
def _face(path: str) -> int:
    """The font of a collection for simplified Chinese; Noto's first is Japanese."""
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
    """Paths of fonts for other scripts, best first; searched once."""
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
    """The folders of fonts on Linux, macOS and Windows, of the system and of the user."""
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
