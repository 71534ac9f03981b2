"""The summary of a network: its layers, their output shapes and parameters."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import paddle
import pytest

from tests.helpers import series, stock
from vizkit import DataError, Tracker
from vizkit.hooks import summary


def net() -> paddle.nn.Layer:
    return paddle.nn.Sequential(
        ("features", paddle.nn.Sequential(paddle.nn.Conv2D(1, 2, 3), paddle.nn.BatchNorm2D(2))),
        ("flat", paddle.nn.Flatten()),
        ("fc", paddle.nn.Linear(72, 3)),
    )


def rows(text: str) -> dict[str, list[str]]:
    return {line.split()[0]: line.split()[1:] for line in text.partition("\n\n")[0].splitlines()}


def test_layers_shapes_and_parameters() -> None:
    network = net()
    for parameter in network.fc.parameters():
        parameter.stop_gradient = True
    text = summary(network, [paddle.rand([5, 1, 8, 8])])
    assert text.splitlines()[:4] == [
        "layer      type         output        parameters",
        "(network)  Sequential   [-, 3]",
        "features   Sequential   [-, 2, 6, 6]",
        "  0        Conv2D       [-, 2, 6, 6]  20",
    ]
    assert rows(text)["fc"] == ["Linear", "[-,", "3]", "219", "not", "trained"]
    assert rows(text)["1"][-1] == "8"
    assert text.splitlines()[-3:] == [
        "parameters  247 (0.00 MB)",  # the running mean and variance of 2 channels among them
        "trained     24",
        "not trained 223",
    ]


def test_shared_parameters_count_once() -> None:
    first = paddle.nn.Linear(4, 4)
    second = paddle.nn.Linear(4, 4, bias_attr=False)
    second.weight = first.weight
    text = summary(paddle.nn.Sequential(first, second), [paddle.rand([1, 4])])
    assert (rows(text)["0"][-1], rows(text)["1"][-1]) == ("20", "4]")
    assert "parameters  20 " in text


def test_several_inputs_and_outputs() -> None:
    class Two(paddle.nn.Layer):
        def forward(self, x: Any, y: Any) -> Any:
            return {"sum": x + y, "pair": [x, y.mean()]}, None

    text = summary(Two(), [paddle.rand([2, 3]), paddle.rand([2, 3])])
    assert "sum [-, 3], pair [-, 3], [], NoneType" in text


@pytest.mark.parametrize("inputs", [[], [paddle.rand([2, 5])]])
def test_without_a_pass_there_are_no_shapes(inputs: Any) -> None:
    text = summary(paddle.Model(net()), inputs)
    assert rows(text)["fc"] == ["Linear", "219"]


@pytest.mark.parametrize("static", [False, True])
def test_the_network_and_the_random_numbers_stay_as_they_are(static: bool) -> None:
    def drawn() -> Any:
        return random.random(), np.random.random(), paddle.rand([1]).item()  # noqa: NPY002

    def seeded() -> None:
        random.seed(0)
        np.random.seed(0)  # noqa: NPY002
        paddle.seed(0)

    network = paddle.nn.Sequential(net(), paddle.nn.Dropout(0.5))
    network[0].eval()
    if static:
        network = paddle.jit.to_static(network, full_graph=True)
    before = {name: value.numpy() for name, value in network.state_dict().items()}
    modes = [layer.training for layer in network.sublayers(include_self=True)]
    seeded()
    expected = drawn()
    seeded()
    assert "[-, 3]" in summary(network, [paddle.ones([4, 1, 8, 8])])
    assert drawn() == expected
    assert [layer.training for layer in network.sublayers(include_self=True)] == modes
    assert all((value.numpy() == before[name]).all() for name, value in network.state_dict().items())
    assert not [layer for layer in network.sublayers(include_self=True) if layer._forward_post_hooks]
    assert all(parameter.grad is None for parameter in network.parameters())


def test_only_networks_have_a_summary() -> None:
    with pytest.raises(DataError, match=r"paddle\.nn\.Layer"):
        summary(3)


def test_a_run_holds_it_once(tmp_path: Path) -> None:
    model = paddle.Model(net())
    model.prepare(paddle.optimizer.SGD(parameters=model.parameters()), paddle.nn.CrossEntropyLoss())
    data = [[paddle.rand([2, 1, 8, 8]), paddle.to_tensor([[0], [1]])]]
    for if_exists in ("new", "resume"):
        with Tracker(tmp_path, if_exists=if_exists) as tracker:
            model.fit(data, verbose=0, callbacks=tracker.callback())
    ((step, text),) = series(tmp_path, "model/summary")
    assert step == 0
    assert text == summary(model, data[0][:1])
    assert stock(tmp_path, "text", "model/summary")[0].text.encoded_text_string == text
