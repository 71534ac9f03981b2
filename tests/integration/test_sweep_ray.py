"""`vizkit.sweep` on a real Ray cluster of two nodes, both on this machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import vizkit
from tests.helpers import PATIENCE, ROOT
from vizkit.errors import DataError, VizKitError
from vizkit.sweeps import Dimension
from vizkit.sweeps.space import Value

ray = pytest.importorskip("ray")
pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="Ray has clusters of two nodes on Linux alone"
)

SPACE: dict[str, Dimension | list[int]] = {"x": [0, 1, 2, 3]}


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))  # the nodes inherit it
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "resources": {"first": 1}})
        try:
            nodes.add_node(num_cpus=1, resources={"second": 1})
            ray.init(address=nodes.address, log_to_driver=False)
            yield
        finally:
            ray.shutdown()
            nodes.shutdown()


def test_trials_run_on_all_nodes_and_those_of_a_killed_process_again(cluster: None, tmp_path: Path) -> None:
    def train(hparams: dict[str, Value], tracker: vizkit.Tracker) -> None:
        x = hparams["x"]
        assert isinstance(x, int)
        tracker.log({"eval/acc": x}, step=0)
        node = ray.get_runtime_context().get_node_id()
        tracker.log_text("node", node, step=0)
        killed = tmp_path / "killed"
        if x == 1 and not killed.exists():
            killed.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        (tmp_path / f"node{node}").touch()
        while len(list(tmp_path.glob("node*"))) < 2:
            time.sleep(0.02)
        tracker.log({"eval/acc": x + 1}, step=1)

    result = vizkit.sweep(
        train, SPACE, logdir=tmp_path / "log", metric="eval/acc", workers=2, engine="ray", quiet=True
    )
    assert sorted(trial.value for trial in result.finished) == [1, 2, 3, 4] and len(result.trials) == 4
    assert len({str(run.texts("node")[0]) for run in result.runs}) == 2
    assert {run.status for run in result.runs} == {"finished"}
    runs = vizkit.load(tmp_path / "log")
    assert len(runs) == 5 and sum(run.status == "killed" for run in runs) == 1


def test_what_no_node_has_and_what_a_worker_cannot_go_on_with_is_said(cluster: None, tmp_path: Path) -> None:
    def train(hparams: dict[str, Value], tracker: vizkit.Tracker) -> None:
        tracker.log({"train/acc": 1.0}, step=0)

    options: dict[str, Any] = {"metric": "eval/acc", "engine": "ray", "quiet": True}
    with pytest.raises(DataError, match=r"no node of the Ray cluster has \{'CPU': 1, 'GPU': 8\}"):
        vizkit.sweep(train, SPACE, logdir=tmp_path / "a", resources={"GPU": 8}, **options)
    with pytest.raises(VizKitError, match="has recorded 'train/acc'"):
        vizkit.sweep(train, SPACE, logdir=tmp_path / "b", resources={"second": 1}, **options)


SCRIPT = """
import os, time
from pathlib import Path
import vizkit

hparams = vizkit.hparams()
with vizkit.Tracker("run", system=False) as tracker:
    tracker.log({"eval/acc": hparams["x"]}, step=0)
    print("training")
    Path(f"by{os.getppid()}").touch()
    while len(list(Path.cwd().glob("by*"))) < 2:
        time.sleep(0.02)
"""


def test_a_script_in_the_terminal_runs_on_the_cluster(cluster: None, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(SCRIPT, "utf-8")
    command = ["vizkit", "sweep", "--grid", "x=1,2,3", "--metric", "eval/acc", "--engine", "ray", "--json"]
    command += ["--workers", "2", "--resources", "CPU=1", "train.py"]
    address = ray.get_runtime_context().gcs_address
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=tmp_path,  # where the nodes are not
        env={**os.environ, "PYTHONPATH": str(ROOT), "RAY_ADDRESS": address},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["best"]["hparams"] == {"x": 3}
    assert [trial["state"] for trial in result["trials"]] == ["finished"] * 3
    assert len(list(tmp_path.glob("by*"))) == 2  # a worker of each node
