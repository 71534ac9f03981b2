"""``vizkit ls``: rows for pipes, tables for people, JSON, following."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest

import vizkit
from tests.helpers import PATIENCE

from .commands import Command, read_line, start


def test_ls_prints_rows_for_cut_and_awk(vk: Command) -> None:
    said = vk("ls")
    assert said.code == 0 and said.err == ""
    header, *rows = said.rows
    assert header[:4] == ["run", "status", "started", "duration"]
    assert [row[0] for row in rows] == [f"batch{size}-{seed}" for size in (32, 64) for seed in range(3)]
    table = {row[0]: dict(zip(header, row, strict=True)) for row in rows}
    assert table["batch64-2"]["batch size"] == "64"
    assert float(table["batch64-2"]["eval/acc.best"]) == 0.9 - 0.064 - 0.02
    assert all(len(row) == len(header) for row in rows)


def test_ls_filters_sorts_and_chooses_metrics(vk: Command) -> None:
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


def test_the_directory_may_be_named_without_its_option(vk: Command, logs: Path) -> None:
    assert vk("ls", logs, at=None).out == vk("ls").out


@pytest.mark.usefixtures("terminal")
def test_a_narrow_terminal_keeps_results_and_says_what_had_no_room(
    vk: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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


@pytest.mark.usefixtures("terminal")
def test_chinese_names_are_aligned(vk: Command, tmp_path: Path) -> None:
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


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_ctrl_c_ends_watching_with_0(logs: Path, tmp_path: Path) -> None:
    with vizkit.Tracker(tmp_path / "log" / "run") as tracker:
        tracker.log({"loss": 0.5}, step=0)
        processes = [
            start("ls", "--watch", "--every", 0.05, cwd=tmp_path),
            start("ls", "--watch", "--every", 0.05, cwd=tmp_path, FORCE_COLOR="1"),
            start("tail", "--watch", "--every", 0.05, cwd=tmp_path),
        ]
        for process in processes:
            assert read_line(process)
        tracker.log({"loss": 0.25}, step=1)
        seen = next(line for line in iter(lambda: read_line(processes[0]), "") if "0.25" in line)
        assert seen.startswith("run\trunning")
        for process in processes:
            process.send_signal(signal.SIGINT)
        for process in processes:
            _, err = process.communicate(timeout=PATIENCE)
            assert process.returncode == 0 and "Traceback" not in err


@pytest.mark.usefixtures("terminal")
def test_sparklines_come_before_best_values_and_to_the_most_important_metric_first(
    vk: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2):
        with vizkit.Tracker(tmp_path / f"run{number}", hparams={"lr": 10.0**-number}) as tracker:
            for step in range(20):
                values = {"train/loss": 20.0 - step, "train/acc": step / 19, "eval/loss": 20.0 - step}
                tracker.log({**values, "eval/acc": 0.5 - abs(step - 15) / 40}, step=step)

    def row(columns: int) -> str:
        monkeypatch.setenv("COLUMNS", str(columns))
        return next(line for line in vk("ls", at=tmp_path).out.splitlines() if line.startswith("run1"))

    assert [len(re.findall("[▁-█]+", row(columns))) for columns in (34, 38, 50, 100)] == [1, 2, 3, 4]
    assert re.search(r"▆██▇ 0\.4$", row(80).strip())
    assert re.search(r"▆▇███▇ 0\.4 \(max 0\.5 at 15\)$", row(100).strip())


def test_an_empty_directory_or_one_of_another_tool_is_said_to_be_so(vk: Command, tmp_path: Path) -> None:
    assert vk("ls", at=tmp_path) == (1, "", f"vizkit: no runs in {tmp_path}\n")
    (tmp_path / "events.out.tfevents.1").write_bytes(b"")
    for command in (["ls"], ["plot", "loss"], ["best", "loss"], ["export"], ["show"], ["tail"]):
        said = vk(*command, at=tmp_path)
        assert (said.code, said.out) == (1, "") and "a TensorBoard log lies there" in said.err, command
    assert vk("ls", "--json", at=tmp_path).data == []
