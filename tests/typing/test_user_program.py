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

import pytest

import vizkit

PROGRAM = Path(__file__).with_name("user_program.py")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program beside an environment where VizKit is installed, and all that is installed here."""
    root = tmp_path_factory.mktemp("project")
    venv.create(root / "venv", with_pip=False)
    scripts = sysconfig.get_path("purelib", "venv", {"base": str(root / "venv")})
    ignored = shutil.ignore_patterns("__pycache__", "static")
    shutil.copytree(Path(vizkit.__file__).parent, Path(scripts, "vizkit"), ignore=ignored)
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
