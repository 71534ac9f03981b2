"""Commands in Chinese: help, messages and tables; columns that line up; terminals that are not UTF-8."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from rich.cells import cell_len

import vizkit
from tests.helpers import ROOT
from vizkit.cli._app import COMMANDS

from .commands import VIZKIT, Command

CHINESE = re.compile("[\u4e00-\u9fff]")


def run_chinese(*command: object, **env: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command in a process of its own, under a Chinese locale."""
    names = ("VIZKIT_LANG", "LC_ALL", "LC_MESSAGES")
    environment = {name: value for name, value in os.environ.items() if name not in names}
    environment |= {
        "LANG": "zh_CN.UTF-8",
        "PYTHONIOENCODING": "utf-8",
        "COLUMNS": "80",
        "PYTHONPATH": str(ROOT),
    }
    return subprocess.run([*map(str, command)], env={**environment, **env}, capture_output=True, check=False)


@pytest.fixture
def chinese() -> None:
    vizkit.language("zh")


@pytest.fixture(scope="module")
def told() -> dict[str, tuple[int, str]]:
    """Exit code and output of commands in one process, whose texts are made when it starts."""
    calls = [f"{name} --help".strip() for name in ("", *COMMANDS)] + list(WRONG)
    script = (
        "import contextlib, io, json, sys\n"
        "from vizkit.cli._app import run\n"
        "for call in sys.argv[1:]:\n"
        "    text = io.StringIO()\n"
        "    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):\n"
        "        code = run(call.split())\n"
        "    print(json.dumps([call, code, text.getvalue()]))\n"
    )
    done = run_chinese(sys.executable, "-c", script, *calls)
    return {call: (code, text) for call, code, text in map(json.loads, done.stdout.splitlines())}


WRONG = {
    "ls --foo": "错误：没有选项 --foo",
    "best": "错误：缺少参数 'METRIC'。",
    "frob": "错误：没有命令 'frob'。",
    "serve --foo": "vizkit serve：错误：无法识别的参数：--foo",
    "serve --port x": "错误：参数 --port/-p：端口是 0 到 65535 的数字，而不是 'x'",
    "ls -d nowhere": "vizkit: 'nowhere' 不存在",
    "ls --every x": "错误：'--every' 的值无效：应为有效的数字\n",
    "tail -n 1.5": "的值无效：应为有效的整数\n",
    "export --format parquet": "值无效：Parquet 只能写入文件",
}


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_is_chinese_and_as_wide_as_the_terminal(command: str, told: dict[str, tuple[int, str]]) -> None:
    code, text = told[f"{command} --help".strip()]
    assert code == 0
    assert not re.search("usage|options:|show this|default:|required", text, re.IGNORECASE)
    assert max(map(cell_len, text.splitlines())) <= 80
    described = re.sub(r"\n {8,}", " ", text)
    options = re.findall(r"^  (?:-\w, )?--?[a-z].*$", described, re.MULTILINE)
    assert options and all(CHINESE.search(option) for option in options), options
    assert len(CHINESE.findall(text)) > 60


@pytest.mark.parametrize("call", WRONG)
def test_wrong_usage_is_told_in_chinese(call: str, told: dict[str, tuple[int, str]]) -> None:
    code, text = told[call]
    assert code == 2 and WRONG[call] in text


def test_the_usage_of_serve_is_in_line_in_a_wide_terminal() -> None:
    for language in ("zh", "en"):
        said = run_chinese(*VIZKIT, "serve", "--help", COLUMNS="120", VIZKIT_LANG=language)
        first, *more = said.stdout.decode("utf-8").split("\n\n")[0].splitlines()
        indent = " " * cell_len(first.partition("[-h]")[0])
        assert len(more) == 4 and all(line.startswith(f"{indent}[") for line in more), said.stdout


def test_a_terminal_that_is_not_utf_8_gets_what_it_can_show(logs: Path) -> None:
    drawn = {"FORCE_COLOR": "1", "NO_COLOR": "1", "COLUMNS": "160"}
    said = run_chinese(*VIZKIT, "ls", logs, PYTHONIOENCODING="gbk", **drawn)
    assert (said.returncode, said.stderr) == (0, b"") and "已完成" in said.stdout.decode("gbk")
    said = run_chinese(*VIZKIT, "ls", logs, PYTHONIOENCODING="ascii", **drawn)
    assert said.returncode == 0 and b"batch32-0" in said.stdout and b"finished" in said.stdout
    assert (
        b"?" not in said.stdout and b"\\u" not in said.stdout and re.search(rb" [_.:=+*#-]{12} ", said.stdout)
    )


@pytest.mark.usefixtures("terminal", "chinese")
def test_columns_line_up(vk: Command) -> None:
    """Chinese characters take two columns."""
    header, *rows = [line for line in vk("ls").out.splitlines() if "  " in line][:4]
    assert header.startswith("运行") and "状态" in header and "时长" in header
    starts = [cell_len(header[: match.start()]) for match in re.finditer(r"(?<=  )\S", header)]
    for row in rows:
        cells = "".join(c * (2 if unicodedata.east_asian_width(c) in "WF" else 1) for c in row)
        assert all(cells[start - 1] == " " for start in starts), (header, row)


@pytest.mark.usefixtures("terminal", "chinese")
def test_what_people_see_is_chinese(vk: Command) -> None:
    shown = vk("show", "batch32-0").out
    assert "状态" in shown and "已完成" in shown and "标量" in shown and "所在步" in shown
    assert "没有问题" in vk("check").err
    assert "第" in vk("best", "eval/acc").out
    assert "中没有满足 seed == 9 的运行" in vk("best", "eval/acc", "--where", "seed == 9").err
    assert "步" in vk("tail", "batch32-0").out


def test_what_programs_read_is_english(vk: Command, chinese: None) -> None:
    in_chinese = [
        vk("ls"),
        vk("ls", "--json"),
        vk("show", "batch32-0"),
        vk("check", "--json"),
        vk("tail", "batch32-0"),
    ]
    vizkit.language("en")
    in_english = [
        vk("ls"),
        vk("ls", "--json"),
        vk("show", "batch32-0"),
        vk("check", "--json"),
        vk("tail", "batch32-0"),
    ]
    assert [said.out for said in in_chinese] == [said.out for said in in_english]
