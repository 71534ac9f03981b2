"""The application of all commands: errors, exit codes, imports."""

from __future__ import annotations

import os
from errno import EACCES
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


@pytest.mark.parametrize("command", [["export"], ["plot", "train/loss"], ["export", "--format", "json"]])
def test_a_file_that_cannot_be_written_is_one_line(vk: Command, tmp_path: Path, command: list[str]) -> None:
    said = vk(*command, "-o", tmp_path / "gone" / "file.png", *(["-f", "csv"] if len(command) == 1 else []))
    assert said.code == 2 and said.err.splitlines()[-1].endswith("file.png: No such file or directory")


def test_labels_that_cannot_be_written_are_one_line(
    vk: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with vizkit.Tracker(tmp_path / "run", quiet=True) as tracker:
        tracker.log({"loss": 1.0})

    def refuse(path: str, *_: object, **__: object) -> None:
        raise PermissionError(EACCES, "Permission denied", path)

    monkeypatch.setattr("os.open", refuse)
    said = vk("tag", "run", "good", at=tmp_path)
    assert said.code == 2 and said.err.startswith("vizkit: ") and "Permission denied" in said.err


def test_where_there_are_no_runs_every_command_says_so(vk: Command, tmp_path: Path) -> None:
    for command in (["diff"], ["compare", "a", "b", "loss"], ["check"]):
        said = vk(*command, at=tmp_path)
        assert said.code == 1 and f"no runs in {tmp_path}" in said.err
    (tmp_path / "train.txt").write_text("no log")
    said = vk("ls", at=tmp_path / "train.txt")
    assert said.code == 1 and "logs have vdlrecords in their names" in said.err


def test_directories_that_may_not_be_listed_are_named(
    vk: Command, logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (logs / "of another").mkdir()
    listed = os.scandir

    def refusing(path: str) -> object:
        if str(path).endswith("of another"):
            raise PermissionError(EACCES, "Permission denied", path)
        return listed(path)

    monkeypatch.setattr("os.scandir", refusing)
    for command in (["ls"], ["best", "eval/acc"], ["show"]):
        said = vk(*command)
        assert said.code == 0 and "of another may not be listed, its runs are left out" in said.err
    said = vk("ls", at=logs / "of another")
    assert said.code == 1 and "may not be listed" in said.err
    runs = vizkit.load(logs)
    assert runs.unlisted == [str(logs / "of another")] and "may not be listed" in repr(runs)
    monkeypatch.undo()
    runs.refresh()
    assert runs.unlisted == [] and "may not be listed" not in repr(runs)
    (logs / "of another").rmdir()
