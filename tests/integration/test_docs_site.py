"""The documentation's site builds without a warning, and its reference has every public name."""

from __future__ import annotations

import importlib
import importlib.util
import re
import zlib
from pathlib import Path
from types import ModuleType

import pytest

import vizkit
from tests.helpers import ROOT

PACKAGES = [
    "vizkit",
    "vizkit.data",
    "vizkit.environment",
    "vizkit.hooks",
    "vizkit.hooks.suites",
    "vizkit.metrics",
    "vizkit.plots",
    "vizkit.repair",
]
CLASSES = [vizkit.Tracker, vizkit.LogWriter, vizkit.Run, vizkit.Runs, vizkit.Server]
OF_SEQUENCES = {"count", "index"}  # Python's own


def _builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_build", ROOT / "docs" / "build.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site in both languages; a warning is an error."""
    out = tmp_path_factory.mktemp("docs") / "html"
    _builder().build(out)
    return out


def test_links_within_the_site_lead_somewhere(site: Path) -> None:
    broken, external = _builder().check_links(site)
    assert broken == []
    assert all(link.startswith("https://") for link in external)


def test_every_public_name_is_in_the_reference(site: Path) -> None:
    packed = (site / "en" / "objects.inv").read_bytes().split(b"\n", 4)[4]
    described = set(re.findall(r"^(\S+) py:", zlib.decompress(packed).decode(), re.MULTILINE))
    public = {
        f"{package}.{name}"
        for package in PACKAGES
        for name in getattr(importlib.import_module(package), "__all__", ())
    }
    assert len(public) > 60
    methods = {
        f"vizkit.{cls.__name__}.{name}"
        for cls in CLASSES
        for name in dir(cls)
        if not name.startswith("_") and name not in OF_SEQUENCES
    }
    assert (public | methods) - described == set()


def test_both_languages_have_the_same_pages(site: Path) -> None:
    english, chinese = (
        {str(path.relative_to(site / language)) for path in (site / language).rglob("*.html")}
        for language in ("en", "zh_CN")
    )
    assert english == chinese
