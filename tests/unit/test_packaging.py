"""The distribution's metadata: what PyPI and pip show of the project."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
LINK = re.compile(r"\[[^]]*\]\(([^)]+)\)")


def readme_on_pypi() -> str:
    """Return README.md as the build rewrites it."""
    text = (ROOT / "README.md").read_text("utf-8")
    for rule in PROJECT["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]["substitutions"]:
        text = re.sub(rule["pattern"], rule["replacement"], text)
    return text


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_links_of_the_readme_lead_to_files(name: str) -> None:
    links = LINK.findall((ROOT / name).read_text("utf-8"))
    assert links
    files = [link.partition("#")[0] for link in links if "://" not in link]
    assert [file for file in files if not (ROOT / file).exists()] == []


def test_the_readme_on_pypi_has_absolute_links_into_the_repository() -> None:
    source = PROJECT["project"]["urls"]["Source"]
    pictures = source.replace("https://github.com", "https://raw.githubusercontent.com")
    before = LINK.findall((ROOT / "README.md").read_text("utf-8"))
    after = LINK.findall(readme_on_pypi())
    assert len(after) == len(before)
    for link, absolute in zip(before, after, strict=True):
        picture = link.endswith((".png", ".svg"))
        base = f"{pictures}/main/" if picture else f"{source}/blob/main/"
        assert absolute == (link if "://" in link else base + link)


def test_extras_named_in_messages_exist() -> None:
    extras = set(PROJECT["project"]["optional-dependencies"])
    calls = re.compile(r"for_extra\(\s*\"([a-z,]+)\"")
    named = {
        extra
        for path in (ROOT / "vizkit").rglob("*.py")
        for found in calls.findall(path.read_text("utf-8"))
        for extra in found.split(",")
    }
    assert {"plots", "serve"} <= named <= extras
