"""Tags: those with a meaning, and the rules that stock VisualDL sets."""

from __future__ import annotations

import unicodedata

from vizkit.errors import TagError

__all__ = [
    "EPOCH",
    "HPARAMS",
    "MACHINE",
    "META_DATA",
    "RESERVED",
    "SECONDS",
    "WATCHED",
    "check_tag",
    "clean_tag",
]

META_DATA = "meta_data_tag"
"""The tag of the record that names a run."""

HPARAMS = "hparam"
"""The tag of a run's hyper-parameters."""

RESERVED = {META_DATA: "meta_data", HPARAMS: "hparams"}
"""VisualDL's own tags, and the kind of their records."""

EPOCH = "train/epoch"
"""The scalar that counts a training's epochs: each change of it begins one."""

MACHINE = "system/"
"""Prefix of the tags about the machine, which are recorded beside the training."""

SECONDS = (MACHINE, "pace/")
"""Prefixes of the tags whose steps are seconds, not a training's steps."""

WATCHED = ("norm/", "zeros/", "nonfinite/", "update ratio")
"""Prefixes of the scalars of a network's tensors, which `Tracker.watch` records."""

# VisualDL reads "%" as "/"; control characters and lone surrogates do not survive its URLs.
_BAD_CATEGORIES = ("Cc", "Cs")


def _bad(character: str) -> bool:
    return character == "%" or unicodedata.category(character) in _BAD_CATEGORIES


def check_tag(tag: object) -> str:
    """Return ``tag`` if VisualDL can serve it.

    Raises:
        TagError: ``tag`` is not text, is empty, begins with ``/``, or holds ``%`` or a control character.
    """
    if type(tag) is str and tag.isprintable() and "%" not in tag and tag[:1] not in ("", " ", "/"):
        return tag  # the fast path: an evaluation has dozens of tags
    if not isinstance(tag, str):
        raise TagError("a tag must be text such as 'train/loss', got {tag!r}", tag=tag)
    if not tag.strip():
        raise TagError("a tag must not be empty, got {tag!r}; name it like 'train/loss'", tag=tag)
    if tag.startswith("/"):
        raise TagError(
            "tag {tag!r} begins with '/': VisualDL would show another run's data; use {clean_tag!r}",
            tag=tag,
            clean_tag=clean_tag(tag),
        )
    bad = sorted({character for character in tag if _bad(character)})
    if bad:
        raise TagError(
            "tag {tag!r} holds {names}, which VisualDL misreads; use {clean_tag!r}",
            tag=tag,
            names=", ".join(map(repr, bad)),
            clean_tag=clean_tag(tag),
        )
    return tag


def clean_tag(tag: object) -> str:
    """Replace what `check_tag` rejects in a tag."""
    text = "".join("_" if _bad(character) else character for character in str(tag)).lstrip("/")
    return text if text.strip() else "untitled"
