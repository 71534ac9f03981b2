"""Words for people in their language: English as the code has it, or Chinese from ``locale/``.

`tr` is gettext's ``_``, with named placeholders. The catalogue is read when the first text is translated.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache

__all__ = ["LANGUAGES", "Message", "english", "language", "mark", "reason_of", "speaking", "tr", "trn"]

LANGUAGES = ("en", "zh")

_chosen: str | None = None
_speaking: ContextVar[str | None] = ContextVar("vizkit_language", default=None)
_ENTRY = re.compile(
    r"^msgid (.+?)\n(?:msgid_plural .+?\n)?msgstr(?:\[0\])? (.+?)\n(?=\n|\Z)", re.MULTILINE | re.DOTALL
)


def language(code: str | None = None) -> str:
    """Set the language of VizKit's words, and return it: help, messages, warnings, plots, tables.

    By default it is that of the environment: ``VIZKIT_LANG``, else the locale's (``LC_ALL``,
    ``LC_MESSAGES``, ``LANG``). Pages take the browser's. What logs, JSON and CSV hold does not depend on it.

    Args:
        code: ``"en"``, ``"zh"``, or a locale of these, such as ``"zh_CN.UTF-8"``; None: leave it as it is.

    Raises:
        VizKitError: a language that VizKit does not speak.
    """
    global _chosen
    if code is not None:
        short = _short(code)
        if short not in LANGUAGES:
            from vizkit.errors import VizKitError

            raise VizKitError("language must be {known}, got {code!r}", known="'en' or 'zh'", code=code)
        _chosen = short
    if _chosen is None:
        _chosen = _of_environment()
    return _speaking.get() or _chosen


@contextmanager
def speaking(code: str | None) -> Iterator[None]:
    """Use another language within a block, in this thread or task alone; None: the same."""
    token = _speaking.set(code or _speaking.get())
    try:
        yield
    finally:
        _speaking.reset(token)


class Message(str):
    """A translated text that `tr` can translate again, as into the language of a page."""

    source: tuple[str, ...]
    values: dict[str, object]

    def __str__(self) -> str:
        return self


def tr(text: str, /, **values: object) -> str:
    """Translate a text, with values put into its placeholders, as in ``{name!r}``; `str.format` does that."""
    if isinstance(text, Message):
        return _message(text.source, text.values)
    return _message((text,), values)


def trn(one: str, many: str, /, n: int, **values: object) -> str:
    """Translate a text that depends on a number: ``{n} run``, ``{n} runs``."""
    return _message((one, many), {"n": n, **values})


def english(text: str) -> str:
    """The English of a translated text, for logs and programs."""
    with speaking("en"):
        return str.__str__(tr(text)) if isinstance(text, Message) else text


def mark(text: str) -> str:
    """Mark a text for the catalogue that is translated elsewhere, by a variable."""
    return text


def reason_of(error: OSError) -> str:
    """The words of the operating system for an error, without the path."""
    return tr(error.strerror or str(error))


def _message(source: tuple[str, ...], values: dict[str, object]) -> Message:
    template = source[-1] if values.get("n") != 1 else source[0]
    if language() != "en":
        template = _catalogue(language()).get(source[0], template)
    message = Message(
        template.format(**{name: _shown(value) for name, value in values.items()}) if values else template
    )
    message.source, message.values = source, values
    return message


def _shown(value: object) -> object:
    text = str(value) if isinstance(value, BaseException) else value
    if isinstance(text, Message):
        return tr(text)
    if isinstance(value, OSError) and value.strerror in _SYSTEM:
        return str(value).replace(value.strerror, tr(value.strerror), 1)
    return value


_SYSTEM = (
    mark("Address already in use"),
    mark("Bad file descriptor"),
    mark("Cannot allocate memory"),
    mark("Cannot assign requested address"),
    mark("Connection refused"),
    mark("Connection timed out"),
    mark("Device or resource busy"),
    mark("Disk quota exceeded"),
    mark("File exists"),
    mark("File name too long"),
    mark("File too large"),
    mark("Input/output error"),
    mark("Invalid argument"),
    mark("Is a directory"),
    mark("No space left on device"),
    mark("No such file or directory"),
    mark("Not a directory"),
    mark("Operation not permitted"),
    mark("Permission denied"),
    mark("Read-only file system"),
    mark("Stale file handle"),
    mark("Too many levels of symbolic links"),
    mark("Too many open files"),
    mark("Too many open files in system"),
)
"""The operating system's words for errors, which Python gives in English: ``error.strerror``."""


@cache
def _catalogue(code: str) -> dict[str, str]:
    """The translations of a language, by their English."""
    name = {"zh": "zh_CN"}[code]
    path = os.path.join(os.path.dirname(__file__), "locale", name, "LC_MESSAGES", "vizkit.po")
    with open(path, encoding="utf-8") as file:
        _header, *entries = _ENTRY.findall(file.read())
    return {_text(key): _text(value) for key, value in entries}


def _text(quoted: str) -> str:
    return "".join(json.loads(line) for line in quoted.split("\n"))


def _short(code: str) -> str:
    return re.split(r"[-_.@:]", code.strip().lower())[0]


def _of_environment() -> str:
    get = os.environ.get
    place = get("VIZKIT_LANG") or get("LC_ALL") or get("LC_MESSAGES") or get("LANG") or ""
    if not place and sys.platform == "win32":
        import ctypes

        return "zh" if ctypes.windll.kernel32.GetUserDefaultUILanguage() & 0x3FF == 0x04 else "en"
    return "zh" if _short(place) == "zh" else "en"
