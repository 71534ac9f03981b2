"""Reading logs back in tests: with VizKit's decoder and with stock VisualDL."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vizkit.format.decode import decode_record
from vizkit.format.frames import Damage, read_frames, scan
from vizkit.format.types import Record

if TYPE_CHECKING:
    import httpx

    from vizkit.server import Server

ROOT = Path(__file__).parents[1]

PATIENCE = 300.0
"""Seconds that a test waits at most. A busy machine takes its time; only a fault takes all of it."""

KINDS = {"hparams": "hyper_parameters"}


def find_browser() -> str | None:
    """The browser that tests are run in."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


def log_of(directory: Path | str) -> Path:
    """The one log of a run directory."""
    (path,) = Path(directory).glob("*vdlrecords*")
    return path


def damage(path: Path | str) -> list[Damage]:
    """The parts of a log that are not whole: a torn tail, or broken bytes within."""
    return [part for part in scan(Path(path).read_bytes()) if isinstance(part, Damage)]


def records(directory: Path | str) -> list[Record]:
    """All records of a run but the first (its name) and the notes on what was lost."""
    every = [decode_record(data) for data in read_frames(log_of(directory).read_bytes())]
    assert every[0].kind == "meta_data"
    return [record for record in every[1:] if not record.lost]


def by_tag(directory: Path | str) -> dict[str, list[Record]]:
    out: dict[str, list[Record]] = defaultdict(list)
    for record in records(directory):
        out[record.tag].append(record)
    return dict(out)


def series(directory: Path | str, tag: str) -> list[tuple[int | float, Any]]:
    """(step, content) of a tag's records."""
    return [(record.step, record.data) for record in by_tag(directory).get(tag, [])]


def stock(directory: Path | str, kind: str, tag: str) -> list[Any]:
    """A tag's records as stock ``visualdl.LogReader`` gives them."""
    from visualdl import LogReader

    reader = LogReader(file_path=str(log_of(directory)))
    return list(reader.get_data(KINDS.get(kind, kind), tag))


def get(url: str, **options: Any) -> httpx.Response:  # noqa: ANN401  (as httpx.get)
    """``httpx.get`` for a server that may be slow."""
    import httpx

    return httpx.get(url, timeout=PATIENCE, **options)


def api(server: Server, path: str, **query: str | int) -> Any:  # noqa: ANN401  (JSON)
    """What the API of a server answers, the data in its envelope."""
    answer = get(f"http://127.0.0.1:{server.port}/app/api/{path}", params=query)
    assert answer.status_code == 200, answer.text
    content = answer.json()
    assert content["status"] == 0, content
    return content["data"]


def until(
    condition: Callable[[], bool],
    what: str = "it comes",
    pause: Callable[[float], object] = time.sleep,
) -> None:
    """Wait until a condition holds.

    What it looks at may not be there yet, or for a moment no more: a condition that fails or finds nothing
    has not come true. What it raised last is told when patience ends.
    """
    end = time.monotonic() + PATIENCE
    while True:
        raised = None
        try:
            if condition():
                return
        except (AssertionError, LookupError) as error:
            raised = error
        if time.monotonic() > end:
            raise AssertionError(f"waited {PATIENCE} s until {what}") from raised
        pause(0.02)


def python(code: str, *args: object, timeout: float = PATIENCE) -> subprocess.CompletedProcess[str]:
    """Runs a script in a fresh interpreter."""
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, args)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        cwd=ROOT,
    )
