"""Logs of stock VisualDL to check and repair."""

from __future__ import annotations

import os
from pathlib import Path

from tests.helpers import stock
from vizkit.repair._check import check
from vizkit.repair._repair import repair


def written(directory: Path, name: str, steps: range, tag: str = "loss", display_name: str = "") -> Path:
    """A log of stock VisualDL."""
    from visualdl import LogWriter

    with LogWriter(str(directory), file_name=name, display_name=display_name) as writer:
        for step in steps:
            writer.add_scalar(tag, step / 2, step, walltime=1_600_000_000_000 + step)
    return directory / name


def aged(root: Path) -> None:
    """Make files look as if nothing had been written for long."""
    for path in root.rglob("*"):
        if path.is_file():
            os.utime(path, (1.6e9, 1.6e9))


NOTES_ON_STEPS = ("superseded", "starting over", "trainings")


def kinds(root: Path) -> list[str]:
    """What is found, but for what is only worth knowing of the steps of these small logs."""
    return [finding.kind for finding in check(root) if finding.kind not in NOTES_ON_STEPS]


def repaired(root: Path) -> None:
    """Repair all runs; nothing is found afterwards, and every file is kept."""
    before = sorted(path.read_bytes() for path in root.rglob("*vdlrecords*"))
    aged(root)
    done = repair(root)
    assert done and not any(one.left for one in done)
    assert kinds(root) == [] and repair(root) == []
    kept = [Path(path) for one in done for path in one.kept]
    assert kept and all("vdlrecords" not in path.name for path in kept)
    now = [path.read_bytes() for path in (*kept, *root.rglob("*vdlrecords*"))]
    assert all(content in now for content in before)


def steps(directory: Path, tag: str = "loss", kind: str = "scalar") -> list[int]:
    """Of the records that stock VisualDL reads."""
    return [record.id for record in stock(directory, kind, tag)]
