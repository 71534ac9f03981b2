"""`vizkit.sweep` on a real Ray cluster of two nodes, both on this machine."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import vizkit
from tests.helpers import ROOT
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
