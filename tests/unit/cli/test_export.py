"""``vizkit export``."""

from __future__ import annotations

import io
import shlex
import subprocess
from pathlib import Path

import numpy as np

from tests.helpers import ROOT
from vizkit import Tracker

from .commands import VIZKIT, Command


def test_export_writes_what_python_gets(vk: Command, logs: Path, tmp_path: Path) -> None:
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
    said = vk("export", "-o", tmp_path / "out.xlsx")
    assert said.code == 2 and "out.xlsx does not end in .csv" in said.err
    assert not (tmp_path / "out.xlsx").exists()
    assert vk("export", "--step", "3").code == 2  # of a table


def test_a_pipe_that_closes_early_is_no_error(logs: Path) -> None:
    for reader in ("head -1", "true"):
        command = f"{shlex.join(VIZKIT)} export -d {shlex.quote(str(logs))} | {reader}"
        done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.stderr == "" and done.stdout == ("run,tag,step,time,value\n" if "head" in reader else "")


def test_no_run_to_export_is_a_negative_answer(vk: Command) -> None:
    assert vk("export", "--where", "seed == 9")[:2] == (1, "")


def test_tables_of_runs_are_written_one_below_the_other(vk: Command, tmp_path: Path) -> None:
    import pandas as pd

    for name in ("a", "b"):
        with Tracker(tmp_path / "log" / name, system=False, quiet=True) as tracker:
            for step in (1, 2):
                columns = {"text": ["=1+1", "x"], "value": [step, 0.5], "image": np.zeros((2, 4, 4))}
                tracker.log_table("some", columns, step)
    asked, at = ("export", "--table", "some"), tmp_path / "log"
    frame = pd.read_csv(io.StringIO(vk(*asked, "--step", 1, "--escape-formulas", at=at).out))
    assert frame.to_dict("list") == {
        "run": ["a", "a", "b", "b"], "text": ["'=1+1", "x"] * 2, "value": [1, 0.5] * 2,
    }  # fmt: skip
    assert [row["value"] for row in vk(*asked, "--json", "b", at=at).data] == [2, 0.5]
    vk(*asked, "--bom", "-o", tmp_path / "out.csv", at=at)
    assert (tmp_path / "out.csv").read_bytes().startswith(b"\xef\xbb\xbfrun,")
    vk(*asked, "-o", tmp_path / "out.parquet", at=at)
    assert pd.read_parquet(tmp_path / "out.parquet")["value"].tolist() == [2, 0.5] * 2
    wrong = vk(*asked[:-1], "sums", at=at)
    assert wrong.code != 0 and "'some'" in wrong.err
