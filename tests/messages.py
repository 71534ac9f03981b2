"""The texts of VizKit and their catalogue; ``python -m tests.messages`` brings ``vizkit/locale`` up to date.

A text is new, untranslated, or changed: then it keeps the old translation, marked as fuzzy.
"""

from __future__ import annotations

import ast
import json
import re
import string
import sys
from collections.abc import Iterator, Sequence

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

from tests.helpers import ROOT
from vizkit import errors
from vizkit.cli._app import COMMANDS, help_of

PACKAGE = ROOT / "vizkit"
CATALOGUE = PACKAGE / "locale/zh_CN/LC_MESSAGES/vizkit.po"
FUNCTIONS = {
    "mark",
    "picture_text",
    "say",
    "tr",
    "trn",
    "warn",
    *errors.__all__,
}  # whose first argument is translated
_FRONT_END = re.compile(r'\b(?:t|mark)\(("(?:[^"\\]|\\.)*")')
_HEADER = b'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'  # no dates, no authors


def _calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args:
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if name in FUNCTIONS and (name != "warn" or isinstance(called, ast.Name)):
                yield name, node


def _literals(argument: ast.expr) -> Iterator[str]:
    """The texts that an argument can be: ``"..."`` or ``"..." if ... else "..."``."""
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        yield argument.value
    elif isinstance(argument, ast.IfExp):
        yield from _literals(argument.body)
        yield from _literals(argument.orelse)


def _words(text: str) -> bool:
    """True if a template has words beside its placeholders."""
    return any(c.isalpha() for literal, *_ in string.Formatter().parse(text) for c in literal)


def extracted() -> dict[str, tuple[str | None, str]]:
    """The texts, each with its plural and its file."""
    found: dict[str, tuple[str | None, str]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        place = path.relative_to(ROOT).as_posix()
        for name, call in _calls(ast.parse(path.read_text("utf-8"))):
            if name == "trn":
                one, many = (next(_literals(argument)) for argument in call.args[:2])
                found.setdefault(one, (many, place))
            else:
                for text in _literals(call.args[0]):
                    found.setdefault(text, (None, place))
    for command in COMMANDS.values():
        found.setdefault(help_of(command), (None, "vizkit/cli"))
    for path in sorted(PACKAGE.rglob("*.html")):
        with path.open("rb") as file:
            for _, function, given, _ in babel_extract(file, ("t", "tn"), (), {}):
                words = [*given, None] if isinstance(given, tuple) else [given]
                about = str(words[1]) if function == "tn" else None, path.relative_to(ROOT).as_posix()
                found.setdefault(str(words[0]), about)
    for path in sorted((ROOT / "web/src").rglob("*.ts*")):
        for quoted in _FRONT_END.findall(path.read_text("utf-8")):
            found.setdefault(json.loads(quoted), (None, path.relative_to(ROOT).as_posix()))
    return {text: about for text, about in found.items() if _words(text)}


def formatted_first() -> list[str]:
    """The places where a message is an f-string or a sum, which no catalogue can hold."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        for name, call in _calls(ast.parse(path.read_text("utf-8"))):
            for part in ast.walk(call.args[0]):
                if isinstance(part, (ast.JoinedStr, ast.BinOp)):
                    found.append(
                        f"{path.relative_to(ROOT)}:{call.lineno}: {name}({ast.unparse(call.args[0])})"
                    )
                    break
    return found


def catalogue() -> Catalog:
    """The catalogue as it lies in the package."""
    with CATALOGUE.open("rb") as file:
        return read_po(file, "zh_CN")


def update() -> None:
    """Bring the catalogue up to date with the code."""
    template = Catalog()
    for text, (plural, place) in extracted().items():
        template.add((text, plural) if plural else text, locations=[(place, 0)])
    known = catalogue()
    known.update(template, update_creation_date=False)
    known.obsolete.clear()
    with CATALOGUE.open("wb") as file:
        file.write(_HEADER)
        write_po(file, known, width=0, omit_header=True, include_lineno=False, sort_by_file=True)


def _messages() -> dict[str, Message]:
    """The catalogue's entries by their English singular."""
    return {_first(message.id): message for message in catalogue() if message.id}


def _first(texts: str | Sequence[str]) -> str:
    return texts if isinstance(texts, str) else texts[0]


def untranslated() -> list[str]:
    """The texts without a translation, or with that of an earlier wording."""
    known = _messages()
    return [
        text
        for text in extracted()
        if text not in known or known[text].fuzzy or not _first(known[text].string or "")
    ]


def stale() -> list[str]:
    """The texts of the catalogue that the code no longer has."""
    texts = extracted()
    return [text for text in _messages() if text not in texts]


def translations() -> Iterator[tuple[str, str]]:
    """Each text with its translation."""
    for message in _messages().values():
        if message.string:
            yield message.id if isinstance(message.id, str) else message.id[-1], _first(message.string)


def placeholders(text: str) -> set[tuple[str | None, str | None, str | None]]:
    """The placeholders of a template, with how each is formatted."""
    return {tuple(part[1:]) for part in string.Formatter().parse(text) if part[1] is not None}  # type: ignore[misc]


if __name__ == "__main__":
    update()
    missing = untranslated()
    print(f"{len(missing)} texts have no translation", *missing, sep="\n  ")
    sys.exit(1 if missing else 0)
