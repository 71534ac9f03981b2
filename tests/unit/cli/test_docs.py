"""Help and `docs/guides/terminal.md`: examples that run, every option, printed output."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.main import get_command

from tests.helpers import ROOT
from vizkit.cli import serve
from vizkit.cli._app import app, run

from .commands import VIZKIT, Command, record

PAGE = (ROOT / "docs" / "guides" / "terminal.md").read_text("utf-8")
COMMANDS = get_command(app).commands  # type: ignore[attr-defined]
BLOCK = re.compile(r"^```(python|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
TRAINING = """
import sys, vizkit
with vizkit.Tracker("log/run1", system=False) as tracker:
    tracker.log({"eval/acc": float(sys.argv[1])}, step=0)
"""
PASSING = re.compile(r"\d+\.\d s\b|\b\d\d:\d\d:\d\d\b|\b20\d\d-[-\dT:.+]+|(?<=^duration\t)\S+")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example_that_runs(
    name: str, vk: Command, logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = vk(name, "--help", at=None)
    example = re.search(rf"^  Example: vizkit ({name}\b.*)$", said.out, re.MULTILINE)
    assert said.code == 0 and example, said.out
    shutil.copytree(logs, tmp_path / "log")
    for old, new in (("batch32-0", "lenet/run1"), ("batch32-1", "lenet/run2"), ("batch32-2", "lenet/run3")):
        (tmp_path / "log" / new).parent.mkdir(exist_ok=True)
        (tmp_path / "log" / old).rename(tmp_path / "log" / new)
    for size, name_ in ((64, "adam"), (32, "sgd")):
        for seed in range(2):
            record(tmp_path / "log" / f"{name_}-{seed}", size, seed)
    about = tmp_path / "log" / "adam-1" / "environment.json"
    about.write_text(about.read_text("utf-8").replace('"finished"', '"failed"'), "utf-8")
    (tmp_path / "train.py").write_text(TRAINING, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("vizkit.server.server.Server.wait", lambda server: None)  # serves until Ctrl-C
    assert vk(*shlex.split(example[1]), at=None).code == 0


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_in_the_docs(name: str) -> None:
    section = re.search(rf"^## vizkit {name}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert section, name
    common = PAGE.partition("\n## vizkit ")[0]
    known = serve.parser()._actions if name == "serve" else COMMANDS[name].params
    every = {option for one in known for option in getattr(one, "opts", None) or one.option_strings}
    options = {option for option in every if option.startswith("--")} - {"--help"}
    shared = {"--logdir", "--json"}
    told = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", re.sub(r"```.*?```", "", section[1], flags=re.DOTALL)))
    assert options - shared == told - shared
    assert shared <= set(re.findall(r"--[a-z]+", common))


def test_the_docs_name_no_other_command() -> None:
    assert set(re.findall(r"^## vizkit (\w+)", PAGE, re.MULTILINE)) == set(COMMANDS)


@pytest.mark.usefixtures("terminal")
def test_the_docs_show_what_is_printed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page from top to bottom; times are not compared."""
    monkeypatch.chdir(tmp_path)
    for language, block in BLOCK.findall(PAGE):
        if language == "python":
            exec(compile(block, "terminal.md", "exec"), {})
            continue
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, expected = part.partition("\n")
            assert _printed(command, capsys) == _masked(expected), command


def _printed(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    if "|" in command:
        environment = {key: value for key, value in os.environ.items() if key != "FORCE_COLOR"}
        environment["PYTHONPATH"] = str(ROOT)
        line = command.replace("vizkit", shlex.join(VIZKIT), 1)
        return _masked(subprocess.check_output(["bash", "-c", line], env=environment, text=True))
    run(shlex.split(command)[1:])
    return _masked(capsys.readouterr().out)


def _masked(text: str) -> str:
    return "\n".join(PASSING.sub("~", line).rstrip() for line in text.splitlines())
