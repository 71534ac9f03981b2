"""Names and values in a log do not reach a terminal as commands: real commands, on a real terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import vizkit
from tests.helpers import ROOT

pty = pytest.importorskip("pty")

EVIL = "\x1b[2J\x1b]0;owned\x07\x9b31m\x08x"
CODE = "from vizkit.cli._app import run; import sys; sys.exit(run())"
COMMANDS = [
    ["ls"],
    ["ls", "--metric", EVIL],
    ["show", "run1"],
    ["tail", "run1"],
    ["best", "loss"],
    ["best", EVIL, "--mode", "max"],
    ["compare", "run1", f"run2{EVIL}", "--metric", "loss"],
    ["diff"],
    ["plot", "loss"],
    ["export"],
    ["check"],
    ["show", EVIL],
    ["best", f"no{EVIL}"],
]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("evil") / "log"
    for number in (1, 2):
        with vizkit.LogWriter(root / f"run{number}", display_name=EVIL + str(number)) as writer:
            writer.add_hparams({EVIL: EVIL + str(number), "rate": EVIL}, ["loss"])
            writer.add_text("notes", EVIL, 0)
            for step in range(5):
                writer.add_scalar("loss", 1.0 / (step + number), step)
    (root / "run2").rename(root / f"run2{EVIL}")
    return root


def on_terminal(arguments: list[str], log: Path) -> bytes:
    """What a command writes to a terminal."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", CODE, *arguments, "--logdir", str(log)]
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=ROOT, env={**os.environ, "NO_COLOR": "1"}
    )
    os.close(theirs)
    written = b""
    try:
        while part := os.read(ours, 1 << 16):
            written += part
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    process.wait()
    return written


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda arguments: arguments[0])
def test_what_a_log_holds_does_not_command_the_terminal(arguments: list[str], log: Path) -> None:
    written = on_terminal(arguments, log)
    assert len(written) > 10
    for obeyed in (b"\x1b]", b"\x1b[2J", b"\x07", b"\x08", "\x9b".encode()):
        assert obeyed not in written, written
