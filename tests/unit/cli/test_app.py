"""The application of all commands: errors, exit codes, imports."""

from __future__ import annotations

from pathlib import Path

import pytest

import vizkit
from tests.helpers import python

from .commands import Command


def test_wrong_names_end_with_2_and_the_closest_ones(vk: Command, tmp_path: Path) -> None:
    said = vk("show", "batch46-0")
    assert (said.code, said.out) == (2, "") and "'batch64-0'" in said.err
    said = vk("best", "eval/ac")
    assert said.code == 2 and "'eval/acc'" in said.err
    said = vk("show", "batch64")
    assert said.code == 2 and "fits 3 runs" in said.err
    said = vk("ls", at=tmp_path / "nowhere")
    assert said.code == 2 and "is not there" in said.err
    assert vk("ls", "--where", "import os").code == 2
    assert vk("ls", "--frobnicate").code == 2
    assert vk("frobnicate", at=None).code == 2


def test_nothing_found_ends_with_1(vk: Command, tmp_path: Path) -> None:
    assert vk("ls", at=tmp_path).code == 1
    assert vk("ls", "--json", at=tmp_path).data == []
    assert vk("ls", "--where", "seed == 9").code == 1
    assert vk("plot", "train/loss", "--where", "seed == 9").code == 1
    assert vk("show", at=tmp_path).code == 1


def test_log_is_the_default_directory(
    vk: Command, logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "log").symlink_to(logs)
    monkeypatch.chdir(tmp_path)
    assert len(vk("ls", at=None).rows) == 7


def test_help_imports_nothing_heavy() -> None:
    done = python(
        "import sys\n"
        "from vizkit.cli._app import run\n"
        "assert run(['ls', '--help']) == 0\n"
        "heavy = {'pandas', 'matplotlib', 'paddle', 'visualdl', 'cv2', 'PIL', 'IPython', 'scipy'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    assert done.returncode == 0, done.stderr


def test_without_typer_one_line_says_what_to_install() -> None:
    done = python("import sys; sys.modules['typer'] = None; import vizkit.cli; vizkit.cli.main()")
    assert (
        done.returncode == 2
        and done.stderr == "vizkit: commands need typer: pip install 'paddle-vizkit[cli]'\n"
    )


def test_the_version_is_printed(vk: Command) -> None:
    assert vk("--version", at=None) == (0, f"vizkit {vizkit.__version__}\n", "")


def test_a_pattern_names_a_run_if_it_fits_one(vk: Command) -> None:
    assert vk("show", "*64-1", "--json").data["name"] == "batch64-1"
    said = vk("show", "*64-*")
    assert said.code == 2 and "fits 3 runs: name one of them" in said.err
