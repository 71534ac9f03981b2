"""Names in the braces of a sweep's command."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import vizkit
from vizkit import DataError
from vizkit.sweeps import sweep
from vizkit.sweeps._command_names import check_command, filled_command
from vizkit.sweeps.space import Value

NAMES = ("learning rate", "lr", "a.b", "名", "seed")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("{lr}", "0.1"),
        ("--lr={lr},{learning rate}", "--lr=0.1,{lr}"),  # a value is taken as it is
        ("{a.b}{名}{seed}", "12x"),
        ("{{lr}} {{epoch}}", "{lr} {epoch}"),
        ('{"lr": {lr}, "more": {"a": 1}}', '{"lr": 0.1, "more": {"a": 1}}'),
        ("{}{a,b}{1..3}${HOME}{ x }{%s}", "{}{a,b}{1..3}${HOME}{ x }{%s}"),
    ],
)
def test_names_become_values_and_other_braces_stay(given: str, expected: str) -> None:
    values: dict[str, Value] = {"lr": 0.1, "learning rate": "{lr}", "a.b": 1, "名": 2, "seed": "x"}
    check_command([given], NAMES)
    assert filled_command(["run", given], NAMES, values) == ["run", expected]


def test_an_argument_without_its_value_is_left_out() -> None:
    command = ["run", "--lr={lr}", "--both={lr}{a.b}", "--more"]
    assert filled_command(command, NAMES, {"lr": 1}) == ["run", "--lr=1", "--more"]


@pytest.mark.parametrize("part", ["{lrate}", "--x={lr}{epochs}", "{learning_rate}", "{lr }", "{学习率}"])
def test_a_name_that_the_space_lacks_is_refused(part: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the space does not have, but lr, seed") as caught:
        sweep(["true", part], {"lr": [1]}, logdir=str(tmp_path / "log"), metric="loss", quiet=True)
    assert "{{" in str(caught.value)
    assert not (tmp_path / "log").exists()


def test_a_program_gets_its_arguments(tmp_path: Path) -> None:
    code = (
        "import sys, vizkit\n"
        "with vizkit.Tracker('log') as tracker:\n"
        "    tracker.log({'n': len(sys.argv)}, step=0)\n"
        "    tracker.log_text('arguments', ' '.join(sys.argv[1:]), step=0)\n"
    )
    (tmp_path / "train.py").write_text(code)
    space = {"kind": ["a", "b"], "momentum": vizkit.sweeps.when([0.9], kind="b")}
    command = ["--kind={kind}", "--momentum={momentum}", "{{kind}}", '{"a": {"b": 1}}']
    result = sweep(
        [sys.executable, str(tmp_path / "train.py"), *command],
        space,
        logdir=str(tmp_path / "log"),
        metric="n",
        mode="max",
        quiet=True,
    )
    texts = {run.texts("arguments")[0] for run in result.runs}
    assert texts == {'--kind=a {kind} {"a": {"b": 1}}', '--kind=b --momentum=0.9 {kind} {"a": {"b": 1}}'}
