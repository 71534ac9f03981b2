"""The libraries that are compared, each with its own calls and nothing put around them.

What is imported here is imported late: a process measures one topic, with no more libraries in it
than the topic needs.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

__all__ = ["LIBRARIES", "Recorder", "offline"]


@dataclass(frozen=True)
class Recorder:
    """A run that is open: its library's calls as bound methods.

    ``scalar``, ``image`` and ``histogram`` take tag, value and step, ``log`` a dict and a step.
    ``files`` is where the log is. ``ready`` waits for what opening left to a thread.
    """

    close: Callable[[], Any]
    scalar: Callable[[str, float, int], Any] | None = None
    log: Callable[[dict[str, float], int], Any] | None = None
    image: Callable[[str, Any, int], Any] | None = None
    histogram: Callable[[str, Any, int], Any] | None = None
    flush: Callable[[], Any] | None = None
    ready: Callable[[], Any] = lambda: None
    files: Path = field(default_factory=Path)


def offline(root: str) -> None:
    """Keeps every library's files under ``root`` and every library off the network.

    Call it before the first of them is imported: trackio reads its directory at import.
    """
    os.environ.update(
        TRACKIO_DIR=f"{root}/trackio",
        HF_HOME=f"{root}/huggingface",
        HF_HUB_OFFLINE="1",
        HF_HUB_DISABLE_TELEMETRY="1",
        SWANLAB_ROOT=f"{root}/swanlab",
        SWANLAB_LOGDIR=f"{root}/swanlog",
        SWANLAB_INTERACTIVE="false",
        GLOG_minloglevel="2",
    )
    connect = socket.socket.connect

    def local_only(self: socket.socket, address: tuple[object, ...] | str) -> None:
        if self.family != getattr(socket, "AF_UNIX", None) and address[0] != "127.0.0.1":
            raise OSError(f"a benchmark may not connect to {address}")
        connect(self, address)

    socket.socket.connect = local_only  # type: ignore[method-assign]


def _vizkit_writer(directory: str) -> Recorder:
    from vizkit import LogWriter

    writer = LogWriter(directory)
    return Recorder(
        close=writer.close,
        scalar=writer.add_scalar,
        image=writer.add_image,
        histogram=writer.add_histogram,
        flush=writer.flush,
        files=Path(writer.file_name),
    )


def _vizkit_tracker(directory: str) -> Recorder:
    from vizkit import Tracker

    tracker = Tracker(directory)
    return Recorder(
        close=tracker.close,
        scalar=tracker.log_scalar,
        log=tracker.log,
        image=tracker.log_image,
        histogram=tracker.log_histogram,
        flush=tracker.flush,
        ready=environment_known,
        files=Path(tracker.writer.file_name),
    )


def environment_known() -> None:
    """Waits until git and the GPUs have answered a tracker, for swanlab does not ask them here."""
    for thread in threading.enumerate():
        if thread.name == "vizkit-environment":
            thread.join()


def _visualdl(directory: str) -> Recorder:
    import visualdl

    writer = visualdl.LogWriter(directory)
    return Recorder(
        close=writer.close,
        scalar=writer.add_scalar,
        image=writer.add_image,
        histogram=writer.add_histogram,
        files=Path(writer.file_name),
    )


def _tensorboardx(directory: str) -> Recorder:
    from tensorboardX import SummaryWriter

    writer = SummaryWriter(directory)
    return Recorder(
        close=writer.close,
        scalar=writer.add_scalar,
        image=partial(writer.add_image, dataformats="HWC"),
        histogram=writer.add_histogram,
        files=next(Path(directory).glob("events.*")),
    )


def _trackio(directory: str) -> Recorder:
    import trackio

    name = Path(directory).name
    trackio.init(name, name=name, auto_log_cpu=False, auto_log_gpu=False, embed=False)
    return Recorder(
        close=trackio.finish,
        log=trackio.log,
        image=lambda tag, img, step: trackio.log({tag: trackio.Image(img)}, step),
        histogram=lambda tag, values, step: trackio.log({tag: trackio.Histogram(values)}, step),
        files=Path(os.environ["TRACKIO_DIR"], f"{name}.db"),
    )


def _swanlab(directory: str) -> Recorder:
    import swanlab

    looks = ("hardware", "runtime", "requirements", "git", "monitor")  # at the machine; no part of logging
    settings = swanlab.Settings(
        interactive=False,
        probe=swanlab.Settings.Probe(**dict.fromkeys(looks, False)),
        terminal=swanlab.Settings.Terminal(proxy_type="none"),
    )
    name = Path(directory).name
    swanlab.init(mode="offline", project="benchmarks", name=name, log_dir=directory, settings=settings)
    return Recorder(
        close=swanlab.finish,
        log=swanlab.log,
        image=lambda tag, img, step: swanlab.log({tag: swanlab.Image(img)}, step),
        files=Path(directory),
    )


LIBRARIES: dict[str, Callable[[str], Recorder]] = {
    "vizkit LogWriter": _vizkit_writer,
    "vizkit Tracker": _vizkit_tracker,
    "visualdl LogWriter": _visualdl,
    "tensorboardX SummaryWriter": _tensorboardx,
    "trackio": _trackio,
    "swanlab": _swanlab,
}
