"""Values, durations and names as short texts, safe to print."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence, Set
from datetime import timedelta

from vizkit._language import mark, tr
from vizkit.runs.query import MISSING

__all__ = [
    "LONGEST_CELL",
    "clean",
    "duration_text",
    "exact_text",
    "setting_text",
    "setting_texts",
    "shorten_all",
    "shortened",
    "status_text",
    "terminal_width",
    "value_text",
    "value_texts",
]

LONGEST_CELL = 32
"""Characters of a table's cell."""

_LONGEST_NUMBER = 12  # characters of a setting that is shown in full

_MOST_DIGITS = 17  # tell any two floats apart

_WORD = re.compile(r"(?:[^\W_]|(?<=\d)\.(?=\d))+")
_READ = 4000  # characters of a long text that are compared


def value_text(value: object) -> str:
    """A metric, or another value that was measured, as a short text; floats get four digits."""
    if value is MISSING or value is None:
        return "" if value is MISSING else "None"
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)


def value_texts(values: Sequence[object], digits: int = 4) -> list[str]:
    """Measured values as short texts that differ where the values do.

    Floats get so many digits, and those that would look like another as many more as tell them apart.
    """
    texts: dict[float, str] = {}
    alike = {value for value in values if isinstance(value, float)}
    while alike:
        rounded: dict[str, list[float]] = {}
        for value in alike:
            rounded.setdefault(f"{value:.{digits}g}", []).append(value)
        texts.update((value, text) for text, same in rounded.items() for value in same)
        alike = {value for same in rounded.values() if len(same) > 1 for value in same}
        digits += 1
        if digits > _MOST_DIGITS:
            break  # NaN
    return [texts[value] if isinstance(value, float) else value_text(value) for value in values]


def exact_text(value: object) -> str:
    """A step or a hyper-parameter as a text without loss: ``1234567``, ``0.1``, ``1e-05``."""
    if not isinstance(value, float):
        return value_text(value)
    return f"{value:.0f}" if value.is_integer() and abs(value) < 1e16 else repr(float(value))


def setting_text(value: object) -> str:
    """A hyper-parameter as a short text: in full, or with four digits if that is a long number."""
    text = exact_text(value)
    return text if len(text) <= _LONGEST_NUMBER else value_text(value)


def setting_texts(values: Sequence[object]) -> list[str]:
    """Values of one hyper-parameter as short texts that differ where the values do."""
    exact = [exact_text(value) for value in values]
    short = [setting_text(value) for value in values]
    meant: dict[str, set[str]] = {}
    for text, whole in zip(short, exact, strict=True):
        meant.setdefault(text, set()).add(whole)
    texts = [text if len(meant[text]) == 1 else whole for text, whole in zip(short, exact, strict=True)]
    of_texts = {text for text, value in zip(texts, values, strict=True) if isinstance(value, str)}
    others = {text for text, value in zip(texts, values, strict=True) if not isinstance(value, str)}
    both = of_texts & others  # 32 and "32"
    return [
        repr(value) if text in both and isinstance(value, str) else text
        for text, value in zip(texts, values, strict=True)
    ]


def duration_text(duration: timedelta | None) -> str:
    """``3.2 s``, ``12 min 05 s``, ``3 h 20 min``, ``2 d 4 h``."""
    if duration is None:
        return ""
    seconds = duration.total_seconds()
    if seconds < 60:
        return tr("{seconds:.1f} s", seconds=seconds)
    minutes, hours = int(seconds // 60), int(seconds // 3600)
    if minutes < 60:
        return tr("{minutes} min {seconds:02} s", minutes=minutes, seconds=int(seconds % 60))
    if hours < 48:
        return tr("{hours} h {minutes:02} min", hours=hours, minutes=minutes % 60)
    return tr("{days} d {hours} h", days=hours // 24, hours=hours % 24)


_STATUSES = {
    mark("running"),
    mark("finished"),
    mark("failed"),
    mark("interrupted"),
    mark("killed"),
    mark("unknown"),
}


def status_text(status: str) -> str:
    """The status of a run in the user's language."""
    return tr(status) if status in _STATUSES else status


def terminal_width(text: str) -> int:
    """Columns of a terminal that a text takes."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )


def clean(text: str, longest: int | None = LONGEST_CELL) -> str:
    """Escape characters that move a terminal's cursor or change the writing direction, and shorten.

    Args:
        text: any text.
        longest: characters to keep at most; None: all.
    """
    shown = text if longest is None else text[: longest + 1]
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in shown)
    return text if longest is None or len(text) <= longest else text[: longest - 1] + "…"


def shortened(text: str, longest: int = 40) -> str:
    """The text, or its start and end if it is long."""
    return text if len(text) <= longest else f"{text[: longest // 2 - 1]}…{text[-(longest // 2) :]}"


def shorten_all(texts: Sequence[str], longest: int = 40) -> list[str]:
    """Cut long texts so that those that differ still do: first the words that all long ones share."""
    long = [text for text in dict.fromkeys(texts) if len(text) > longest]
    cut = {text: shortened(text, longest) for text in long}
    if len(long) > 1:
        words = [_WORD.findall(text[:_READ]) for text in long]
        shared = set(words[0]).intersection(*words[1:])
        for word in words[0]:  # keep those of the beginning that have room
            if any(len(_without(text, shared - {word})) > longest for text in long):
                break
            shared -= {word}
        masked = {text: shortened(_without(text, shared), longest) for text in long}
        if len(set(cut.values())) < len(cut) or 4 * min(map(len, masked.values())) >= longest:
            cut = masked  # else beginnings and ends say more, and differ
    taken = {text for text in texts if text not in cut}
    for text, short in cut.items():
        number = 2
        while cut[text] in taken:
            mark = f" ({number})"
            cut[text], number = short[: longest - len(mark)] + mark, number + 1
        taken.add(cut[text])
    return [cut.get(text, text) for text in texts]


def _without(text: str, words: Set[str]) -> str:
    marked = _WORD.sub(lambda word: "…" if word[0] in words else word[0], text[:_READ])
    return re.sub(r"[-_/ ]?(?:…[\W_]*)+", "…", marked)
