"""`tracker.log_model`: a network saved for inference, and left as it was."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import paddle
import pytest

from vizkit import DataError, Tracker, VizKitWarning, hooks


def network() -> paddle.nn.Sequential:
    paddle.seed(1)
    return paddle.nn.Sequential(paddle.nn.Linear(4, 3), paddle.nn.Dropout(0.3), paddle.nn.Linear(3, 1))


@pytest.mark.parametrize("static", [None, True, False])
def test_a_network_is_saved_for_inference_and_left_as_it_was(tmp_path: Path, static: bool | None) -> None:
    net = network()
    spec = [paddle.static.InputSpec([None, 4])]
    if static is not None:
        net = paddle.jit.to_static(net, full_graph=static)
        net(paddle.ones([1, 4]))
    forward = net.forward
    names = [parameter.name for parameter in net.parameters()]
    paddle.seed(5)
    drawn = paddle.rand([3]).numpy()
    paddle.seed(5)
    with Tracker(tmp_path) as tracker:
        handle = tracker.watch(net)
        path = tracker.log_model(net, spec)
        handle.remove()
    np.testing.assert_array_equal(paddle.rand([3]).numpy(), drawn)
    assert path == str(tmp_path / "inference")
    assert {file.name for file in tmp_path.glob("inference*")} == {"inference.json", "inference.pdiparams"}
    assert all(layer.training for layer in net.sublayers(include_self=True))
    assert net.forward == forward
    assert [parameter.name for parameter in net.parameters()] == names
    net.eval()
    x = paddle.ones([5, 4])
    np.testing.assert_allclose(paddle.jit.load(path)(x).numpy(), net(x).numpy(), rtol=1e-6)


def test_a_static_network_knows_its_inputs(tmp_path: Path) -> None:
    net = paddle.jit.to_static(network(), input_spec=[paddle.static.InputSpec([None, 4], name="x")])
    with Tracker(tmp_path) as tracker:
        assert tracker.log_model(net, name="net") == str(tmp_path / "net")


@pytest.mark.parametrize("name", ["vdlrecords", "my_vdlgraph", "model.pdmodel", "../up", ""])
def test_names_that_would_mislead_visualdl_are_refused(tmp_path: Path, name: str) -> None:
    with Tracker(tmp_path, strict=True) as tracker, pytest.raises(DataError, match="cannot name"):
        tracker.log_model(network(), [paddle.static.InputSpec([None, 4])], name=name)


def test_unknown_inputs_are_asked_for(tmp_path: Path) -> None:
    with Tracker(tmp_path) as tracker, pytest.warns(VizKitWarning, match="pass input_spec"):
        assert tracker.log_model(network()) is None


def test_only_networks_are_saved(tmp_path: Path) -> None:
    with Tracker(tmp_path) as tracker, pytest.raises(DataError, match=r"paddle\.Model, got 'net'"):
        hooks.log_model(tracker, "net")


def test_nothing_is_saved_in_static_mode(tmp_path: Path) -> None:
    net = network()
    with Tracker(tmp_path) as tracker:
        paddle.enable_static()
        try:
            with pytest.raises(DataError, match="disable_static"):
                hooks.log_model(tracker, net)
        finally:
            paddle.disable_static()


def test_a_remote_run_is_refused() -> None:
    tracker: Any = SimpleNamespace(logdir="memory://run")
    with pytest.raises(DataError, match="memory://run is remote"):
        hooks.log_model(tracker, network())
