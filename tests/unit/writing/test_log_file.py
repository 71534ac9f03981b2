"""The log file under threads, forks, kills, full disks and damage."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.helpers import damage, python, stock
from vizkit import LogWriter, Tracker
from vizkit.errors import ClosedError, VizKitWarning
from vizkit.format import encode
from vizkit.format.decode import decode_record
from vizkit.format.frames import read_frames
from vizkit.writing.log_file import LogFile
from vizkit.writing.remote_log import RemoteLog
from vizkit.writing.worker import Worker


def frame(step: int, tag: str = "a") -> bytes:
    return encode.encode_scalar(
        encode.tag_field(tag), step / 3, encode.step_field(step), encode.walltime_field(1000)
    )


def steps(path: Path) -> list[int | float]:
    return [decode_record(data).step for data in read_frames(path.read_bytes())]


def path_in(tmp_path: Path) -> Path:
    return tmp_path / "vdlrecords.1.log"


def test_it_is_created_on_its_first_record_and_written_at_once(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "vdlrecords.1.log"
    log = LogFile(str(path))
    assert not path.exists()
    log.append(frame(0))
    assert steps(path) == [0]  # neither flushed nor closed
    log.append(frame(1) + frame(2))
    assert steps(path) == [0, 1, 2]


def test_a_new_log_begins_with_its_first_record(tmp_path: Path) -> None:
    for _ in range(2):  # the second time it is there already
        log = LogFile(str(path_in(tmp_path)), lambda: frame(77))
        log.append(frame(1))
        log.close()
    assert steps(path_in(tmp_path)) == [77, 1, 1]


def test_nothing_is_written_after_close(tmp_path: Path) -> None:
    log = LogFile(str(path_in(tmp_path)))
    log.append(frame(0))
    log.close()
    log.close()
    with pytest.raises(ClosedError, match=r"vdlrecords\.1\.log.*close"):
        log.append(frame(1))
    assert steps(path_in(tmp_path)) == [0]


@pytest.mark.parametrize("cut", [1, 8, 20])
def test_a_torn_tail_is_repaired_when_it_is_opened_again(tmp_path: Path, cut: int) -> None:
    path = path_in(tmp_path)
    path.write_bytes(b"".join(map(frame, range(5)))[:-cut])
    LogFile(str(path)).append(frame(9))
    assert steps(path) == [0, 1, 2, 3, 9]
    assert damage(path) == []


def test_damage_within_is_closed_and_a_copy_kept_that_is_no_log(tmp_path: Path) -> None:
    path = path_in(tmp_path)
    broken = frame(1) + b"\0" * 50 + frame(2) + frame(3)[:-3]
    path.write_bytes(broken)
    LogFile(str(path)).append(frame(9))
    assert steps(path) == [1, 2, 9]
    assert damage(path) == []
    (copy,) = [other for other in tmp_path.iterdir() if other != path]
    assert copy.read_bytes() == broken
    assert "vdlrecords" not in copy.name


def test_every_cut_is_repaired(tmp_path: Path) -> None:
    path = path_in(tmp_path)
    whole = b"".join(frame(step, "a" * (step + 1)) for step in range(4))
    for cut in range(1, len(whole)):
        path.write_bytes(whole[:cut])
        log = LogFile(str(path))
        log.append(frame(9))
        log.close()
        assert damage(path) == []
        assert steps(path)[-1] == 9


FOREIGN = b"no log, but it has the name of one\n" * 50


@pytest.mark.parametrize("before", [b"", frame(0) + frame(1)], ids=["whole", "behind records"])
@pytest.mark.parametrize("linked", [False, True])
def test_other_bytes_than_a_torn_record_are_kept(tmp_path: Path, before: bytes, linked: bool) -> None:
    """A packed log, a text: a run that is continued there writes its records, and destroys nothing."""
    path = log = tmp_path / "run" / "vdlrecords.1.log"
    path.parent.mkdir()
    if linked:
        path = tmp_path / "elsewhere"
        log.symlink_to(path)
    path.write_bytes(before + FOREIGN)
    LogFile(str(log)).append(frame(2))
    assert (tmp_path / "run" / "damaged.1.log.bak").read_bytes() == before + FOREIGN
    assert not damage(log) and steps(log) == ([0, 1, 2] if before else [2])
    assert not linked or path.read_bytes() == before + FOREIGN


@pytest.mark.parametrize("before", [b"", frame(0)], ids=["whole", "behind records"])
@pytest.mark.parametrize("size", [3, 8, 9, 20, 40])
@pytest.mark.parametrize("zeros", [0, 5, 3 << 20])
def test_what_a_kill_or_a_crash_leaves_is_cut_off_without_a_copy(
    tmp_path: Path, before: bytes, size: int, zeros: int
) -> None:
    log = tmp_path / "vdlrecords.1.log"
    torn = encode.encode_text("note", "x" * 100, 3, 1000)[:size]
    log.write_bytes(before + torn + bytes(zeros))
    LogFile(str(log)).append(frame(2))
    assert [path.name for path in tmp_path.iterdir()] == [log.name]
    assert steps(log) == ([0, 2] if before else [2])


def test_a_log_that_is_being_written_is_not_repaired_under_its_writer(tmp_path: Path) -> None:
    path = path_in(tmp_path)
    first = LogFile(str(path))
    first.append(frame(0))
    with path.open("ab") as torn:
        torn.write(frame(1)[:-4])
    LogFile(str(path)).append(frame(2))
    assert path.read_bytes() == frame(0) + frame(1)[:-4] + frame(2)


def test_threads_share_one_log(tmp_path: Path) -> None:
    log = LogFile(str(path_in(tmp_path)))

    def work(thread: int) -> None:
        for i in range(500):
            log.append(frame(i, f"thread{thread}"))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = [decode_record(data) for data in read_frames(path_in(tmp_path).read_bytes())]
    for i in range(8):
        assert [record.step for record in found if record.tag == f"thread{i}"] == list(range(500))
    assert damage(path_in(tmp_path)) == []


def test_two_writers_of_one_file_mix_whole_records(tmp_path: Path) -> None:
    code = """
import sys
from tests.unit.writing.test_log_file import frame
from vizkit.writing.log_file import LogFile
log = LogFile(sys.argv[1])
for i in range(3000): log.append(frame(i, sys.argv[2]))
"""
    command = [sys.executable, "-c", code, str(path_in(tmp_path))]
    writers = [subprocess.Popen([*command, name], cwd=Path(__file__).parents[3]) for name in "ab"]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    assert sorted(steps(path_in(tmp_path))) == sorted([*range(3000)] * 2)
    assert damage(path_in(tmp_path)) == []


def test_a_full_disk_leaves_whole_frames_and_writing_goes_on_when_there_is_room(tmp_path: Path) -> None:
    code = """
import resource, signal, sys
from tests.unit.writing.test_log_file import frame
from vizkit.writing.log_file import LogFile
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
log = LogFile(sys.argv[1])
log.append(frame(0))
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (len(frame(0)) + 10, hard))  # room for a part of the next
try:
    log.append(frame(1))
except OSError as error:
    print("refused", error.errno)
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
log.append(frame(2))
"""
    done = python(code, path_in(tmp_path))
    assert done.stdout.startswith("refused"), done.stderr
    assert path_in(tmp_path).read_bytes() == frame(0) + frame(2)


def test_a_forked_child_never_touches_its_parents_log(tmp_path: Path) -> None:
    log = LogFile(str(path_in(tmp_path)))
    log.append(frame(0))
    child = os.fork()
    if child == 0:
        status = 1
        try:
            with pytest.warns(VizKitWarning, match="parent process"):
                log.append(frame(1))
            log.close()
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    log.append(frame(2))
    assert steps(path_in(tmp_path)) == [0, 2]


def test_forking_amid_writes_of_other_threads_blocks_nobody(tmp_path: Path) -> None:
    """A lock or half a write that a child inherits would hang it or spoil the log."""
    log = LogFile(str(path_in(tmp_path)))
    worker = Worker()
    stop = threading.Event()
    written = [0, 0]

    def direct() -> None:
        while not stop.is_set():
            log.append(frame(written[0], "direct"))
            written[0] += 1

    def queued() -> None:
        while not stop.is_set():
            worker.submit(partial(log.append, frame(written[1], "queued")), 10)
            written[1] += 1

    threads = [threading.Thread(target=direct), threading.Thread(target=queued)]
    for thread in threads:
        thread.start()
    children = []
    for _ in range(20):
        child = os.fork()
        if child == 0:
            worker.drain()
            log.close()
            os._exit(0)
        children.append(child)
    stop.set()
    for thread in threads:
        thread.join(60)
    for child in children:
        assert os.waitpid(child, 0)[1] == 0
    worker.drain()
    found = [decode_record(data) for data in read_frames(path_in(tmp_path).read_bytes())]
    for index, tag in enumerate(("direct", "queued")):
        assert [record.step for record in found if record.tag == tag] == list(range(written[index]))
    assert damage(path_in(tmp_path)) == []


def test_the_child_of_a_dead_parent_does_not_hold_its_log(tmp_path: Path) -> None:
    """Else a resumed run could not repair what the parent left torn."""
    code = """
import os, sys, time
from tests.unit.writing.test_log_file import frame
from vizkit.writing.log_file import LogFile
log = LogFile(sys.argv[1])
log.append(frame(0))
if os.fork() == 0:
    print("forked", flush=True)
    time.sleep(60)
os._exit(0)
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(path_in(tmp_path))],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=Path(__file__).parents[3],
    )
    try:
        assert parent.stdout
        assert parent.stdout.readline() == "forked\n"
        parent.wait(60)
        with path_in(tmp_path).open("ab") as torn:
            torn.write(frame(1)[:-4])
        LogFile(str(path_in(tmp_path))).append(frame(2))
        assert steps(path_in(tmp_path)) == [0, 2]
    finally:
        os.killpg(parent.pid, signal.SIGKILL)
        if parent.stdout:
            parent.stdout.close()


@pytest.mark.parametrize("seed", range(5))
def test_sigkill_loses_nothing_that_a_call_returned_from(tmp_path: Path, seed: int) -> None:
    code = """
import math, os, sys
from vizkit import LogWriter
from vizkit.writing import paced_log
paced_log._AT_ONCE_SECONDS = math.inf  # however slow the machine's disk is
writer = LogWriter(sys.argv[1])
done = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
step = 0
while True:
    writer.add_scalar("loss", step / 3, step)
    os.write(done, b".")
    step += 1
"""
    returned = tmp_path / "returned"
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "run"), str(returned)])
    while not returned.exists() or not returned.stat().st_size:
        assert process.poll() is None
        time.sleep(0.005)
    time.sleep(random.Random(seed).uniform(0, 0.1))
    process.send_signal(signal.SIGKILL)
    process.wait()
    (log,) = (tmp_path / "run").iterdir()
    found = [decode_record(data) for data in read_frames(log.read_bytes())]
    values = [(record.step, record.data) for record in found if record.tag == "loss"]
    count = returned.stat().st_size
    assert len(values) in (count, count + 1)  # killed between the two writes
    assert values == [(step, step / 3) for step in range(len(values))]
    # The kernel may end a write that crosses a page: of a record whose call had not returned.
    assert all(torn.end == log.stat().st_size for torn in damage(log))
    with LogWriter(log.parent) as writer:  # resuming repairs it
        writer.add_scalar("loss", 0, None)
    assert damage(log) == []
    assert len(stock(log.parent, "scalar", "loss")) == len(values) + 1


def test_exit_without_close_loses_nothing(tmp_path: Path) -> None:
    code = """
import sys, numpy as np
from vizkit import LogWriter, Tracker
writer = LogWriter(sys.argv[1])
for step in range(50):
    writer.add_scalar("loss", step, step)
    writer.add_image("image", np.zeros((64, 64, 3), np.uint8), step)
"""
    done = python(code, tmp_path)
    assert done.returncode == 0, done.stderr
    (log,) = tmp_path.iterdir()
    found = [decode_record(data) for data in read_frames(log.read_bytes())]
    for tag in ("loss", "image"):
        assert [record.step for record in found if record.tag == tag] == list(range(50))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_child_of_multiprocessing_loses_nothing_either(tmp_path: Path, method: str) -> None:
    """Such children end without `atexit`."""
    context: Any = multiprocessing.get_context(method)
    child = context.Process(target=record_images, args=(str(tmp_path / "run"),))
    child.start()
    child.join(120)
    assert child.exitcode == 0
    (log,) = (tmp_path / "run").glob("vdlrecords*")
    found = [decode_record(data) for data in read_frames(log.read_bytes())]
    assert [record.step for record in found if record.tag == "image"] == list(range(8))


def record_images(directory: str) -> None:
    from vizkit import LogWriter

    writer = LogWriter(directory)
    for step in range(8):
        writer.add_image("image", np.random.default_rng(step).random((300, 300)), step, dataformats="HW")


def test_logs_with_a_scheme_go_through_visualdls_file_layer(memory: str, tmp_path: Path) -> None:
    log = RemoteLog(memory + "run/vdlrecords.1.log", lambda: frame(0))
    log.append(frame(1))
    log.append(frame(2))
    log.close()
    assert steps(tmp_path / "run" / "vdlrecords.1.log") == [0, 1, 2]
    with pytest.raises(ClosedError):
        log.append(frame(3))


def test_a_tracker_records_into_a_directory_with_a_scheme(memory: str, tmp_path: Path) -> None:
    import paddle

    with Tracker(memory + "remote/run", hparams={"lr": 1}) as tracker:
        tracker.log({"loss": 0.5})
        tracker.log_histogram("h", [1, 2, 3])
        tracker.log_graph(paddle.nn.Linear(2, 2), [paddle.static.InputSpec([-1, 2])])
    (log,) = (tmp_path / "remote" / "run").glob("vdlrecords*")
    found = [decode_record(data) for data in read_frames(log.read_bytes())]
    assert [record.kind for record in found] == ["meta_data", "hparams", "scalar", "histogram"]
    assert len(list((tmp_path / "remote" / "run").glob("vdlgraph*"))) == 1
    assert not tracker.lost


def test_what_one_write_did_not_take_is_written_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = LogFile(str(path_in(tmp_path)))
    monkeypatch.setattr("vizkit.writing.log_file._os_write", lambda fd, data: os.write(fd, data[:5]))
    log.append(frame(0) + frame(1))
    log.append(frame(2))
    assert steps(path_in(tmp_path)) == [0, 1, 2]
    assert damage(path_in(tmp_path)) == []


def test_a_log_that_cannot_be_begun_is_begun_at_the_next_record(tmp_path: Path) -> None:
    ready: list[bool] = []

    def first() -> bytes:
        if not ready:
            raise OSError(28, "No space left on device")
        return frame(77)

    log = LogFile(str(path_in(tmp_path)), first)
    with pytest.raises(OSError, match="No space"):
        log.append(frame(0))
    ready.append(True)
    log.append(frame(1))
    assert steps(path_in(tmp_path)) == [77, 1]


def test_a_remote_log_that_is_there_is_appended_to(memory: str, tmp_path: Path) -> None:
    for number in range(2):
        log = RemoteLog(memory + "run/vdlrecords.1.log", lambda: frame(77))
        log.append(frame(number))
        log.close()
        log.close()
    assert steps(tmp_path / "run" / "vdlrecords.1.log") == [77, 0, 1]
    RemoteLog(memory + "run/vdlrecords.2.log").close()  # nothing was recorded
    assert not (tmp_path / "run" / "vdlrecords.2.log").exists()


@pytest.mark.parametrize("goes_on", [False, True])
def test_a_remote_log_that_is_deleted_is_counted_at_its_end(
    memory: str, tmp_path: Path, goes_on: bool
) -> None:
    tracker = Tracker(memory + "run", system=False)
    tracker.log({"loss": 0.5}, 0)
    next((tmp_path / "run").iterdir()).unlink()
    if goes_on:
        tracker.log({"loss": 0.5}, 1)
    with pytest.warns(VizKitWarning, match="log: not recorded: .*deleted while it was recorded"):
        tracker.close()
        tracker.close()
    assert tracker.lost == {"log": 1}


def test_errors_of_a_remote_system_are_counted(
    memory: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise LookupError("no such bucket")

    writer = LogWriter(memory + "run")
    writer.add_scalar("loss", 0.5, 0)
    with monkeypatch.context() as patch:
        patch.setattr("visualdl.io.bfile.BFile.write", refuse)
        with pytest.warns(VizKitWarning, match="loss: not recorded: .*LookupError: no such bucket"):
            writer.add_scalar("loss", 0.5, 1)
    writer.add_scalar("loss", 0.5, 2)
    writer.close()
    (log,) = (tmp_path / "run").iterdir()
    *kept, last = (decode_record(data) for data in read_frames(log.read_bytes()))
    assert [record.step for record in kept if record.kind == "scalar"] == [0, 2]
    assert last.lost["loss"][0] == 1
