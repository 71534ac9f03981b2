"""Labels in scripts that matplotlib's own font lacks, drawn with a font of the system."""

from __future__ import annotations

import functools
from typing import Any

from vizkit.media.lettering import paths_for

__all__ = ["add_fallbacks"]


def add_fallbacks(artist: Any) -> None:
    """Gives each text below ``artist`` further fonts for the characters that its own lacks.

    matplotlib's settings stay as they are. What no font of the system has is warned about once.
    """
    from matplotlib.text import Text

    for text in artist.findobj(Text):
        words = text.get_text()
        if words.isascii():
            continue
        has = _character_map(_path_of(text))
        missing = "".join(sorted({c for c in words if ord(c) not in has and not c.isspace()}))
        if missing:
            families = [_family(path) for path in sorted(set(paths_for(missing).values())) if path]
            text.set_fontfamily([*text.get_fontfamily(), *filter(None, families)])


def _path_of(text: Any) -> str:
    from matplotlib.font_manager import findfont

    return str(findfont(text.get_fontproperties()))


@functools.lru_cache(maxsize=16)
def _character_map(path: str) -> frozenset[int]:
    from matplotlib.font_manager import get_font

    return frozenset(get_font(path).get_charmap())


@functools.cache
def _family(path: str) -> str:
    """The name that matplotlib knows a font file by."""
    from matplotlib.font_manager import fontManager

    for _ in range(2):
        for font in fontManager.ttflist:
            if font.fname == path:
                return str(font.name)
        fontManager.addfont(path)  # installed since matplotlib wrote its list of fonts
    return ""
