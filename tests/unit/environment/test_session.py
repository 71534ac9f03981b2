"""`environment.json`: how a run was made and how it ended, with real processes and repositories."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import ROOT, python
from vizkit.environment import FILE_NAME, Session, read_environment, session, snapshot
from vizkit.environment.git import git_state
from vizkit.environment.masking import is_secret_name, mask, mask_arguments
from vizkit.environment.processes import process_identity
from vizkit.errors import DataError, VizKitWarning


def git(directory: Path, *arguments: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main")
    done = subprocess.run(
        ["git", *who, *arguments], cwd=directory, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    root.mkdir()
    git(root, "init")
    (root / "train.py").write_text("rate = 0.1\n", "utf-8")
    git(root, "add", ".")
    git(root, "commit", "-m", "first")
    return root


# Begins a session in argv[1] and then does what a test says.
BEGIN = """
import os, signal, sys, time
from vizkit.environment import Session
session = Session(sys.argv[1])
"""


# -- secrets ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "BCE_AK", "bos_sk", "apiKey", "apikey", "--db-password",
     "DBPASSWORD", "MYSECRET", "wandb.api_key", "GIT_PAT", "Authorization", "X-Amz-Signature", "TOKEN2",
     "session_cookie"],
)  # fmt: skip
def test_names_of_secrets_are_known(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    ["max_tokens", "tokenizer", "monitor", "--passes", "author", "task", "FLAGS_use_mkldnn", "keyboard"],
)  # fmt: skip
def test_other_names_are_not_taken_for_secrets(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["--token=hunter2"], ["--token=***"]),
        (["--password", "hunter2", "--lr", "0.1"], ["--password", "***", "--lr", "0.1"]),
        (["--use-token", "--lr", "3"], ["--use-token", "--lr", "3"]),
        (["api_key=hunter2", "lr=0.1"], ["api_key=***", "lr=0.1"]),
        (["-o", "Global.secret=hunter2"], ["-o", "Global.secret=***"]),
        (['{"api_key": "hunter2", "lr": 1}'], ['{"api_key": "***", "lr": 1}']),
        (["mysql://me:hunter2@host/db"], ["mysql://***@host/db"]),
        (["me:hunter2@host:80"], ["***@host:80"]),
        (["https://h/x?token=hunter2&page=2"], ["https://h/x?token=***&page=2"]),
        (["-H", "Authorization: Basic hunter2hunter2"], ["-H", "Authorization: *** ***"]),
        (["ghp_" + "hunter2" * 5], ["***"]),
        (["git@github.com:a/b", "https://h/p@1.2"], ["git@github.com:a/b", "https://h/p@1.2"]),
        (["t.py", "--max-tokens", "512", "--epochs=3"], ["t.py", "--max-tokens", "512", "--epochs=3"]),
    ],
)  # fmt: skip
def test_secrets_in_arguments_are_masked_and_nothing_else(arguments: list[str], shown: list[str]) -> None:
    assert mask_arguments(arguments) == shown


def test_code_is_masked_by_shape_only() -> None:
    code = "f = lambda x:x@w  # basic concepts\nkey = 'train/loss'\nurl = 'http://me:hunter2@host'\n"
    assert mask(code) == code.replace("me:hunter2", "***")


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


def test_variables_are_those_asked_for_but_never_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ABC_ONE", "ABC_KEY", "OTHER"):
        monkeypatch.setenv(name, "value")
    assert snapshot(allow=["ABC_*", "ABC_KEY"])["variables"] == {"ABC_ONE": "value"}


# -- the snapshot ------------------------------------------------------------------------------------


def test_snapshot_says_what_runs_where(monkeypatch: pytest.MonkeyPatch) -> None:
    import numpy as np

    monkeypatch.setenv("PADDLE_TRAINER_ID", "3")
    monkeypatch.setenv("PADDLE_TRAINERS_NUM", "8")
    found = snapshot(seed=np.int64(7))
    assert json.loads(json.dumps(found)) == found
    assert (found["seed"], found["rank"], found["world_size"]) == (7, 3, 8)
    assert found["python"].split(".")[:2] == [str(part) for part in sys.version_info[:2]]
    assert (found["pid"], found["executable"]) == (os.getpid(), sys.executable)
    assert found["directory"] == os.getcwd()
    assert found["hardware"]["cpus"] == os.cpu_count()
    assert found["hardware"]["memory"] > 1e8
    assert found["hardware"]["cpu"]


def test_versions_of_packages_are_those_of_importlib() -> None:
    def plain(name: str) -> str:
        return re.sub(r"[-_.]+", "-", name).lower()

    known = {plain(d.metadata["Name"]): d.version for d in importlib.metadata.distributions()}
    assert {name: version for name, version in snapshot()["packages"].items() if name in known} == known


def test_a_script_is_named_and_its_repository_found_from_elsewhere(repository: Path, tmp_path: Path) -> None:
    script = repository / "train.py"
    script.write_text(
        "import json\nfrom vizkit.environment import snapshot\nprint(json.dumps(snapshot()))", "utf-8"
    )
    done = subprocess.run(
        [sys.executable, str(script), "--lr", "0.1"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    found = json.loads(done.stdout)
    assert (found["kind"], found["script"], found["directory"]) == ("script", str(script), str(tmp_path))
    assert found["command"] == [sys.executable, str(script), "--lr", "0.1"]
    assert found["git"]["root"] == str(repository)
    assert found["git"]["dirty"] is True


def test_importing_it_imports_nothing_heavy() -> None:
    code = (
        "import sys, vizkit.environment, vizkit.tracking.system_metrics\n"
        "print([m for m in ('paddle', 'visualdl', 'pandas', 'matplotlib', 'psutil') if m in sys.modules])"
    )
    assert python(code).stdout.strip() == "[]"


# -- git -----------------------------------------------------------------------------------------------


def test_a_clean_repository(repository: Path) -> None:
    assert git_state(str(repository)) == {
        "root": str(repository),
        "commit": git(repository, "rev-parse", "HEAD"),
        "branch": "main",
        "dirty": False,
        "untracked": [],
    }


def test_a_changed_repository_with_its_diff(repository: Path) -> None:
    git(repository, "remote", "add", "origin", "https://me:hunter2@example.com/x.git")
    git(repository, "config", "color.ui", "always")
    git(repository, "config", "diff.noprefix", "true")
    (repository / "train.py").write_text("rate = 0.2\n", "utf-8")
    (repository / "数据.py").write_text("new\n", "utf-8")
    (repository / "sub").mkdir()
    (repository / "sub" / "more.py").write_text("new\n", "utf-8")
    found = git_state(str(repository / "sub"))
    assert found["remote"] == "https://***@example.com/x.git"
    assert (found["dirty"], found["diff_truncated"], found["untracked"]) == (True, False, ["sub/", "数据.py"])
    assert "-rate = 0.1\n+rate = 0.2\n" in found["diff"]
    git(repository, "stash")
    subprocess.run(["git", "apply"], cwd=repository, input=found["diff"].encode(), check=True)
    assert (repository / "train.py").read_text("utf-8") == "rate = 0.2\n"


def test_a_large_diff_is_cut_at_a_line(repository: Path) -> None:
    lines = [f"line {number} {'x' * 50}\n" for number in range(100_000)]
    (repository / "train.py").write_text("".join(lines), "utf-8")
    found = git_state(str(repository))
    assert found["diff_truncated"] is True
    assert 199_000 < len(found["diff"]) <= 200_000
    last = found["diff"].splitlines(keepends=True)[-1]
    assert last[0] == "+" and last[1:] in lines


def test_git_runs_nothing_of_the_repository_and_takes_no_lock(repository: Path, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {mark}\n", "utf-8")
    program.chmod(0o755)
    for key in ("core.fsmonitor", "diff.external", "diff.mine.textconv"):
        git(repository, "config", key, str(program))
    (repository / ".gitattributes").write_text("*.py diff=mine\n", "utf-8")
    (repository / "train.py").write_text("rate = 0.2\n", "utf-8")
    index = repository / ".git" / "index"
    before = index.stat().st_mtime_ns
    found = git_state(str(repository))
    assert "+rate = 0.2" in found["diff"]
    assert not mark.exists()
    assert index.stat().st_mtime_ns == before
    subprocess.run(["git", "diff"], cwd=repository, check=True, capture_output=True)
    assert mark.exists()  # plain git does


def test_without_repository_or_git_there_is_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    assert git_state(str(tmp_path)) == {}
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_state(str(ROOT)) == {}


def test_a_git_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = tmp_path / "git"
    slow.write_text("#!/bin/sh\nsleep 60 & sleep 60\n", "utf-8")  # with a child that keeps the pipe open
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    began = time.monotonic()
    assert git_state(str(tmp_path), seconds=0.2) == {}
    assert time.monotonic() - began < 10


# -- the file --------------------------------------------------------------------------------------------


def test_a_session_is_running_and_then_finished(tmp_path: Path) -> None:
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
        ("os.kill(os.getpid(), signal.SIGKILL)", "killed", None),
        ("os._exit(0)", "killed", None),
    ],
)
def test_a_script_that_closes_nothing_has_its_end_known(
    tmp_path: Path, end: str, status: str, kept: dict[str, str] | None
) -> None:
    done = python(BEGIN + end, tmp_path)
    assert "vizkit" not in done.stderr
    found = read_environment(tmp_path)
    assert (found["status"], found.get("error")) == (status, kept)
    assert ("ended" in found) == (status != "killed")


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
        deadline = time.monotonic() + 10
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
    run._thread.join(10)
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
        free.wait(30)
        return {"git": {"commit": "abc"}}

    monkeypatch.setattr("vizkit.environment.session.slow_snapshot", slow)
    monkeypatch.setattr(session, "_EXIT_SECONDS", 0.01)
    run = Session(tmp_path)
    run.finish()
    assert read_environment(tmp_path)["status"] == "finished" and "git" not in read_environment(tmp_path)
    free.set()
    assert run._thread
    run._thread.join(10)  # an answer that comes late is kept all the same
    found = read_environment(tmp_path)
    assert (found["status"], found["git"]) == ("finished", {"commit": "abc"})


def test_a_process_ends_though_git_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = tmp_path / "git"
    slow.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 30\n", "utf-8")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    began = time.monotonic()
    done = python(BEGIN, tmp_path / "run")
    assert (done.returncode, done.stderr) == (0, "")
    assert time.monotonic() - began < 10
    assert read_environment(tmp_path / "run")["status"] == "finished"
    assert process_identity(int((tmp_path / "pid").read_text("utf-8"))) is None


def test_arguments_that_are_no_text_are_kept(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", BEGIN, str(tmp_path), b"\xff\xe4"], cwd=ROOT, check=True)
    assert os.fsencode(read_environment(tmp_path)["argv"][-1]) == b"\xff\xe4"


def test_gpus_are_named_where_their_driver_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.unit.tracking.test_system_metrics import FakeNvml

    nvml = FakeNvml()
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    found = snapshot()
    assert found["gpus"] == [{"name": "Tesla A", "memory": 16_000_000_000}] * 2
    assert found["gpu_driver"] == "550.1"
    assert nvml.opened == 0
