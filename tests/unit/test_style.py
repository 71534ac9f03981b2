"""The house in order: plain English, one name for one thing, few `Any`."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2] / "vizkit"
SOURCES = sorted(ROOT.rglob("*.py"))

REPEATED_FILES = {
    "__init__.py": "packages",
    "__main__.py": "python -m vizkit, python -m vizkit.demo",
    "export.py": "the command, and the documents that it prints",
    "run.py": "python -m vizkit.run, and a run",
}
REPEATED_NAMES = {
    "ENDPOINTS": "each page of VisualDL's API lists its own",
    "LogWriter": "VisualDL's, as `autolog` replaces it",
    "main": "of the commands, and of the demo",
}
MAX_ANY_PER_1000_LINES = 12

QUESTION = re.compile(r"(What|Whether|Who|Whose|Which)\b")
PRIVATE_IDIOM = re.compile(r"\b(is|are) told of\b|\blets? go of\b|\bin vain\b")
# "Records" may be a noun: it is a verb if an object follows.
THIRD_PERSON = re.compile(
    r"[A-Z][a-z]*[^s\W]s (an?|every|it|its|one|the|them|two|whether)\b"
    r"|(Adds|Answers|Applies|Asks|Builds|Calls|Checks|Chooses|Closes|Collects|Computes|Converts|Creates|Decodes"
    r"|Deletes|Does|Draws|Encodes|Ends|Fills|Finds|Follows|Formats|Gathers|Gets|Gives|Has|Holds|Is|Keeps|Loads"
    r"|Makes|Moves|Opens|Parses|Picks|Prints|Provides|Puts|Raises|Reads|Removes|Renames|Repairs|Replaces|Returns"
    r"|Says|Selects|Serves|Sets|Sorts|Starts|Stops|Stores|Takes|Tells|Tests|Tries|Turns|Updates|Waits|Writes|Yields)"
    r"\b(?! (of|for|that)\b)"
)


@cache
def trees() -> dict[str, ast.Module]:
    """The parsed sources: not made where these tests do not run, for they are large."""
    return {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text("utf-8")) for path in SOURCES}


def docstrings() -> Iterator[tuple[str, str]]:
    """Yield ``file:line`` and the text of every docstring."""
    for name, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                text = ast.get_docstring(node)
                if text:
                    yield f"{name}:{getattr(node, 'lineno', 1)}", text


def public_names(tree: ast.Module) -> Iterator[str]:
    """Yield the names that a module defines itself."""
    for node in tree.body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            names = [node.name]
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)]
        else:
            continue
        yield from (name for name in names if not name.startswith("_"))


@pytest.mark.parametrize("pattern", [QUESTION, THIRD_PERSON], ids=["question", "third person"])
def test_docstrings_begin_with_an_imperative_or_a_noun(pattern: re.Pattern[str]) -> None:
    assert [(place, text.split("\n")[0]) for place, text in docstrings() if pattern.match(text)] == []


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("Returns the value.", True),
        ("Records one number.", True),
        ("Reads.", True),
        ("Pass the value on.", False),
        ("Records of an evaluation.", False),
        ("Checks of arguments.", False),
        ("Record one number.", False),
        ("VisualDL's page.", False),
    ],
)
def test_the_third_person_is_found(line: str, wrong: bool) -> None:
    assert bool(THIRD_PERSON.match(line)) is wrong


def test_words_are_those_of_everyone() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in SOURCES
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if PRIVATE_IDIOM.search(line)
    ]
    assert found == []


def test_a_file_name_occurs_once() -> None:
    places = defaultdict(list)
    for name in trees():
        places[name.rpartition("/")[2]].append(name)
    assert {name for name, where in places.items() if len(where) > 1} == set(REPEATED_FILES), places


def test_a_public_name_is_defined_once() -> None:
    places = defaultdict(list)
    for module, tree in trees().items():
        for name in dict.fromkeys(public_names(tree)):
            places[name].append(module)
    repeated = {name: where for name, where in places.items() if len(where) > 1}
    assert set(repeated) == set(REPEATED_NAMES), repeated


def test_any_is_rare() -> None:
    lines = sum(path.read_text("utf-8").count("\n") for path in SOURCES)
    mentions = [
        f"{module}:{node.lineno}"
        for module, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and node.id == "Any"
    ]
    assert 1000 * len(mentions) / lines <= MAX_ANY_PER_1000_LINES, mentions


def test_the_architecture_names_modules_that_exist() -> None:
    text = (ROOT.parent / "docs" / "architecture.md").read_text("utf-8")
    named = set(re.findall(r"`((?:\w+/)+\w+\.pyi?)`", text))
    assert len(named) > 40
    missing = {name for name in named if not any((root / name).exists() for root in (ROOT, ROOT.parent))}
    assert missing == set()
