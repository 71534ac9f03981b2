"""What one import of VizKit gives: every public name, and nothing heavy before it is used."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import vizkit

ROOT = Path(vizkit.__file__).parent
STUBS = sorted(ROOT.rglob("*.pyi"))
HEAVY = (
    "IPython",
    "cv2",
    "matplotlib",
    "numpy",
    "paddle",
    "pandas",
    "PIL",
    "psutil",
    "starlette",
    "visualdl",
)


def package_of(stub: Path) -> str:
    return ".".join([ROOT.name, *stub.parent.relative_to(ROOT).parts])


def python(code: str) -> str:
    """The output of a fresh interpreter."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_import_is_light() -> None:
    heavy = python(f"import sys, vizkit\nprint([name for name in {HEAVY} if name in sys.modules])")
    assert heavy.strip() == "[]"


@pytest.mark.parametrize(
    "name",
    [
        "Tracker.log",
        "LogWriter.add_scalar",
        "data.subset",
        "environment.read_environment",
        "errors.VizKitError",
        "hooks.callback",
        "hooks.steering.EarlyStop",
        "hooks.suites.paddlenlp",
        "hooks.summary",
        "hooks.watch",
        "metrics.__doc__",
        "plots.curves",
        "repair.check",
    ],
)
def test_a_name_is_there_after_one_import(name: str) -> None:
    assert python(f"import vizkit\nprint(vizkit.{name} is not None)").strip() == "True"


@pytest.mark.parametrize("stub", STUBS, ids=package_of)
def test_a_stub_is_what_its_package_exports(stub: Path) -> None:
    package = importlib.import_module(package_of(stub))
    listed = []
    for node in ast.parse(stub.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            assert node.module
            for alias in node.names:
                assert alias.asname == alias.name  # a re-export, to type checkers
                listed.append(alias.name)
                source = importlib.import_module(node.module)
                assert getattr(package, alias.name) is getattr(source, alias.name)
    assert len(listed) == len(set(listed))
    assert package.__all__ == sorted({*listed} - {"__version__"})
    assert {*package.__all__} <= {*dir(package)}


@pytest.mark.parametrize("stub", STUBS, ids=package_of)
def test_a_name_that_is_not_there_is_named(stub: Path) -> None:
    package = importlib.import_module(package_of(stub))
    with pytest.raises(AttributeError, match=f"module '{package.__name__}' has no attribute 'nothing'"):
        package.nothing  # noqa: B018


@pytest.mark.parametrize("stub", STUBS, ids=package_of)
def test_everything_can_be_imported_by_a_star(stub: Path) -> None:
    scope: dict[str, object] = {}
    exec(f"from {package_of(stub)} import *", scope)
    assert {*importlib.import_module(package_of(stub)).__all__} <= {*scope}
