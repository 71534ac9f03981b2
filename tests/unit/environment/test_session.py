"""`environment.json`: how a run was made and how it ended, with real processes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import PATIENCE, ROOT, python
from tests.unit.environment.repositories import repository as repository
from vizkit.environment import FILE_NAME, Session, read_environment, session
from vizkit.environment.git import git_state
from vizkit.environment.processes import process_identity
from vizkit.errors import DataError, VizKitWarning

BEGIN = """
import os, signal, sys, time
from vizkit.environment import Session
session = Session(sys.argv[1])
"""


def test_no_secret_of_environment_or_command_line_reaches_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PADDLE_API_TOKEN", "hunter2")
    monkeypatch.setenv("MY_PASSWORD", "hunter2")
    monkeypatch.setenv("FLAGS_store", "http://me:hunter2@host/store")
    monkeypatch.setenv("FLAGS_benchmark", "1")
    monkeypatch.setenv("HOME_ADDRESS", "elsewhere")
    code = BEGIN + "raise ValueError('no http://me:hunter2@host')"
    python(code, tmp_path, "--token", "hunter2", "--password=hunter2", "--lr=0.1")
    text = (tmp_path / FILE_NAME).read_text("utf-8")
    assert "hunter2" not in text and "elsewhere" not in text
    found = read_environment(tmp_path)
    assert found["argv"] == ["-c", str(tmp_path), "--token", "***", "--password=***", "--lr=0.1"]
    assert found["variables"]["FLAGS_benchmark"] == "1"
    assert found["variables"]["FLAGS_store"] == "http://***@host/store"
    assert "PADDLE_API_TOKEN" not in found["variables"]


def test_a_session_is_running_and_then_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "_EXIT_SECONDS", PATIENCE)  # however slow git is
    run = Session(tmp_path / "new" / "run", seed=3)
    found = read_environment(tmp_path / "new" / "run")
    assert (found["status"], found["pid"], found["seed"], found["sessions"]) == (
        "running",
        os.getpid(),
        3,
        [],
    )
    assert "ended" not in found
    run.finish()
    run.finish(error=ValueError("too late"))
    found = read_environment(tmp_path / "new" / "run")
    assert found["status"] == "finished" and "error" not in found
    assert time.time() * 1000 - 60_000 < found["started"] <= found["ended"] <= time.time() * 1000
    assert found["git"]["root"]  # what the thread found
    raw = json.loads((tmp_path / "new" / "run" / FILE_NAME).read_text("utf-8"))
    found["git"].pop("diff", None)  # in a file of its own
    assert raw == {"format": 1, **found}


@pytest.mark.parametrize(
    ("error", "status", "kept"),
    [
        (None, "finished", None),
        (SystemExit(0), "finished", None),
        (SystemExit(0.0), "failed", {"type": "SystemExit", "message": "0.0"}),
        (SystemExit(3), "failed", {"type": "SystemExit", "message": "3"}),
        (KeyboardInterrupt(), "interrupted", {"type": "KeyboardInterrupt", "message": ""}),
        (
            ValueError("bad " + "x" * 10_000),
            "failed",
            {"type": "ValueError", "message": "bad " + "x" * 3_996},
        ),
        (DataError("no"), "failed", {"type": "vizkit.errors.DataError", "message": "no"}),
    ],
)
def test_the_end_is_what_the_error_says(
    tmp_path: Path, error: BaseException | None, status: str, kept: dict[str, str] | None
) -> None:
    Session(tmp_path).finish(error=error)
    found = read_environment(tmp_path)
    assert (found["status"], found.get("error")) == (status, kept)


def test_a_status_can_be_said(tmp_path: Path) -> None:
    Session(tmp_path).finish("interrupted")
    assert read_environment(tmp_path)["status"] == "interrupted"


@pytest.mark.parametrize(
    ("end", "status", "kept"),
    [
        ("", "finished", None),
        ("raise ValueError('bad')", "failed", {"type": "ValueError", "message": "bad"}),
        ("raise KeyboardInterrupt", "interrupted", {"type": "KeyboardInterrupt", "message": ""}),
        ("sys.exit()", "finished", None),
        ("sys.exit(False)", "finished", None),
        ("sys.exit(3)", "failed", {"type": "SystemExit", "message": "3"}),
        ("raise SystemExit('no data')", "failed", {"type": "SystemExit", "message": "no data"}),
        ("exit(True)", "failed", {"type": "SystemExit", "message": "True"}),
        (
            "import argparse; argparse.ArgumentParser().error('')",
            "failed",
            {"type": "SystemExit", "message": "2"},
        ),
        ("import contextlib\nwith contextlib.suppress(SystemExit): sys.exit(2)", "finished", None),
        (
            "import threading\nfor end in (sys.exit, lambda: 1 / 0): threading.Thread(target=end).start()",
            "finished",
            None,
        ),
        ("os.kill(os.getpid(), signal.SIGKILL)", "killed", None),
        ("os._exit(0)", "killed", None),
    ],
)
def test_a_script_that_closes_nothing_has_its_end_known(
    tmp_path: Path, end: str, status: str, kept: dict[str, str] | None
) -> None:
    done = python(BEGIN + end, tmp_path)
    assert "vizkit" not in done.stderr
    assert done.stderr.count("Error") == end.count("1 / 0") + end.count("ValueError")
    found = read_environment(tmp_path)
    assert (found["status"], found.get("error")) == (status, kept)
    assert ("ended" in found) == (status != "killed")


@pytest.mark.parametrize(
    ("end", "status", "kept"),
    [
        ("1 / 0", "failed", {"type": "ZeroDivisionError", "message": "division by zero"}),
        ("sys.exit(3)", "failed", {"type": "SystemExit", "message": "3"}),
        ("sys.exit()", "finished", None),
        ("pass", "finished", None),
        ("session.finish(); 1 / 0", "finished", None),
    ],
)
def test_a_session_that_a_thread_began_ends_as_the_thread(
    tmp_path: Path, end: str, status: str, kept: dict[str, str] | None
) -> None:
    code = f"""
import sys, threading
from vizkit.environment import Session, read_environment

def train(directory):
    session = Session(directory)
    {end}

other = threading.Thread(target=train, args=(sys.argv[1] + "/others",))
other.start()
other.join()
Session(sys.argv[1] + "/main")
thread = threading.Thread(target=train, args=(sys.argv[1] + "/threads",))
thread.start()
thread.join()
"""
    done = python(code, tmp_path)
    assert done.returncode == 0 and done.stderr.count("ZeroDivisionError") == 2 * end.count("1 / 0")
    for name in ("threads", "others"):
        found = read_environment(tmp_path / name)
        assert (found["status"], found.get("error")) == (status, kept) and "ended" in found
    assert read_environment(tmp_path / "main")["status"] == "finished"


CHILD = """
import multiprocessing, sys
from vizkit.environment import Session

def train(directory, end):
    Session(directory)
    exec(end)

if __name__ == "__main__":
    child = multiprocessing.get_context(sys.argv[3]).Process(target=train, args=sys.argv[1:3])
    child.start()
    child.join()
"""


@pytest.mark.parametrize("way", ["fork", "spawn"])
@pytest.mark.parametrize(
    ("end", "status"), [("", "finished"), ("raise ValueError", "failed"), ("raise SystemExit(2)", "failed")]
)
def test_the_end_of_a_process_of_multiprocessing_is_known(
    tmp_path: Path, way: str, end: str, status: str
) -> None:
    script = tmp_path / "script.py"
    script.write_text(CHILD, "utf-8")
    command = [sys.executable, str(script), str(tmp_path / "run"), end, way]
    subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, capture_output=True)
    assert read_environment(tmp_path / "run")["status"] == status


def test_a_running_process_is_running_until_it_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", BEGIN + "print('ready', flush=True); time.sleep(60)", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as child:
        assert child.stdout and child.stdout.readline() == b"ready\n"
        assert read_environment(tmp_path)["status"] == "running"
        child.send_signal(signal.SIGKILL)
        child.stdout.read()  # ends with the process, which nobody has waited for yet
        deadline = time.monotonic() + 60
        while read_environment(tmp_path)["status"] == "running" and time.monotonic() < deadline:
            time.sleep(0.005)
        assert read_environment(tmp_path)["status"] == "killed"
    assert read_environment(tmp_path)["pid"] == child.pid


def change(directory: Path, **values: Any) -> None:
    path = directory / FILE_NAME
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **values}), "utf-8")


def test_a_number_that_another_process_has_now_is_not_taken_for_the_run(tmp_path: Path) -> None:
    Session(tmp_path).finish()
    identity = read_environment(tmp_path)["process"]
    change(tmp_path, status="running", pid=os.getpid(), process=identity + "0")
    assert read_environment(tmp_path)["status"] == "killed"
    change(tmp_path, process=identity)
    assert read_environment(tmp_path)["status"] == "running"


@pytest.mark.skipif(sys.platform != "linux", reason="boots and namespaces are Linux's")
def test_other_machines_and_containers_are_believed_and_reboots_seen(tmp_path: Path) -> None:
    Session(tmp_path).finish()
    boot, namespace, ticks = read_environment(tmp_path)["process"].split("/")
    change(tmp_path, status="running", host="elsewhere", pid=2**22 + 1)
    assert read_environment(tmp_path)["status"] == "running"
    change(tmp_path, host=os.uname().nodename, process=f"{boot}/{namespace}1/{ticks}")
    assert read_environment(tmp_path)["status"] == "running"
    change(tmp_path, process=f"{boot}1/{namespace}1/{ticks}")
    assert read_environment(tmp_path)["status"] == "killed"


def test_a_resumed_run_keeps_a_session_for_each_process(tmp_path: Path) -> None:
    python(BEGIN + "os.kill(os.getpid(), signal.SIGKILL)", tmp_path)
    python(BEGIN + "raise ValueError('bad')", tmp_path)
    Session(tmp_path).finish()
    found = read_environment(tmp_path)
    assert [s["status"] for s in [*found["sessions"], found]] == ["killed", "failed", "finished"]
    assert len({s["pid"] for s in [*found["sessions"], found]}) == 3
    Session(tmp_path, resume=False).finish()
    assert read_environment(tmp_path)["sessions"] == []


def test_an_earlier_session_elsewhere_that_never_ended_was_killed(tmp_path: Path) -> None:
    Session(tmp_path).finish()
    change(tmp_path, status="running", host="elsewhere")
    Session(tmp_path).finish()
    assert [s["status"] for s in read_environment(tmp_path)["sessions"]] == ["killed"]


def test_processes_that_record_one_run_at_once_lose_no_session(tmp_path: Path) -> None:
    code = BEGIN + "session.finish()"
    children = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT) for _ in range(5)]
    assert [child.wait(30) for child in children] == [0] * 5
    found = read_environment(tmp_path)
    every = [*found["sessions"], found]
    assert {s["pid"] for s in every} == {child.pid for child in children}
    assert [s["status"] for s in every] == ["finished"] * 5


def test_sessions_share_a_diff_that_lies_in_a_file_of_its_own(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repository / "train.py").write_text("rate = 0.2\n", "utf-8")
    monkeypatch.setattr(session, "slow_snapshot", lambda: {"git": git_state(str(repository))})
    run = tmp_path / "run"
    for _ in range(2):
        Session(run).finish()
    (repository / "train.py").write_text("rate = 0.3\n", "utf-8")
    Session(run).finish()
    found = read_environment(run)
    diffs = [s["git"]["diff"] for s in [*found["sessions"], found]]
    assert [diff.splitlines()[-1] for diff in diffs] == ["+rate = 0.2", "+rate = 0.2", "+rate = 0.3"]
    assert len(list(run.glob("environment.*.diff"))) == 2
    assert (run / found["git"]["diff_file"]).read_text("utf-8") == diffs[-1]
    assert "rate = 0" not in (run / FILE_NAME).read_text("utf-8")
    monkeypatch.undo()
    change(run, git={"diff_file": "../repository/train.py"})
    assert read_environment(run)["git"] == {"diff_file": "../repository/train.py"}
    monkeypatch.setattr(session, "slow_snapshot", dict)
    Session(run, resume=False).finish()
    assert os.listdir(run) == [FILE_NAME]


def test_a_damaged_file_is_said_and_kept(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text('{"status": "run', "utf-8")
    with pytest.raises(DataError, match="move it away"):
        read_environment(tmp_path)
    Session(tmp_path).finish()
    assert read_environment(tmp_path)["status"] == "finished"
    assert (tmp_path / f"damaged.{FILE_NAME}").read_text("utf-8") == '{"status": "run'


@pytest.mark.parametrize("content", ["[]", '{"sessions": [1]}', "\x00\x00"])
def test_other_json_is_damage_too(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE_NAME).write_text(content, "utf-8")
    with pytest.raises(DataError, match=FILE_NAME):
        read_environment(tmp_path)


def test_nothing_is_known_of_other_directories(tmp_path: Path) -> None:
    assert read_environment(tmp_path) == read_environment(tmp_path / "none") == {}
    assert read_environment("memory://run") == {}


def test_a_remote_directory_gets_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Session("memory://run").finish()
    assert os.listdir(tmp_path) == []


def test_a_deleted_run_stays_deleted(tmp_path: Path) -> None:
    run = Session(tmp_path / "run")
    assert run._thread
    run._thread.join(60)
    shutil.rmtree(tmp_path / "run")
    run.finish()
    assert os.listdir(tmp_path) == []


def test_a_file_that_cannot_be_written_is_told_and_not_raised(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    told: list[tuple[str, Exception]] = []
    Session(tmp_path / "file" / "run", on_error=lambda tag, error: told.append((tag, error))).finish()
    assert told[0][0] == "environment" and isinstance(told[0][1], OSError)
    with pytest.warns(VizKitWarning, match="environment: not recorded") as warned:
        session._warn("environment", told[0][1])
    assert len(warned) == 1


def test_a_forked_child_does_not_end_the_run(tmp_path: Path) -> None:
    run = Session(tmp_path)
    if (child := os.fork()) == 0:
        run.finish(error=ValueError("the child's"))
        os._exit(0)
    os.waitpid(child, 0)
    assert read_environment(tmp_path)["status"] == "running"
    run.finish()
    assert read_environment(tmp_path)["status"] == "finished"


def test_slow_git_holds_up_neither_start_nor_end_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = threading.Event()

    def slow(*args: object, **options: object) -> dict[str, Any]:
        free.wait(60)
        return {"git": {"commit": "abc"}}

    monkeypatch.setattr("vizkit.environment.session.slow_snapshot", slow)
    monkeypatch.setattr(session, "_EXIT_SECONDS", 0.01)
    run = Session(tmp_path)
    run.finish()
    assert read_environment(tmp_path)["status"] == "finished" and "git" not in read_environment(tmp_path)
    free.set()
    assert run._thread
    run._thread.join(60)  # an answer that comes late is kept all the same
    found = read_environment(tmp_path)
    assert (found["status"], found["git"]) == ("finished", {"commit": "abc"})


def test_a_process_ends_though_git_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = tmp_path / "git"
    slow.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 60\n", "utf-8")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    began = time.monotonic()
    done = python(BEGIN, tmp_path / "run")
    assert (done.returncode, done.stderr) == (0, "")
    assert time.monotonic() - began < 50
    assert read_environment(tmp_path / "run")["status"] == "finished"
    assert process_identity(int((tmp_path / "pid").read_text("utf-8"))) is None


def test_arguments_that_are_no_text_are_kept(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", BEGIN, str(tmp_path), b"\xff\xe4"], cwd=ROOT, check=True)
    assert os.fsencode(read_environment(tmp_path)["argv"][-1]) == b"\xff\xe4"


def test_a_session_that_no_snapshot_or_thread_could_be_had_for_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **options: object) -> None:
        raise RuntimeError("can't start new thread")

    told: list[tuple[str, str]] = []
    with monkeypatch.context() as patch:
        patch.setattr(session, "quick_snapshot", fail)
        patch.setattr(threading.Thread, "start", fail)
        run = Session(tmp_path, on_error=lambda tag, error: told.append((tag, str(error))))
    assert told == [("environment", "can't start new thread")]
    assert repr(run) == f"Session({str(tmp_path)!r}, running)"
    run.finish()
    assert read_environment(tmp_path)["status"] == "finished"


def test_a_slow_snapshot_that_fails_to_be_kept_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(directory: str, diff: str) -> str:
        raise OSError(28, "No space left on device")

    told: list[str] = []
    monkeypatch.setattr(session, "slow_snapshot", lambda: {"git": {"commit": "abc", "diff": "+x"}})
    monkeypatch.setattr(session, "write_diff", full)
    monkeypatch.setattr(session, "_EXIT_SECONDS", 60)
    Session(tmp_path, on_error=lambda tag, error: told.append(str(error))).finish()
    assert told == ["[Errno 28] No space left on device"]
    assert read_environment(tmp_path)["git"] == {"commit": "abc"}


def test_an_error_without_a_message_is_kept_and_nothing_follows_the_end(tmp_path: Path) -> None:
    class SilentError(Exception):
        def __str__(self) -> str:
            raise ValueError

    run = Session(tmp_path)
    run.finish(error=SilentError())
    found = read_environment(tmp_path)
    assert found["status"] == "failed"
    assert found["error"]["type"].endswith("SilentError") and found["error"]["message"] == ""
    run.fail(ValueError("late"))
    run.go_on()
    run.finish("finished")
    assert read_environment(tmp_path) == found


def test_a_failed_training_that_goes_on_is_running_again(tmp_path: Path) -> None:
    run = Session(tmp_path)
    run.go_on()  # nothing has failed yet
    run.fail(ValueError("out of memory"))
    found = read_environment(tmp_path)
    assert (found["status"], found["error"]["message"]) == ("failed", "out of memory")
    run.go_on()
    found = read_environment(tmp_path)
    assert found["status"] == "running" and "error" not in found and "ended" not in found
    run.fail(ValueError("again"))
    run.finish()
    assert read_environment(tmp_path)["error"]["message"] == "again"
