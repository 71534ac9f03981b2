"""Served logs: one of six runs, and an empty one of each test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .site import Site, write_runs


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("page") / "log"
    write_runs(root)
    return root


@pytest.fixture(scope="module")
def site(log: Path) -> Iterator[Site]:
    site = Site(log)
    yield site
    site.close()


@pytest.fixture
def own_site(tmp_path: Path) -> Iterator[Site]:
    (tmp_path / "log").mkdir()
    site = Site(tmp_path / "log")
    yield site
    site.close()
