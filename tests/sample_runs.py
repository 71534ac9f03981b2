"""Small runs to ship: of large records only the last, and nothing about the machine; trial000 becomes run1.

``python -m vizkit.demo --logdir log/sample --epochs 4 && python -m tests.sample_runs`` makes log/sample anew.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from vizkit.environment import FILE_NAME
from vizkit.format.decode import decode_record
from vizkit.format.file_names import CONSOLE_FILE, TABLES_DIRECTORY
from vizkit.format.frames import read_frames
from vizkit.format.tags import MACHINE
from vizkit.writing import run_directory

_LARGE = {"image", "pr_curve", "roc_curve", "text"}
_KEPT = ("format", "started", "ended", "status", "python", "rank", "world_size")


def shrink(run: Path) -> None:
    """Keep only the last record of each tag of a finished run's images, curves and texts.

    The saved model, tables, system metrics, console output and the description of the machine are removed.
    """
    path = Path(run_directory.log_path(str(run))[0])
    frames = list(read_frames(path.read_bytes()))
    records = [decode_record(frame) for frame in frames]
    last = {(record.kind, record.tag): index for index, record in enumerate(records)}
    kept = [
        frame
        for index, (frame, record) in enumerate(zip(frames, records, strict=True))
        if not record.tag.startswith(MACHINE)
        and (record.kind not in _LARGE or index == last[record.kind, record.tag])
    ]
    path.write_bytes(b"".join(len(frame).to_bytes(8, "little") + frame for frame in kept))
    for saved in (*run.glob("inference.*"), *run.glob("environment.*.diff"), *run.glob(CONSOLE_FILE)):
        saved.unlink()
    shutil.rmtree(run / TABLES_DIRECTORY, ignore_errors=True)
    about = run / FILE_NAME
    known = json.loads(about.read_bytes())
    about.write_text(json.dumps({key: known[key] for key in _KEPT}) + "\n")


if __name__ == "__main__":
    logdir = Path(*sys.argv[1:] or ["log/sample"])
    for number, directory in enumerate(sorted(logdir.glob("trial*")), start=1):
        shrink(directory)
        shutil.rmtree(logdir / f"run{number}", ignore_errors=True)
        directory.rename(logdir / f"run{number}")
    shutil.rmtree(logdir / ".sweep")
