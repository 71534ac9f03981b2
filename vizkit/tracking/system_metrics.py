"""System metrics, sampled while a run is recorded: CPU, memory, disk, network and GPUs."""

from __future__ import annotations

import atexit
import contextlib
import importlib
import math
import os
import re
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING

from vizkit._checks import finite_number
from vizkit._language import tr
from vizkit._warnings import count_lost
from vizkit.errors import ClosedError, MissingDependencyError
from vizkit.format.tags import MACHINE as PREFIX

if TYPE_CHECKING:
    from vizkit.writing.log_writer import LogWriter

__all__ = ["PREFIX", "Counters", "SystemSampler", "rates", "sampler_of"]

_FIRST_SECONDS = 1.0
_STOP_SECONDS = 1.0
_IDLE_SECONDS = 1800.0
_GB, _MB = 1e9, 1e6
_LOOPBACK = re.compile(r"lo\d*$|loopback", re.IGNORECASE)


@dataclass(frozen=True)
class Counters:
    """Counters of the machine and the process at one moment, in seconds and bytes. NaN: not known here.

    Those of CPUs are sums over all of them; those of the network leave out the loopback device.
    """

    time: float
    cpu_busy: float = math.nan
    cpu_total: float = math.nan
    process_cpu: float = math.nan
    disk_read: float = math.nan
    disk_write: float = math.nan
    received: float = math.nan
    sent: float = math.nan


def rates(before: Counters, after: Counters) -> dict[str, float]:
    """Compute the rates between two moments; counters that are unknown, or were reset, are left out.

    Returns:
        Tag -> value. A process's CPU percent is of one CPU: 400 is four of them at work.
    """
    seconds = after.time - before.time
    if seconds <= 0:
        return {}
    total = after.cpu_total - before.cpu_total
    found = {
        "cpu percent": 100 * (after.cpu_busy - before.cpu_busy) / total if total > 0 else math.nan,
        "process cpu percent": 100 * (after.process_cpu - before.process_cpu) / seconds,
        "disk read MB per second": (after.disk_read - before.disk_read) / _MB / seconds,
        "disk write MB per second": (after.disk_write - before.disk_write) / _MB / seconds,
        "network received MB per second": (after.received - before.received) / _MB / seconds,
        "network sent MB per second": (after.sent - before.sent) / _MB / seconds,
    }
    return {PREFIX + name: value for name, value in found.items() if value >= 0}


class SystemSampler:
    """A sampler that records system metrics as scalars named ``system/...``.

    ``log`` is called with the values and their step: the whole seconds since `start`, so that the x
    axis of VisualDL's page reads as seconds. The first sample comes a second after `start`. All
    samplers of a process share one daemon thread; a forked child does not sample. Metrics that cannot be
    read are left out, without an error.

    Args:
        log: a function of tag -> value and the step; called on the sampler's thread.
        every: seconds between two samples, at least 1.
        directory: a directory on the disk whose free space is recorded: the run's.
        first_step: the step at `start`: 0, or in a resumed run one after the last.
        clock: a function that returns seconds.
        on_error: called with ``"system/"`` and an error of a sample; warns of the first by default.

    Raises:
        MissingDependencyError: psutil is missing.
        DataError: ``every`` is not a number of seconds, 1 or more.
    """

    def __init__(
        self,
        log: Callable[[dict[str, float], int], object],
        every: float = 15.0,
        *,
        directory: str | os.PathLike[str] = ".",
        first_step: int = 0,
        clock: Callable[[], float] = time.monotonic,
        on_error: Callable[[str, Exception], None] | None = None,
    ) -> None:
        self.every = finite_number("every", every, least=1, unit=tr("seconds"))
        try:
            self._psutil = importlib.import_module("psutil")
        except ImportError as error:
            raise MissingDependencyError("recording the system needs psutil: pip install psutil") from error
        self._log = log
        self._directory = os.fspath(directory)
        self._first_step = first_step
        self._clock = clock
        self._pid = os.getpid()
        self._lock = threading.RLock()  # reentrant: log() may stop us
        self._running = False
        self._on_error = on_error or partial(count_lost, Counter())
        self._gpus: _Gpus | None = None
        self._before = Counters(0.0)
        self._started = 0.0

    def start(self) -> SystemSampler:
        """Start sampling; do nothing if it runs already, or in a forked child."""
        if os.getpid() != self._pid or self._running:
            return self
        self._started = self._clock()
        self._before = self._count(self._started)
        self._running = True
        _shared.add(self, _FIRST_SECONDS)
        return self

    def stop(self) -> None:
        """Stop sampling: nothing is logged after this returns. Stopping again does nothing."""
        if os.getpid() != self._pid:
            return
        self._running = False
        _shared.remove(self)
        # A driver that hangs delays its sample, but not the training.
        if self._lock.acquire(timeout=_STOP_SECONDS):
            try:
                gpus, self._gpus = self._gpus, None
                if gpus:
                    gpus.close()
            finally:
                self._lock.release()

    def __enter__(self) -> SystemSampler:
        return self.start()

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"SystemSampler(every={self.every:g}{', running' if self._running else ''})"

    def sample(self) -> dict[str, float]:
        """Read the system metrics of this moment, and of the time since the last sample or `start`.

        Returns:
            Tag -> value; the unit is part of the tag.
        """
        with self._lock:
            now = self._count(self._clock())
            values = rates(self._before, now)
            self._before = now
            for read in (self._memory, self._disk):
                with contextlib.suppress(Exception):
                    values |= read()
            if self._gpus is None:
                self._gpus = _Gpus()
            values |= self._gpus.read()
        return values

    def _tick(self) -> None:
        """Log one sample, if the sampler is running."""
        with self._lock:
            if not self._running:
                return
            try:
                values = self.sample()
                step = self._first_step + int(self._clock() - self._started)
                # A driver may have hung while `stop` was called.
                if values and self._running:
                    self._log(values, step)
            except ClosedError:
                self.stop()
            except Exception as error:
                with contextlib.suppress(Exception):  # a warning that is an error, on our thread
                    self._on_error(PREFIX, error)

    # -- readings of psutil -----------------------------------------------------------------------

    def _count(self, now: float) -> Counters:
        found: dict[str, float] = {}
        for read in (self._count_cpu, self._count_process, self._count_disk, self._count_network):
            with contextlib.suppress(Exception):
                found |= read()
        return Counters(now, **found)

    def _count_cpu(self) -> dict[str, float]:
        times = self._psutil.cpu_times()
        # Linux counts guests within user and nice.
        total = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
        return {"cpu_total": total, "cpu_busy": total - times.idle - getattr(times, "iowait", 0.0)}

    def _count_process(self) -> dict[str, float]:
        times = self._psutil.Process().cpu_times()
        return {"process_cpu": times.user + times.system}

    def _count_disk(self) -> dict[str, float]:
        counters = self._psutil.disk_io_counters()
        return {"disk_read": counters.read_bytes, "disk_write": counters.write_bytes}

    def _count_network(self) -> dict[str, float]:
        every = self._psutil.net_io_counters(pernic=True)
        cards = [card for name, card in every.items() if not _LOOPBACK.match(name)]
        return {
            "received": sum(card.bytes_recv for card in cards),
            "sent": sum(card.bytes_sent for card in cards),
        }

    def _memory(self) -> dict[str, float]:
        memory = self._psutil.virtual_memory()
        return {
            PREFIX + "memory used GB": (memory.total - memory.available) / _GB,
            PREFIX + "memory used percent": float(memory.percent),
            PREFIX + "process memory GB": self._psutil.Process().memory_info().rss / _GB,
        }

    def _disk(self) -> dict[str, float]:
        return {PREFIX + "disk free GB": self._psutil.disk_usage(self._directory).free / _GB}


def sampler_of(owner: object, writer: LogWriter, every: float) -> SystemSampler:
    """Return a sampler that records with a writer, until that is closed or its owner is dropped.

    It pauses while nothing else has been recorded for half an hour, as in a notebook that is left open after
    its training. In a resumed run the seconds go on.

    Raises:
        MissingDependencyError: psutil is missing.
    """
    directory = "." if "://" in writer.logdir else writer.logdir
    owned, its_writer = weakref.ref(owner), weakref.ref(writer)
    seen, since = math.nan, 0.0

    def log(values: dict[str, float], step: int) -> None:
        nonlocal seen, since
        now, writer = time.monotonic(), its_writer()
        if owned() is None or writer is None:
            raise ClosedError("the tracker was dropped")
        if _size(writer.file_name) != seen:
            since = now
        if now - since < _IDLE_SECONDS:
            writer.add_metrics(values, step)
        seen = _size(writer.file_name)

    first = int(writer.last_step_of(PREFIX + "process memory GB")) + 1
    count = writer.losses.count
    return SystemSampler(log, every, directory=directory, first_step=first, on_error=count)


def _size(path: str) -> float:
    try:
        return os.path.getsize(path)
    except OSError:
        return math.nan  # of a remote log: differs from itself, so that sampling does not pause


_GPU_READINGS: dict[str, Callable[[ModuleType, object], float]] = {
    "utilization percent": lambda nvml, device: nvml.nvmlDeviceGetUtilizationRates(device).gpu,
    "memory GB": lambda nvml, device: nvml.nvmlDeviceGetMemoryInfo(device).used / _GB,
    "temperature C": lambda nvml, device: nvml.nvmlDeviceGetTemperature(device, nvml.NVML_TEMPERATURE_GPU),
    "power W": lambda nvml, device: nvml.nvmlDeviceGetPowerUsage(device) / 1000,
}


class _Gpus:
    """NVIDIA's devices, read by ``nvidia-ml-py``; none without it, or without a driver."""

    def __init__(self) -> None:
        self._nvml: ModuleType | None = None
        self._devices: dict[int, object] = {}
        try:
            nvml = importlib.import_module("pynvml")
            nvml.nvmlInit()
        except Exception:
            return
        self._nvml = nvml
        with contextlib.suppress(Exception):
            for index in range(nvml.nvmlDeviceGetCount()):
                handle = nvml.nvmlDeviceGetHandleByIndex(index)
                if _visible(index, _text(nvml.nvmlDeviceGetUUID(handle)), os.environ):
                    self._devices[index] = handle

    def read(self) -> dict[str, float]:
        values: dict[str, float] = {}
        if self._nvml is None:
            return values
        for index, device in self._devices.items():
            for name, read in _GPU_READINGS.items():
                with contextlib.suppress(Exception):  # some devices have no power meter
                    values[f"{PREFIX}gpu {index} {name}"] = float(read(self._nvml, device))
        return values

    def close(self) -> None:
        if self._nvml:
            with contextlib.suppress(Exception):
                self._nvml.nvmlShutdown()


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _visible(index: int, uuid: str, environment: Mapping[str, str]) -> bool:
    """Return True if a device is in ``CUDA_VISIBLE_DEVICES``, a list of numbers or UUIDs."""
    names = environment.get("CUDA_VISIBLE_DEVICES")
    if names is None:
        return True
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    return any(name == str(index) or (len(name) > 4 and uuid.startswith(name)) for name in wanted)


class _Shared:
    """The thread of all samplers; it ends with the last of them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._due: dict[SystemSampler, float] = {}
        self._thread: threading.Thread | None = None

    def add(self, sampler: SystemSampler, seconds: float) -> None:
        with self._changed:
            self._due[sampler] = time.monotonic() + seconds
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="vizkit-system", daemon=True)
                try:
                    self._thread.start()
                except RuntimeError:  # no more threads
                    self._thread = None
            self._changed.notify_all()

    def remove(self, sampler: SystemSampler) -> None:
        with self._changed:
            self._due.pop(sampler, None)
            self._changed.notify_all()

    def clear(self) -> None:
        for sampler in list(self._due):
            sampler.stop()

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._due:
                    self._thread = None
                    return
                sampler, due = min(self._due.items(), key=lambda item: item[1])
                now = time.monotonic()
                if due > now:
                    self._changed.wait(due - now)
                    continue
                # No samples to catch up on after a machine's sleep.
                self._due[sampler] = max(due + sampler.every, now + sampler.every / 2)
            sampler._tick()


_shared = _Shared()


def _in_child() -> None:
    global _shared
    _shared = _Shared()


# Before the interpreter is taken apart.
atexit.register(lambda: _shared.clear())
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
