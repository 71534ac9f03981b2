"""`python -m vizkit.run`: programs as Python runs them, with autolog in them and in those that they start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import PATIENCE, ROOT, series

SHOW = """
import json, sys, helper
json.dump({
    "name": __name__, "file": __file__, "argv": sys.argv, "path": sys.path,
    "spec": getattr(__spec__, "name", None),
    "modules": [name for name in sys.modules if name.partition(".")[0] in ("vizkit", "runpy", "numpy")],
    "site": str(sys.modules.get("sitecustomize")).partition(" from ")[0],
}, sys.stdout, indent=0)
if "fail" in sys.argv:
    raise RuntimeError("mine")
if "leave" in sys.argv:
    sys.exit(7)
"""

WRITE = """
import sys
from visualdl import LogWriter
with LogWriter(sys.argv[1]) as writer:
    writer.add_scalar("loss", 0.1, 0)
print(type(writer).__module__)
"""


def run(directory: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    paths = [str(directory / "site"), str(ROOT)]
    return subprocess.run(
        [sys.executable, *command],
        capture_output=True, text=True, timeout=PATIENCE, check=False, cwd=directory,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), **variables},
    )  # fmt: skip


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A directory with scripts, and a `sitecustomize` that there is already."""
    (tmp_path / "train.py").write_text(SHOW)
    (tmp_path / "helper.py").touch()
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "write.py").write_text(WRITE)
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text("import sys; sys.flags_of_mine = 1")
    return tmp_path


@pytest.mark.parametrize(
    "command",
    [
        ["train.py", "--lr", "0.1"],
        ["-u", "-X", "dev", "-W", "ignore", "train.py", "-m", "vizkit.run"],
        ["-m", "train", "a b"],
        ["train.py", "fail"],
        ["train.py", "leave"],
        ["missing.py"],
    ],
)
def test_a_program_runs_as_by_python_alone(command: list[str], program: Path) -> None:
    plain = run(program, *command)
    found = run(program, "-m", "vizkit.run", *command)
    assert (found.returncode, found.stdout, found.stderr) == (plain.returncode, plain.stdout, plain.stderr)
    assert run(program, str(ROOT / "vizkit" / "run.py"), *command).stdout == plain.stdout


@pytest.mark.parametrize("before", [["-um", "vizkit.run"], ["-mvizkit.run"], ["-O", "-m", "vizkit.run"]])
def test_forms_of_the_command(before: list[str], program: Path) -> None:
    (program / "train.py").write_text(
        "import sys; print(sys.argv, sys.flags.optimize, sys.stdout.write_through)"
    )
    options = [option for option in before if option == "-O"] + ["-u"] * ("-um" in before)
    assert run(program, *before, "train.py", "x").stdout == run(program, *options, "train.py", "x").stdout


def test_what_cannot_be_run_is_told(program: Path) -> None:
    nothing = run(program, "-m", "vizkit.run")
    assert nothing.returncode == 2 and nothing.stderr.startswith("usage: python -m vizkit.run train.py")
    for named in (["-m", "vizkit.run"], [str(ROOT / "vizkit" / "run.py")]):
        without_site = run(program, "-S", *named, "train.py")
        assert without_site.returncode == 2 and "call vizkit.autolog()" in without_site.stderr
    chinese = run(program, "-m", "vizkit.run", VIZKIT_LANG="zh")
    assert chinese.returncode == 2 and chinese.stderr.startswith(
        "用法：python -m vizkit.run train.py [参数 ...]"
    )


def test_programs_that_it_starts_are_recorded_too(program: Path) -> None:
    """As PaddleX starts a suite's training: elsewhere, by name."""
    start = (
        "import os, subprocess, sys; os.mkdir('away')\n"
        "subprocess.run([sys.executable, '../tools/write.py', 'run'], cwd='away', check=True)\n"
        "print(sys.flags_of_mine, os.environ['VIZKIT_AUTOLOG'])"
    )
    (program / "train.py").write_text(start)
    done = run(program, "-m", "vizkit.run", "train.py")
    assert done.stdout.split() == ["vizkit.hooks._autolog.drop_in", "1", str(program / "log")], done.stderr
    assert series(program / "away" / "run", "loss") == [(0, 0.1)]
    assert (program / "away" / "run" / "environment.json").exists()


def test_a_variable_turns_it_off_and_names_the_directory(program: Path) -> None:
    off = run(program, "-m", "vizkit.run", "tools/write.py", "run", VIZKIT_AUTOLOG="0")
    assert off.stdout.strip() == "visualdl.writer.writer"
    show = "import os; print(os.environ['VIZKIT_AUTOLOG'])"
    assert run(program, "-m", "vizkit.run", "-c", show, VIZKIT_AUTOLOG="a").stdout.strip() == str(
        program / "a"
    )


def test_where_there_is_no_vizkit_the_program_goes_on(program: Path) -> None:
    startup = str(ROOT / "vizkit" / "_startup")
    (program / "site" / "vizkit.py").write_text("raise ImportError('none here')")
    paths = os.pathsep.join([startup, str(program / "site")])
    done = run(program, "tools/write.py", "run", PYTHONPATH=paths, VIZKIT_AUTOLOG="log")
    assert done.stdout.strip() == "visualdl.writer.writer"
    assert "vizkit: the training is not recorded: ImportError: none here" in done.stderr


def test_an_error_of_the_other_sitecustomize_is_pythons_to_tell(program: Path) -> None:
    (program / "site" / "sitecustomize.py").write_text("import no_such_module")
    plain, found = run(program, "train.py"), run(program, "-m", "vizkit.run", "train.py")
    assert "no_such_module" in plain.stderr and found.stderr == 2 * plain.stderr
