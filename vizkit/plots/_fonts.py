"""System fonts for labels in scripts that matplotlib's own font lacks."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from vizkit.media.lettering import paths_for

if TYPE_CHECKING:
    from matplotlib.artist import Artist

__all__ = ["add_fallbacks"]


def add_fallbacks(artist: Artist) -> None:
    """Add fonts to each text below ``artist`` for characters that its own font lacks.

    matplotlib's settings are unchanged. Characters that no font of the system has are warned about once.
    """
    from matplotlib.font_manager import findfont
    from matplotlib.text import Text

    for text in artist.findobj(Text):
        words = text.get_text()
        if words.isascii():
            continue
        has = _character_map(str(findfont(text.get_fontproperties())))
        missing = "".join(sorted({c for c in words if ord(c) not in has and not c.isspace()}))
        if missing:
            families = [_family(path) for path in sorted(set(paths_for(missing).values())) if path]
            text.set_fontfamily([*text.get_fontfamily(), *filter(None, families)])


@functools.lru_cache(maxsize=16)
def _character_map(path: str) -> frozenset[int]:
    from matplotlib.font_manager import get_font

    return frozenset(get_font(path).get_charmap())


@functools.cache
def _family(path: str) -> str:
    """The name of a font file in matplotlib; empty if it cannot be added."""
    from matplotlib.font_manager import fontManager

    for _ in range(2):
        for font in fontManager.ttflist:
            if font.fname == path:
                return str(font.name)
        fontManager.addfont(path)  # installed since matplotlib wrote its list of fonts
    return ""
