"""A snapshot of this process, and of others."""

from __future__ import annotations

import importlib.metadata
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from tests.helpers import ROOT, python
from tests.unit.environment.repositories import repository as repository
from vizkit.environment import process_snapshot, snapshot
from vizkit.environment.process_snapshot import quick_snapshot


def test_variables_are_those_asked_for_but_never_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ABC_ONE", "ABC_KEY", "OTHER"):
        monkeypatch.setenv(name, "value")
    assert snapshot(allow=["ABC_*", "ABC_KEY"])["variables"] == {"ABC_ONE": "value"}


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

    known: dict[str, str] = {}
    installed = [path for path in sys.path if Path(path).name != "_vendor"]  # setuptools may be imported
    for found in importlib.metadata.distributions(path=installed):  # the first of a name is imported
        known.setdefault(plain(found.metadata["Name"]), found.version)
    assert {name: version for name, version in snapshot()["packages"].items() if name in known} == known


def test_copies_that_a_package_brings_are_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for directory in ("site", "site/setuptools/_vendor"):
        (tmp_path / directory / f"{Path(directory).name.strip('_')}-1.0.dist-info").mkdir(parents=True)
        monkeypatch.syspath_prepend(tmp_path / directory)
    packages = snapshot()["packages"]
    assert packages["site"] == "1.0" and "vendor" not in packages


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


def test_gpus_are_named_where_their_driver_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.unit.tracking.test_system_metrics import FakeNvml

    nvml = FakeNvml()
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    found = snapshot()
    assert found["gpus"] == [{"name": "Tesla A", "memory": 16_000_000_000}] * 2
    assert found["gpu_driver"] == "550.1"
    assert nvml.opened == 0


@pytest.mark.parametrize(
    ("seed", "kept"), [(7, 7), ("seven", "seven"), (1.5, 1.5), ([1, 2], "[1, 2]"), (None, None)]
)
def test_a_seed_is_kept_as_plain_data(seed: object, kept: object) -> None:
    assert quick_snapshot(seed=seed).get("seed") == kept


@pytest.mark.parametrize("server", ["vscode", "jupyter", None])
def test_a_notebook_is_named_by_its_server(server: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ipykernel", ModuleType("ipykernel"))
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    if server == "vscode":
        monkeypatch.setattr(sys.modules["__main__"], "__vsc_ipynb_file__", "/work/a.ipynb", raising=False)
    elif server == "jupyter":
        monkeypatch.setenv("JPY_SESSION_NAME", "/work/a.ipynb")
    found = quick_snapshot()
    assert (found["kind"], found.get("notebook")) == ("notebook", "/work/a.ipynb" if server else None)
    assert "script" not in found


def test_an_interactive_session_and_a_command_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [""])
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)  # of another test
    monkeypatch.delattr(sys, "ps1", raising=False)  # likewise, of a console
    assert quick_snapshot()["kind"] == "command"
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    assert quick_snapshot()["kind"] == "interactive"


def test_a_machine_without_procs_and_sysconf_is_described_by_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr("platform.processor", lambda: "arm")
    monkeypatch.delattr(os, "sysconf")
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    memory = SimpleNamespace(total=16_000_000_000)
    monkeypatch.setitem(sys.modules, "psutil", SimpleNamespace(virtual_memory=lambda: memory))
    hardware = quick_snapshot()["hardware"]
    assert hardware == {"cpu": "arm", "cpus": os.cpu_count(), "memory": 16_000_000_000}
    monkeypatch.setitem(sys.modules, "psutil", None)
    assert "memory" not in quick_snapshot()["hardware"]


def test_a_processor_without_a_name_is_named_by_its_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr("builtins.open", lambda *args, **options: io.StringIO("processor : 0\n"))
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    assert process_snapshot._cpu_model() == "riscv64"
