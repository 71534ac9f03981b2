"""The types of an installed VizKit, read from outside by mypy and pyright as a user's editor reads them."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.helpers import ROOT

PROGRAM = Path(__file__).with_name("user_program.py")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that is released."""
    out = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (path,) = out.glob("paddle_vizkit-*.whl")
    return path


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """The program beside an environment where the wheel is installed, and all that is installed here."""
    root = tmp_path_factory.mktemp("project")
    venv.create(root / "venv", with_pip=False)
    scripts = sysconfig.get_path("purelib", "venv", {"base": str(root / "venv")})
    with ZipFile(wheel) as files:
        files.extractall(scripts)
    Path(scripts, "all.pth").write_text(sysconfig.get_path("purelib") + "\n")
    shutil.copy(PROGRAM, root / "program.py")
    return root


def python_of(project: Path) -> Path:
    return project / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def checked(project: Path, *command: str) -> None:
    assert importlib.util.find_spec(command[0]), f"{command[0]} is in the dependency group test"
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=project, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_mypy_strict_accepts_the_program_and_rejects_its_mistakes(project: Path) -> None:
    checked(project, "mypy", "--strict", "--python-executable", str(python_of(project)), "program.py")


def test_pyright_accepts_the_program_and_rejects_its_mistakes(project: Path) -> None:
    settings = {
        "include": ["program.py"],
        "enableTypeIgnoreComments": False,  # those are mypy's
        "reportUnnecessaryTypeIgnoreComment": "error",
    }
    (project / "pyrightconfig.json").write_text(json.dumps(settings))
    checked(project, "pyright", "--pythonpath", str(python_of(project)))


def test_the_wheel_holds_types_pages_and_license(wheel: Path) -> None:
    names = ZipFile(wheel).namelist()
    sources = subprocess.run(
        ["git", "ls-files", "vizkit"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert set(sources) <= set(names)
    assert {"vizkit/py.typed", "vizkit/__init__.pyi"} <= set(names)
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if name.startswith(("tests", "docs", "benchmarks"))]
