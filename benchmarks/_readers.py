"""The same points in each library's own files, and how each reads all of them to columns.

What is imported here is imported late.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._common import median

__all__ = [
    "DATA_SERVER",
    "NOW",
    "READERS",
    "STOCK",
    "TAGS",
    "VIZKIT",
    "Logs",
    "beside_ours",
    "in_rounds",
    "write_logs",
    "write_visualdl",
]

NAMES = ["loss", "acc", "lr", "grad", "top1", "top5", "kl", "norm", "time", "memory"]
TAGS = [f"train/{name}" for name in NAMES]
NOW = 1_767_225_600_000
VIZKIT, STOCK, DATA_SERVER = "vizkit", "visualdl LogReader", "TensorBoard's data server"

Columns = dict[tuple[str, str], Any]
"""Run and tag -> (steps, walltimes, values), or a frame."""


@dataclass(frozen=True)
class Logs:
    """The same runs in VisualDL's format and in TensorBoard's, and what each of them holds."""

    visualdl: Path
    tensorboard: Path
    runs: int
    steps: int


def write_logs(root: Path, values: NDArray[np.floating], runs: int = 1) -> Logs:
    """Runs that all hold ``values`` (steps, tags), as float32, which both formats hold exactly."""
    logs = Logs(root / "visualdl", root / "tensorboard", runs, len(values))
    values = values.astype(np.float32)
    write_visualdl(logs.visualdl / "run0", in_rounds(values))
    _write_tensorboard(logs.tensorboard / "run0", values)
    for directory in (logs.visualdl, logs.tensorboard):
        for run in range(1, runs):
            shutil.copytree(directory / "run0", directory / f"run{run}")
    return logs


def in_rounds(values: NDArray[np.floating]) -> Iterator[tuple[int, str, float]]:
    """Step, tag and value of a loop that records the first tags, one a column, at each step."""
    for step, row in enumerate(values.tolist()):
        for tag, value in zip(TAGS[: len(row)], row, strict=True):
            yield step, tag, value


def write_visualdl(directory: Path, records: Iterable[tuple[int, str, float]]) -> None:
    """A log of VisualDL's format with records of step, tag and value."""
    from vizkit.format import encode

    fields = {tag: encode.tag_field(tag) for tag in TAGS}
    frames = []
    for step, tag, value in records:
        field = fields.get(tag) or fields.setdefault(tag, encode.tag_field(tag))
        walltime = encode.walltime_field(NOW + 3 * step)
        frames.append(encode.encode_scalar(field, value, encode.step_field(step), walltime))
    directory.mkdir(parents=True)
    Path(directory, "vdlrecords.1767225600.log").write_bytes(b"".join(frames))


def _write_tensorboard(directory: Path, values: NDArray[np.floating]) -> None:
    """The same points with TensorBoard's record writer."""
    from tensorboardX.proto.event_pb2 import Event
    from tensorboardX.proto.summary_pb2 import Summary
    from tensorboardX.record_writer import RecordWriter

    directory.mkdir(parents=True)
    writer = RecordWriter(str(directory / "events.out.tfevents.1767225600.host"))
    writer.write(Event(wall_time=NOW / 1000, file_version="brain.Event:2").SerializeToString())
    for step, row in enumerate(values.tolist()):
        for tag, value in zip(TAGS, row, strict=True):
            summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
            event = Event(wall_time=(NOW + 3 * step) / 1000, step=step, summary=summary)
            writer.write(event.SerializeToString())
    writer.close()


def _vizkit(logs: Logs) -> Columns:
    from vizkit.reading import LogRoot

    runs = LogRoot(logs.visualdl).runs
    return {(name, tag): run.scalars(tag) for name, run in runs.items() for tag in run.kinds}


def _visualdl(logs: Logs) -> Columns:
    from visualdl import LogReader

    found = {}
    for path in logs.visualdl.glob("*/vdlrecords*"):
        reader = LogReader(file_path=str(path))
        for tag in TAGS:
            values = reader.get_data("scalar", tag)
            steps, times = [value.id for value in values], [value.timestamp for value in values]
            found[path.parent.name, tag] = _arrays(steps, times, [value.value for value in values])
    return found


def _event_accumulator(logs: Logs) -> Columns:
    from tensorboard.backend.event_processing.event_accumulator import SCALARS, EventAccumulator

    found = {}
    for path in logs.tensorboard.glob("*/events*"):
        reader = EventAccumulator(str(path), size_guidance={SCALARS: 0})
        reader.Reload()
        for tag in TAGS:
            events = reader.Scalars(tag)
            steps, times = [event.step for event in events], [event.wall_time for event in events]
            found[path.parent.name, tag] = _arrays(steps, times, [event.value for event in events])
    return found


def _tbparse(logs: Logs) -> Columns:
    from tbparse import SummaryReader

    frame = SummaryReader(str(logs.tensorboard), extra_columns={"dir_name", "wall_time"}).scalars
    return dict(iter(frame.groupby(["dir_name", "tag"])))


def _data_server(logs: Logs) -> Columns:
    from tensorboard.data.proto import data_provider_pb2 as messages

    plugin = messages.PluginFilter(plugin_name="scalars")
    every = messages.Downsample(num_points=1 << 30)
    with _server(logs.tensorboard) as stub:
        while True:  # it listens before it has read all
            listing = stub.ListScalars(messages.ListScalarsRequest(plugin_filter=plugin))
            last = [tag.metadata.max_step for run in listing.runs for tag in run.tags]
            if len(last) == logs.runs * len(TAGS) and min(last) == logs.steps - 1:
                break
            time.sleep(0.002)
        answer = stub.ReadScalars(messages.ReadScalarsRequest(plugin_filter=plugin, downsample=every))
    return {
        (run.run_name, tag.tag_name): _arrays(tag.data.step, tag.data.wall_time, tag.data.value)
        for run in answer.runs
        for tag in run.tags
    }


def _arrays(*columns: Iterable[float]) -> tuple[NDArray[Any], ...]:
    return tuple(map(np.array, columns))


@contextmanager
def _server(root: Path) -> Iterator[Any]:
    """TensorBoard's data server at work on a directory."""
    from tensorboard.data import server_ingester
    from tensorboard.util import grpc_util

    port_file = root.parent / f"port-{time.perf_counter_ns()}"
    command = [
        server_ingester.get_server_binary().path,
        f"--logdir={root}",
        "--reload=once",
        "--samples-per-plugin=scalars=all",
        "--port=0",
        f"--port-file={port_file}",
        "--die-after-stdin",
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as server:
        try:
            while not (port_file.exists() and port_file.read_text().endswith("\n")):
                time.sleep(0.001)
            address = f"localhost:{int(port_file.read_text())}"
            yield server_ingester._make_stub(address, grpc_util.ChannelCredsType.LOCAL)
        finally:
            server.kill()


READERS: dict[str, Callable[[Logs], Columns]] = {
    VIZKIT: _vizkit,
    STOCK: _visualdl,
    DATA_SERVER: _data_server,
    "TensorBoard EventAccumulator": _event_accumulator,
    "tbparse": _tbparse,
}
"""Library -> all its scalars as arrays; tbparse gives frames."""


def beside_ours(
    seconds: Callable[[str], float], repeats: Mapping[str, int] | None = None
) -> tuple[dict[str, float], int]:
    """Median seconds of every library, VizKit first, and how often VizKit was measured.

    Args:
        seconds: reads once with a library.
        repeats: how often it does so with each; once by default, and VizKit twice before each, so that a
            slow moment meets both.
    """
    seconds(VIZKIT)
    ours: list[float] = []
    taken: dict[str, float] = {}
    for name in READERS:
        if name == VIZKIT:
            continue
        times = []
        for _ in range((repeats or {}).get(name, 1)):
            ours += [seconds(VIZKIT) for _ in range(2)]
            times.append(seconds(name))
        taken[name] = median(times)
    return {VIZKIT: median(ours), **taken}, len(ours)
