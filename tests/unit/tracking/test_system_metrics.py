"""`SystemSampler`: what the machine did, with counters and clocks that the tests set."""

# ruff: noqa: N802 (NVML's names)
from __future__ import annotations

import math
import os
import sys
import threading
import time
import types
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.helpers import python, series, stock
from vizkit.errors import ClosedError, DataError, MissingDependencyError, VizKitError
from vizkit.format.tags import check_tag
from vizkit.tracking import system_metrics
from vizkit.tracking.system_metrics import Counters, SystemSampler, rates
from vizkit.writing.run_log import RunLog

ALWAYS = {
    "system/cpu percent", "system/process cpu percent", "system/memory used GB",
    "system/memory used percent", "system/process memory GB", "system/disk free GB",
}  # fmt: skip


class FakeNvml(types.ModuleType):
    """Two devices; the second has no power meter."""

    NVML_TEMPERATURE_GPU = 0

    def __init__(self) -> None:
        super().__init__("pynvml")
        self.opened = 0

    def nvmlInit(self) -> None:
        self.opened += 1

    def nvmlShutdown(self) -> None:
        self.opened -= 1

    def nvmlDeviceGetCount(self) -> int:
        return 2

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        return index

    def nvmlDeviceGetName(self, handle: int) -> bytes:
        return b"Tesla A"

    def nvmlDeviceGetUUID(self, handle: int) -> str:
        return f"GPU-{handle}abcdef"

    def nvmlSystemGetDriverVersion(self) -> str:
        return "550.1"

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> SimpleNamespace:
        return SimpleNamespace(total=16_000_000_000, used=(handle + 1) * 1_000_000_000)

    def nvmlDeviceGetUtilizationRates(self, handle: int) -> SimpleNamespace:
        return SimpleNamespace(gpu=50 + handle)

    def nvmlDeviceGetTemperature(self, handle: int, sensor: int) -> int:
        return 60 + handle

    def nvmlDeviceGetPowerUsage(self, handle: int) -> int:
        if handle:
            raise RuntimeError("not supported")
        return 250_500


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_metrics, "_FIRST_SECONDS", 0.0)


@pytest.fixture
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread stays out of it: the test calls `_tick`."""
    monkeypatch.setattr(system_metrics, "_FIRST_SECONDS", 1000.0)


def wait_for(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 200
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "vizkit-system"]


# -- rates -------------------------------------------------------------------------------------------


def test_rates_are_differences_over_time() -> None:
    before = Counters(10, 100, 200, 5, 1e6, 2e6, 3e6, 4e6)
    after = Counters(14, 106, 208, 15, 9e6, 2e6, 5e6, 4.4e6)
    assert rates(before, after) == pytest.approx({
        "system/cpu percent": 75,
        "system/process cpu percent": 250,
        "system/disk read MB per second": 2,
        "system/disk write MB per second": 0,
        "system/network received MB per second": 0.5,
        "system/network sent MB per second": 0.1,
    })  # fmt: skip


def test_what_is_unknown_or_was_counted_anew_is_left_out() -> None:
    assert rates(Counters(0), Counters(1)) == {}
    assert rates(Counters(1, disk_read=5), Counters(1, disk_read=9)) == {}
    assert rates(Counters(0, sent=5e6, received=0), Counters(1, sent=0, received=1e6)) == {
        "system/network received MB per second": 1.0
    }


# -- samples -----------------------------------------------------------------------------------------


def test_a_sample_of_this_machine_is_plausible(tmp_path: Path) -> None:
    sampler = SystemSampler(lambda values, step: None, directory=tmp_path)
    sampler.sample()
    end = time.process_time() + 0.05
    while time.process_time() < end:
        pass
    values = sampler.sample()
    assert set(values) >= ALWAYS
    assert all(type(value) is float and math.isfinite(value) and value >= 0 for value in values.values())
    assert 0 < values["system/cpu percent"] <= 100
    assert values["system/process cpu percent"] > 1
    assert 0.01 < values["system/process memory GB"] < values["system/memory used GB"]
    for tag in values:
        assert check_tag(tag) == tag


def test_what_cannot_be_read_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sampler = SystemSampler(lambda values, step: None, directory=tmp_path / "none")

    def refuse(*args: object, **options: object) -> None:
        raise OSError("not in this container")

    for name in ("net_io_counters", "cpu_times"):
        monkeypatch.setattr(sampler._psutil, name, refuse)
    monkeypatch.setattr(sampler._psutil, "disk_io_counters", lambda: None)
    sampler.sample()
    assert set(sampler.sample()) >= {"system/memory used GB", "system/process cpu percent"}
    assert not [tag for tag in sampler.sample() if "disk" in tag or "network" in tag or "/cpu" in tag]


def test_gpus_are_read_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", nvml := FakeNvml())
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    sampler = SystemSampler(lambda values, step: None)
    values = {tag: value for tag, value in sampler.sample().items() if "gpu" in tag}
    assert values == {
        "system/gpu 0 utilization percent": 50,
        "system/gpu 0 memory GB": 1,
        "system/gpu 0 temperature C": 60,
        "system/gpu 0 power W": 250.5,
        "system/gpu 1 utilization percent": 51,
        "system/gpu 1 memory GB": 2,
        "system/gpu 1 temperature C": 61,
    }
    assert nvml.opened == 1
    sampler.stop()
    assert nvml.opened == 0


@pytest.mark.parametrize(
    ("visible", "devices"),
    [("1", {"1"}), ("0,1", {"0", "1"}), ("GPU-1abc", {"1"}), ("", set()), ("-1", set())],
)
def test_only_gpus_that_the_process_may_use_are_read(
    monkeypatch: pytest.MonkeyPatch, visible: str, devices: set[str]
) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", FakeNvml())
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    sampler = SystemSampler(lambda values, step: None)
    assert {tag.split()[1] for tag in sampler.sample() if "gpu" in tag} == devices
    sampler.stop()


# -- the thread ---------------------------------------------------------------------------------------


def test_samples_reach_the_log_by_seconds_and_stock_visualdl_reads_them(
    tmp_path: Path, by_hand: None
) -> None:
    now = [100.0]
    with RunLog(str(tmp_path)) as log:
        sampler = SystemSampler(log.add_metrics, every=1000, first_step=7, clock=lambda: now[0])
        with sampler:
            now[0] += 2.5
            sampler._tick()
            now[0] += 15
            sampler._tick()
    assert [step for step, _ in series(tmp_path, "system/process cpu percent")] == [9, 24]
    assert [record.id for record in stock(tmp_path, "scalar", "system/memory used GB")] == [9, 24]


def test_the_first_sample_comes_soon_and_then_one_every_so_often(soon: None) -> None:
    due: list[float] = []
    sampler = SystemSampler(lambda values, step: due.append(system_metrics._shared._due[sampler]), every=1)
    began = time.monotonic()
    with sampler:
        wait_for(lambda: len(due) == 2)
    assert due[0] >= began + 1
    assert due[1] >= due[0] + 1
    assert repr(sampler) == "SystemSampler(every=1)"


def test_all_samplers_share_one_thread_that_ends_with_the_last(soon: None) -> None:
    seen: set[int] = set()
    samplers = [SystemSampler(lambda values, step, n=n: seen.add(n)).start() for n in range(5)]  # type: ignore[misc]
    assert samplers[0].start() is samplers[0]
    wait_for(lambda: len(seen) == 5)
    assert len(threads()) == 1
    for sampler in samplers:
        sampler.stop()
        sampler.stop()
    wait_for(lambda: not threads())
    with samplers[0]:
        seen.clear()
        wait_for(lambda: seen == {0})


def test_nothing_is_logged_after_stop(soon: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_metrics, "_STOP_SECONDS", 200.0)
    inside, go_on = threading.Event(), threading.Event()
    logged: list[int] = []

    def log(values: dict[str, float], step: int) -> None:
        inside.set()
        go_on.wait(200)
        logged.append(step)

    sampler = SystemSampler(log).start()
    assert inside.wait(200)
    threading.Timer(0.05, go_on.set).start()
    sampler.stop()
    assert len(logged) == 1  # stop waited for the one under way
    sampler._tick()
    assert len(logged) == 1


def test_a_log_that_fails_is_told_once_and_a_closed_one_ends_it(by_hand: None) -> None:
    calls = [0]

    def log(values: dict[str, float], step: int) -> None:
        calls[0] += 1
        raise ClosedError("closed") if calls[0] == 3 else OSError("disk full")

    sampler = SystemSampler(log, every=1000).start()
    with pytest.warns(match="system/: not recorded: disk full") as warned:
        for _ in range(5):
            sampler._tick()
    assert (len(warned), calls[0]) == (1, 3)
    sampler.stop()


def test_a_log_may_stop_its_sampler(soon: None) -> None:
    stopped: list[str] = []

    def log(values: dict[str, float], step: int) -> None:
        sampler.stop()
        stopped.append("yes")

    sampler = SystemSampler(log).start()
    wait_for(lambda: stopped)
    wait_for(lambda: not threads())


def test_a_driver_that_hangs_does_not_hold_up_stop(soon: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_metrics, "_STOP_SECONDS", 0.05)
    inside, go_on, outside = threading.Event(), threading.Event(), threading.Event()
    logged: list[int] = []
    sampler = SystemSampler(lambda values, step: logged.append(step))

    def hang() -> dict[str, float]:
        inside.set()
        go_on.wait(200)
        outside.set()
        return {}

    monkeypatch.setattr(sampler, "_memory", hang)
    sampler.start()
    assert inside.wait(200)
    sampler.stop()
    assert not outside.is_set()  # it hangs still
    go_on.set()
    wait_for(lambda: not threads())
    assert logged == []


def test_a_forked_child_does_not_sample(soon: None) -> None:
    samples: list[int] = []
    sampler = SystemSampler(lambda values, step: samples.append(step)).start()
    wait_for(lambda: samples)
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        samples.clear()
        sampler.start()
        sampler.stop()
        os.write(writer, f"{threads()} {samples}".encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reader, 100) == b"[] []"
    os.close(reader)
    os.close(writer)
    assert len(threads()) == 1
    sampler.stop()


def test_a_process_that_never_stops_it_exits_quietly() -> None:
    code = """
from vizkit.tracking import system_metrics
system_metrics._FIRST_SECONDS = 0.0
import threading
seen = threading.Event()
system_metrics.SystemSampler(lambda values, step: seen.set(), every=1).start()
seen.wait(10)
"""
    done = python(code)
    assert (done.returncode, done.stderr) == (0, "")


# -- set-up -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("every", [0, 0.5, -1, math.nan, math.inf, "15", None, True])
def test_a_bad_interval_is_said_at_once(every: Any) -> None:
    with pytest.raises(DataError, match="seconds"):
        SystemSampler(lambda values, step: None, every=every)


def test_missing_psutil_is_said_with_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psutil", None)
    with pytest.raises(MissingDependencyError, match="pip install psutil"):
        SystemSampler(lambda values, step: None)
    assert issubclass(MissingDependencyError, VizKitError)
