"""Commands whose streams are closed, that nobody reads any more, or that go to terminals without Unicode."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

import vizkit
from tests.helpers import ROOT

from .commands import VIZKIT, record

pytestmark = pytest.mark.skipif(os.name == "nt", reason="a POSIX shell")

COMMANDS = [
    ["ls"],
    ["show", "--json"],
    ["tail"],
    ["plot", "train/loss"],
    ["export"],
    ["--help"],
    ["best", "eval/acc"],
    ["serve", "--help"],
]


def through_shell(
    redirection: str, *command: str, cwd: Path, **env: str
) -> subprocess.CompletedProcess[bytes]:
    """A command with its streams as a shell's words have them."""
    return subprocess.run(
        ["bash", "-c", f'set -o pipefail; "$@" {redirection}', "bash", *VIZKIT, *command],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
        capture_output=True,
        check=False,
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with two runs in log/, one with a Chinese name."""
    root = tmp_path_factory.mktemp("streams")
    record(root / "log" / "run1", 32, 0)
    record(root / "log" / "模型😀", 64, 1)
    return root


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_closed_streams_are_the_null_device(command: list[str], place: Path) -> None:
    for redirection in (">&-", "<&-", "2>&-", "<&- >&- 2>&-"):
        done = through_shell(redirection, *command, cwd=place)
        assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_command_that_nobody_reads_ends_as_of_sigpipe(command: list[str], place: Path) -> None:
    done = through_shell("| exec true", *command, cwd=place)
    assert done.returncode == 141 and done.stderr == b""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux")
@pytest.mark.parametrize("command", [["ls"], ["serve", "--help"]], ids=lambda command: command[0])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_behind_stdout_is_one_line(command: list[str], unbuffered: str, place: Path) -> None:
    done = through_shell(">/dev/full", *command, cwd=place, PYTHONUNBUFFERED=unbuffered)
    assert done.returncode == 2
    assert re.fullmatch(b"vizkit: (stdout: )?No space left on device\n", done.stderr)


def test_a_closed_input_deletes_no_note(place: Path) -> None:
    with vizkit.Tracker(place / "noted" / "run", quiet=True) as tracker:
        tracker.log({"loss": 1.0})
    vizkit.load(place / "noted")[0].annotate(note="kept")
    done = through_shell("<&-", "note", "run", "-", "--logdir", "noted", cwd=place)
    assert done.returncode == 2 and done.stderr.startswith(b"vizkit: ") and done.stderr.count(b"\n") == 1
    assert vizkit.load(place / "noted")[0].note == "kept"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_drawings_are_in_ascii_where_there_is_nothing_else(place: Path, encoding: str) -> None:
    env = {"PYTHONIOENCODING": encoding, "TERM": "dumb", "NO_COLOR": "1", "COLUMNS": "100"}
    drawn = through_shell("", "plot", "train/loss", "run1", cwd=place, **env).stdout.decode(encoding)
    lines = [line.partition("|")[2] for line in drawn.splitlines() if "|" in line]
    assert "?" not in drawn and sum(bool(re.search("['.|-]", line)) for line in lines) > 5
    listed = through_shell("", "ls", cwd=place, FORCE_COLOR="1", **env).stdout.decode(encoding)
    assert "?" not in listed and "\\u6a21\\u578b\\ud83d\\ude00" in listed
    header, *rows = listed.splitlines()
    assert {row.index("finished") for row in rows[:2]} == {header.index("status")}


def test_data_is_escaped_not_replaced(place: Path) -> None:
    env = {"PYTHONIOENCODING": "ascii"}
    names = [run["name"] for run in json.loads(through_shell("", "ls", "--json", cwd=place, **env).stdout)]
    assert sorted(names) == ["run1", "模型😀"]
    rows = through_shell("", "ls", cwd=place, **env).stdout.decode("ascii").splitlines()
    assert {row.split("\t")[0] for row in rows[1:]} == {"run1", "\\u6a21\\u578b\\ud83d\\ude00"}
