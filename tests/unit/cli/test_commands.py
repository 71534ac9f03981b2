"""The terminal: what commands print and how they end. Docs: `docs/guides/terminal.md`."""

from __future__ import annotations

import io
import json
import math
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from typer.main import get_command

import vizkit
from tests.helpers import ROOT, python
from vizkit.cli import serve
from vizkit.cli._app import app, run

PAGE = (ROOT / "docs" / "guides" / "terminal.md").read_text("utf-8")
VIZKIT = [sys.executable, "-m", "vizkit"]


class Said(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[list[str]]:
        return [line.split("\t") for line in self.out.splitlines()]

    @property
    def data(self) -> object:
        return json.loads(self.out)


def record(directory: Path, size: int, seed: int, **options: object) -> None:
    hparams = {"batch size": size, "seed": seed}
    with vizkit.Tracker(directory, hparams=hparams, metrics=["train/loss", "eval/acc"], **options) as tracker:
        for step in range(30):
            tracker.log({"train/loss": math.exp(-step / size) + 0.01 * seed}, step=step)
        tracker.log({"eval/acc": 0.9 - size / 1000 - seed / 100}, step=29)
        tracker.log_text("note", "hello", step=0)


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("logs")
    for size in (32, 64):
        for seed in range(3):
            record(directory / f"batch{size}-{seed}", size, seed)
    return directory


@pytest.fixture(autouse=True)
def _no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "NO_COLOR", "COLUMNS", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def vk(capsys: pytest.CaptureFixture[str], logs: Path):

    def call(*args: object, at: Path | None = logs) -> Said:
        capsys.readouterr()
        place = [] if at is None else ["--logdir", str(at)]
        code = run([*map(str, args), *place])
        out, err = capsys.readouterr()
        return Said(code, out, err)

    return call


@pytest.fixture
def terminal(_no_terminal: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """stdout as a terminal of 100 columns without colours."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")


# -- each command ------------------------------------------------------------------------------------


def test_ls_prints_rows_for_cut_and_awk(vk) -> None:
    said = vk("ls")
    assert said.code == 0 and said.err == ""
    header, *rows = said.rows
    assert header[:4] == ["run", "status", "started", "duration"]
    assert [row[0] for row in rows] == [f"batch{size}-{seed}" for size in (32, 64) for seed in range(3)]
    table = {row[0]: dict(zip(header, row, strict=True)) for row in rows}
    assert table["batch64-2"]["batch size"] == "64"
    assert float(table["batch64-2"]["eval/acc.best"]) == 0.9 - 0.064 - 0.02
    assert all(len(row) == len(header) for row in rows)


def test_ls_filters_sorts_and_chooses_metrics(vk) -> None:
    said = vk("ls", "--where", "`batch size` == 64", "--sort", "eval/acc", "--reverse", "-m", "train/loss")
    assert [row[0] for row in said.rows[1:]] == ["batch64-0", "batch64-1", "batch64-2"]
    assert [name for name in said.rows[0] if "/" in name] == [
        "train/loss.last",
        "train/loss.best",
        "train/loss.best_step",
    ]
    first = vk("ls", "--json", "--sort", "seed", "-r").data[0]
    assert first["name"] == "batch32-2" and first["hparams"] == {"batch size": 32, "seed": 2}
    assert first["metrics"]["train/loss"]["last_step"] == 29


def test_the_directory_may_be_named_without_its_option(vk, logs: Path) -> None:
    assert vk("ls", logs, at=None).out == vk("ls").out


def test_show_tells_all_of_a_run(vk, logs: Path) -> None:
    about = vk("show", "batch64-1", "--json").data
    assert about["status"] == "finished" and about["hparams"] == {"batch size": 64, "seed": 1}
    assert about["tags"]["text"] == ["note"] and about["problems"] == []
    assert about["metrics"]["eval/acc"]["best_step"] == 29
    assert about["environment"]["python"]
    rows = dict(row[:2] for row in vk("show", "batch64-1").rows)
    assert rows["hparams/batch size"] == "64"


def test_the_newest_run_is_meant_where_none_is_named(vk, tmp_path: Path) -> None:
    for name in ("b", "a"):
        record(tmp_path / name, 32, 0)
        time.sleep(0.002)
    assert vk("show", "--json", at=tmp_path).data["name"] == "a"
    record(tmp_path / "b", 32, 0, if_exists="resume")
    assert vk("show", "--json", at=tmp_path).data["name"] == "b"


def test_tail_prints_the_last_records_in_their_order(vk) -> None:
    said = vk("tail", "batch32-0", "-n", 3)
    header, *rows = said.rows
    assert header == ["time", "step", "tag", "value"]
    assert [row[1:3] for row in rows] == [["28", "train/loss"], ["29", "train/loss"], ["29", "eval/acc"]]
    assert float(rows[1][3]) == math.exp(-29 / 32)
    lines = vk("tail", "batch32-0", "-m", "eval/acc", "--json").data
    assert [(line["step"], line["tag"]) for line in lines] == [(29, "eval/acc")]


def test_compare_tells_and_its_exit_code_too(vk) -> None:
    said = vk("compare", "batch64-*", "`batch size` == 32", "eval/acc", "--json")
    assert said.code == 0 and said.data["better"] is True and said.data["n_a"] == said.data["n_b"] == 3
    assert math.isclose(said.data["difference"], 0.032)
    said = vk("compare", "batch32-*", "batch64-*", "eval/acc")
    assert said.code == 1 and "B is worse" in said.out
    assert vk("compare", "batch32-0", "batch64-0", "eval/acc").code == 1  # one run a side tells nothing


def test_diff_shows_what_differs(vk) -> None:
    said = vk("diff", "batch32-0", "batch64-0")
    assert said.code == 0
    assert said.rows == [["part", "name", "batch32-0", "batch64-0"], ["hparams", "batch size", "32", "64"]]
    assert vk("diff", "batch32-*", "--json").data["hparams"] == {
        "seed": {"batch32-0": 0, "batch32-1": 1, "batch32-2": 2}
    }
    assert vk("diff", "batch32-0").code == 2


def test_diff_of_equal_runs_is_a_negative_answer(vk, tmp_path: Path) -> None:
    for name in "ab":
        record(tmp_path / name, 32, 0)
    said = vk("diff", at=tmp_path)
    assert (said.code, said.out) == (1, "") and "nothing differs" in said.err


def test_best_names_the_run(vk) -> None:
    said = vk("best", "eval/acc", "--where", "`batch size` == 64")
    assert said.rows[0] == ["run", "eval/acc", "step", "batch size", "seed"]
    assert said.rows[1][0] == "batch64-0" and said.rows[1][2:] == ["29", "64", "0"]
    found = vk("best", "eval/acc", "--mode", "min", "--json").data
    assert (found["run"], found["mode"], found["step"]) == ("batch64-2", "min", 29)


def test_plot_draws_letters_into_a_pipe_and_dots_of_one_run(vk) -> None:
    said = vk("plot", "train/loss", "--width", 60, "--height", 12, "--where", "seed == 0")
    assert "a batch32-0" in said.out and "b batch64-0" in said.out
    assert max(map(len, said.out.splitlines())) <= 60 and "\x1b" not in said.out
    dots = vk("plot", "train/loss", "batch32-0", "--width", 60)
    assert any("\u2801" <= c <= "\u28ff" for c in dots.out)
    series = vk("plot", "train/loss", "--by", "batch size", "--json").data["series"]
    assert [line["runs"] for line in series] == [3, 3] and len(series[0]["x"]) == 30


def test_plot_writes_a_picture(vk, tmp_path: Path) -> None:
    path = tmp_path / "loss.png"
    said = vk("plot", "train/loss", "--by", "batch size", "--log", "-o", path)
    assert said.code == 0 and said.out == "" and path.read_bytes().startswith(b"\x89PNG")


def test_export_writes_what_python_gets(vk, logs: Path, tmp_path: Path) -> None:
    import pandas as pd

    frame = pd.read_csv(io.StringIO(vk("export").out))
    assert len(frame) == 6 * 31 and list(frame.columns) == ["run", "tag", "step", "time", "value"]
    assert [one["name"] for one in vk("export", "batch64-*", "--json").data] == [
        "batch64-0",
        "batch64-1",
        "batch64-2",
    ]
    said = vk("export", "batch64-1", "-o", tmp_path / "out.parquet")
    assert said.out == "" and "written" in said.err
    assert len(pd.read_parquet(tmp_path / "out.parquet")) == 31
    assert vk("export", "--format", "parquet").code == 2


def test_check_reports_and_repairs(vk, tmp_path: Path) -> None:
    record(tmp_path / "good", 32, 0)
    record(tmp_path / "torn", 32, 0)
    (log,) = tmp_path.glob("torn/*vdlrecords*")
    with log.open("ab") as file:
        file.write(b"\x30\0\0\0\0\0\0\0\x0a")
    said = vk("check", at=tmp_path)
    assert said.code == 1 and [row[:2] for row in said.rows[1:]] == [["torn", "torn"]]
    assert "--repair" in said.rows[1][5] and "1 problem in" in said.err
    said = vk("check", tmp_path, "--repair", "--json", at=None)
    assert said.code == 0 and said.data["findings"] == []
    (mended,) = said.data["repaired"]
    assert mended["run"] == "torn" and all(Path(path).exists() for path in mended["kept"])
    assert vk("check", at=tmp_path) == (0, "", f"vizkit: no problems in {tmp_path}\n")


# -- how all of them behave ----------------------------------------------------------------------------


def test_wrong_names_end_with_2_and_the_closest_ones(vk, tmp_path: Path) -> None:
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


def test_nothing_found_ends_with_1(vk, tmp_path: Path) -> None:
    assert vk("ls", at=tmp_path).code == 1
    assert vk("ls", "--json", at=tmp_path).data == []
    assert vk("ls", "--where", "seed == 9").code == 1
    assert vk("plot", "train/loss", "--where", "seed == 9").code == 1
    assert vk("show", at=tmp_path).code == 2


def test_log_is_the_default_directory(
    vk, logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "log").symlink_to(logs)
    monkeypatch.chdir(tmp_path)
    assert len(vk("ls", at=None).rows) == 7


@pytest.mark.usefixtures("terminal")
def test_tables_in_a_terminal_have_no_colours_with_NO_COLOR(vk) -> None:  # noqa: N802
    for command in (["ls"], ["show"], ["best", "eval/acc"], ["diff"], ["plot", "train/loss"], ["tail"]):
        said = vk(*command)
        assert said.code == 0 and "\x1b" not in said.out and "\t" not in said.out
        assert all(len(line) <= 100 for line in said.out.splitlines()), command
    assert "▁" in vk("ls", "-m", "train/loss").out


@pytest.mark.usefixtures("terminal")
def test_a_narrow_terminal_keeps_results_and_says_what_had_no_room(
    vk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2):
        hparams = {"learning rate": 10.0**-number, "batch size": 32 << number}
        with vizkit.Tracker(tmp_path / f"run{number}", hparams=hparams) as tracker:
            for tag in ("train/loss", "train/acc", "eval/loss", "eval/acc"):
                tracker.log_scalar(tag, 0.25, 0)

    def header(columns: int, *more: str) -> list[str]:
        monkeypatch.setenv("COLUMNS", str(columns))
        said = vk("ls", *more, at=tmp_path).out
        names = re.split("  +", said.splitlines()[0].strip())
        missing = re.search(r"no room for: (.*) \(choose", said.replace("\n", " "))
        told = missing[1].split(", ") if missing else []
        assert len(names) + len(told) == 9 - 3 * bool(more), said
        assert not set(names) & set(told)
        return names

    everything = header(100)
    assert everything[:3] == ["run", "status", "duration"] and len(everything) == 9
    assert header(80) == ["run", *everything[3:]]
    assert header(50) == ["run", "learning rate", "batch size", "eval/acc"]
    assert header(20) == ["run", "eval/acc"]
    assert header(42, "-m", "train/acc") == ["run", "learning rate", "batch size", "train/acc"]
    with vizkit.Tracker(tmp_path / "run1", if_exists="resume") as tracker:
        tracker.fail(RuntimeError("diverged"))
    assert header(50) == ["run", "status", "learning rate", "eval/acc"]


def test_colours_in_a_terminal_that_has_them(vk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLORTERM", "truecolor")
    out = vk("plot", "train/loss", "--where", "seed == 0").out
    assert "\x1b[38;2;" in out and "━━ " in out


@pytest.mark.usefixtures("terminal")
def test_chinese_names_are_aligned(vk, tmp_path: Path) -> None:
    from rich.cells import cell_len

    for name, rate in (("实验一", 0.1), ("run-2", 0.01), ("学习率很小的实验", 0.001)):
        with vizkit.Tracker(tmp_path / name, hparams={"学习率": rate}) as tracker:
            tracker.log({"损失": 1 - rate})
    header, *rows = vk("ls", at=tmp_path).out.splitlines()

    def place(line: str, text: str) -> int:
        return cell_len(line[: line.rindex(text)])

    assert {place(row, "finished") for row in rows} == {place(header, "status")} == {18}
    rates = ("0.01", "0.001", "0.1")  # of the rows in their order
    assert len(rows) == 3
    assert {place(row[: row.index("▅")], rate) for row, rate in zip(rows, rates, strict=True)} == {
        place(header, "学习率")
    }


def test_names_cannot_move_the_cursor_or_break_rows(vk, tmp_path: Path) -> None:
    with vizkit.Tracker(tmp_path / "run", hparams={"note": "a\tb\nc\x1b[31m", "list": [1, 2]}) as tracker:
        tracker.log({"loss": 1.0})
    for command in (["ls"], ["show"], ["best", "loss"]):
        said = vk(*command, at=tmp_path)
        assert "\x1b" not in said.out and "a\\tb\\nc" in said.out


def test_nan_is_one_document_and_a_mark(vk, tmp_path: Path) -> None:
    with vizkit.Tracker(tmp_path / "run") as tracker:
        for step in range(20):
            tracker.log({"loss": math.nan if 5 < step < 9 else step, "rate": math.inf}, step=step)
    assert vk("ls", "--json", at=tmp_path).data[0]["metrics"]["rate"]["last"] == "Infinity"
    said = vk("plot", "loss", "--width", 60, at=tmp_path)
    assert "3 NaN (x)" in said.out and "x" in said.out.splitlines()[-5]
    assert "20 inf (^)" in vk("plot", "rate", at=tmp_path).out


def test_a_spike_is_seen_in_the_terminal() -> None:
    from vizkit.curves.curves import Curve, CurvesData
    from vizkit.plots.terminal import draw

    y = np.zeros(100_000)
    y[60_321] = 5.0
    x = np.arange(100_000.0)
    rows = str(draw(CurvesData("loss", "step", "", (Curve("run", 0, x, y, y),)), 80, 12)).splitlines()
    column = {row.index(mark) for row in rows[1:5] for mark in row if "\u2801" <= mark <= "\u28ff"}
    assert len(column) == 1 and abs(column.pop() - (len(rows[1].split("|")[0]) + 1) - 0.6 * 77) < 3


# -- processes -----------------------------------------------------------------------------------------


def vizkit_process(*args: object, cwd: Path, **env: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **env}
    return subprocess.Popen(
        [*VIZKIT, *map(str, args)],
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def test_a_pipe_that_closes_early_is_no_error(logs: Path) -> None:
    for reader in ("head -1", "true"):
        command = f"{shlex.join(VIZKIT)} export -d {shlex.quote(str(logs))} | {reader}"
        done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.stderr == "" and done.stdout == ("run,tag,step,time,value\n" if "head" in reader else "")


def test_tail_follows_a_run_until_it_has_ended(tmp_path: Path) -> None:
    tracker = vizkit.Tracker(tmp_path / "log" / "run")
    tracker.log({"loss": 0.5}, step=0)
    process = vizkit_process("tail", "--watch", "--every", 0.05, "--json", cwd=tmp_path)
    assert json.loads(process.stdout.readline())["step"] == 0
    tracker.log({"loss": 0.25}, step=1)
    assert json.loads(process.stdout.readline())["value"] == 0.25
    tracker.close()
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0 and out == "" and "run has ended: finished" in err


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_ctrl_c_ends_watching_with_0(logs: Path, tmp_path: Path) -> None:
    with vizkit.Tracker(tmp_path / "log" / "run") as tracker:
        tracker.log({"loss": 0.5}, step=0)
        processes = [
            vizkit_process("ls", "--watch", "--every", 0.05, cwd=tmp_path),
            vizkit_process("ls", "--watch", "--every", 0.05, cwd=tmp_path, FORCE_COLOR="1"),
            vizkit_process("tail", "--watch", "--every", 0.05, cwd=tmp_path),
        ]
        for process in processes:
            assert process.stdout.readline()
        tracker.log({"loss": 0.25}, step=1)
        seen = next(line for line in iter(processes[0].stdout.readline, "") if "0.25" in line)
        assert seen.startswith("run\trunning")
        for process in processes:
            process.send_signal(signal.SIGINT)
        for process in processes:
            _, err = process.communicate(timeout=30)
            assert process.returncode == 0 and "Traceback" not in err


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


# -- help and docs -------------------------------------------------------------------------------------


COMMANDS = get_command(app).commands  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example_that_runs(
    name: str, vk, logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("vizkit.server.server.Server.wait", lambda server: None)  # serves until Ctrl-C
    assert vk(*shlex.split(example[1]), at=None).code == 0


@pytest.mark.parametrize("port", ["65536", "-1", "http"])
def test_a_port_that_is_none_is_wrong_usage(port: str, vk) -> None:
    said = vk("serve", "--port", port, at=None)
    assert said.code == 2 and f"from 0 to 65535, not '{port}'" in said.err


def test_serving_needs_nothing_of_the_other_commands() -> None:
    code = """
import sys
sys.argv = ["vizkit", "serve", "--port", "0", "log/sample"]
sys.modules["rich"] = sys.modules["typer"] = None
import vizkit.server.server
vizkit.server.server.Server.wait = lambda server: print("served")
from vizkit.cli import main
main()
"""
    done = python(code)
    assert done.returncode == 0 and "served" in done.stdout, done.stderr


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


BLOCK = re.compile(r"^```(python|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
PASSING = re.compile(r"\d+\.\d s\b|\b\d\d:\d\d:\d\d\b|\b20\d\d-[-\dT:.+]+|(?<=^duration\t)\S+")


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
