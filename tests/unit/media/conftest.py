"""Fonts for tests of text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.unit.media.pictures import build_font
from vizkit.media import captions, lettering


@pytest.fixture
def only_fonts_of(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], None]]:
    """Have the fonts of a folder for the system's, and nothing told so far."""

    def use(folder: Path) -> None:
        monkeypatch.setattr(lettering, "_font_folders", lambda: [str(folder)])
        lettering._system_fonts.cache_clear()
        captions._strip.cache_clear()

    monkeypatch.setattr(lettering, "_warned", {})
    yield use
    lettering._system_fonts.cache_clear()
    captions._strip.cache_clear()


@pytest.fixture
def chinese_font(tmp_path: Path, only_fonts_of: Callable[[Path], None]) -> Path:
    """A font with 猫 as a full rectangle and 狗 as its lower half, in a folder of its own."""
    path = tmp_path / "some" / "folder" / "simhei.ttf"
    path.parent.mkdir(parents=True)
    build_font("Test", 猫=800, 狗=400).save(path)
    only_fonts_of(tmp_path)
    return path
