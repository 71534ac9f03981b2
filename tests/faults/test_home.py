"""Homes that cannot be written, or are not there: recording starts, and leaves nothing in them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import PATIENCE, ROOT, series

# `import visualdl` writes to the home: refused as the kernel refuses it to other users than root.
REFUSE = """
import os, sys
home = os.path.expanduser("~")
def refuse(event, args):
    if event in ("os.mkdir", "open") and str(args[0]).startswith(home):
        if event == "os.mkdir" or (isinstance(args[1], str) and set(args[1]) & set("wax+")):
            raise PermissionError(13, "Permission denied", args[0])
sys.addaudithook(refuse)
run = sys.argv[1]
"""

SCRIPTS = {
    "a tracker": """
import vizkit
with vizkit.Tracker(run) as tracker:
    tracker.log({"loss": 0.5}, 0)
assert "visualdl" not in sys.modules
""",
    "a writer": """
import vizkit
with vizkit.LogWriter(run) as writer:
    writer.add_scalar("loss", 0.5, 0)
assert "visualdl" not in sys.modules
""",
    "the writer of autolog": """
import vizkit
vizkit.autolog()
assert "visualdl" not in sys.modules
from visualdl import LogWriter
with LogWriter(run) as writer:
    writer.add_scalar("loss", 0.5, 0)
assert isinstance(writer, vizkit.LogWriter) and isinstance(writer, LogWriter)
""",
    "VisualDL imported afterwards": """
import vizkit
with vizkit.LogWriter(run) as writer:
    writer.add_scalar("loss", 0.5, 0)
import visualdl
assert isinstance(writer, visualdl.LogWriter) and issubclass(vizkit.LogWriter, visualdl.LogWriter)
""",
    "VisualDL imported by VizKit": """
from vizkit._visualdl import import_visualdl
import vizkit
with vizkit.LogWriter(run) as writer:
    writer.add_scalar("loss", 0.5, 0)
assert isinstance(writer, import_visualdl().LogWriter)
""",
}


@pytest.mark.parametrize("script", SCRIPTS)
def test_recording_starts_where_the_home_cannot_be_written(tmp_path: Path, script: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", REFUSE + SCRIPTS[script], str(tmp_path / "run")],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        cwd=ROOT,
        env={**os.environ, "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert series(tmp_path / "run", "loss") == [(0, 0.5)]
    assert not list(home.iterdir())


def test_vizkit_leaves_nothing_in_a_home_that_can_be_written(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    code = "import sys; run = sys.argv[1]\n" + SCRIPTS["VisualDL imported by VizKit"]
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "run")],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        cwd=ROOT,
        env={**os.environ, "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert not list(home.iterdir())
