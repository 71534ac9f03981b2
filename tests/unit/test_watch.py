from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import paddle
import pytest

from tests.helpers import by_tag, series
from vizkit import DataError, Tracker, VizKitWarning


def network() -> paddle.nn.Sequential:
    paddle.seed(1)
    return paddle.nn.Sequential(paddle.nn.Linear(4, 3), paddle.nn.Dropout(0.3), paddle.nn.Linear(3, 1))


def train(
    net: Any,
    steps: int,
    tracker: Tracker | None = None,
    between: Callable[[int], None] | None = None,
    explicit: bool = True,
) -> None:
    parameters = [parameter for parameter in net.parameters() if not parameter.stop_gradient]
    optimizer = paddle.optimizer.Adam(
        0.05, parameters=parameters, grad_clip=paddle.nn.ClipGradByGlobalNorm(0.01)
    )
    rng = np.random.default_rng(0)
    for step in range(steps):
        x = paddle.to_tensor(rng.normal(size=(8, 4)).astype("float32"))
        loss = (net(x) ** 2).mean()
        loss.backward()
        if between is not None:
            between(step)
        optimizer.step()
        optimizer.clear_grad()
        if tracker is not None:
            tracker.log({"train/loss": loss}, step=step if explicit else None)


def same(histogram: Any, values: np.ndarray) -> bool:
    """Whether it is the histogram of these values, as far as it tells."""
    if not np.ptp(values):
        return bool(histogram.counts.sum() == values.size)
    ends = histogram.edges[[0, -1]]
    return bool(histogram.counts.sum() == values.size and np.allclose(ends, [values.min(), values.max()]))


@pytest.mark.parametrize("explicit", [True, False])
def test_weights_and_gradients_are_recorded_at_their_steps(tmp_path: Path, explicit: bool) -> None:
    net = network()
    weights, gradients = [net[0].weight.numpy().copy()], []

    def note(step: int) -> None:
        if step:
            weights.append(net[0].weight.numpy().copy())
        gradients.append(net[0].weight.grad.numpy().copy())

    with Tracker(tmp_path) as tracker:
        handle = tracker.watch(net, every=3)
        train(net, 8, tracker, note, explicit)
        handle.remove()
    weights.append(net[0].weight.numpy().copy())
    tags = by_tag(tmp_path)
    names = ["0/weight", "0/bias", "2/weight", "2/bias"]
    assert {tag for tag in tags if tag != "train/loss"} == {
        f"{kind}/{name}" for kind in ("weights", "gradients") for name in names
    }
    for name in names:
        assert [record.step for record in tags[f"weights/{name}"]] == [0, 3, 6]
        assert [record.step for record in tags[f"gradients/{name}"]] == [0, 3, 6]
    for record in tags["gradients/0/weight"]:  # as they were before clipping
        assert same(record.data, gradients[int(record.step)])
    first, *later = tags["weights/0/weight"]
    assert same(first.data, weights[0])  # what training started from
    for record in later:  # after the update
        assert same(record.data, weights[int(record.step) + 1])
    assert [step for step, _ in series(tmp_path, "train/loss")] == list(range(8))


def test_training_is_bit_identical(tmp_path: Path) -> None:
    results = []
    for run in (None, tmp_path):
        net = network()
        if run is None:
            train(net, 50)
        else:
            with Tracker(run) as tracker:
                tracker.watch(net, every=1)
                train(net, 50, tracker)
        results.append([*(parameter.numpy() for parameter in net.parameters()), paddle.rand([1]).numpy()])
    for without, having in zip(*results, strict=True):
        np.testing.assert_array_equal(without, having)


def test_nothing_stays_behind(tmp_path: Path) -> None:
    net = network()
    before = [sorted(vars(layer)) for layer in net.sublayers(include_self=True)]
    with Tracker(tmp_path) as tracker:
        handle = tracker.watch(net, every=1)
        train(net, 3, tracker)
        net(paddle.ones([1, 4]))  # armed for gradients that never come
        handle.remove()
        handle.remove()
        tracker.flush()
        recorded = len(by_tag(tmp_path)["gradients/0/weight"])
        train(net, 3)
    assert not [*net._forward_pre_hooks, *net._forward_post_hooks]
    assert [sorted(vars(layer)) for layer in net.sublayers(include_self=True)] == before
    assert not handle._handles
    assert len(by_tag(tmp_path)["gradients/0/weight"]) == recorded


def test_frozen_and_shared_parameters(tmp_path: Path) -> None:
    class Tied(paddle.nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.frozen = (paddle.nn.Linear(4, 4) for _ in range(3))
            self.b.weight = self.a.weight
            for parameter in self.frozen.parameters():
                parameter.stop_gradient = True

        def forward(self, x: Any) -> Any:
            return self.frozen(self.b(self.a(x)))

    net = Tied()
    gradient = []
    with Tracker(tmp_path) as tracker:
        tracker.watch(net, every=2)
        train(net, 2, tracker, lambda step: gradient.append(net.a.weight.grad.numpy().copy()))
    tags = by_tag(tmp_path)
    assert {tag for tag in tags if tag.startswith("weights/")} == {
        f"weights/{name}" for name in ("a/weight", "a/bias", "b/bias", "frozen/weight", "frozen/bias")
    }
    assert {tag for tag in tags if tag.startswith("gradients/")} == {
        "gradients/a/weight", "gradients/a/bias", "gradients/b/bias"
    }  # fmt: skip
    assert same(tags["gradients/a/weight"][0].data, gradient[0])


def test_a_frozen_network_has_weights_alone(tmp_path: Path) -> None:
    net = network()
    for parameter in net.parameters():
        parameter.stop_gradient = True
    with Tracker(tmp_path) as tracker:
        tracker.watch(net, every=1)
        for step in range(3):
            net(paddle.ones([1, 4]))
            tracker.log({"x": 0.0}, step=step)
    assert {tag.partition("/")[0] for tag in by_tag(tmp_path)} == {"weights", "x"}
    assert [step for step, _ in series(tmp_path, "weights/0/bias")] == [0, 1, 2]


@pytest.mark.parametrize("full_graph", [True, False])
def test_static_networks(tmp_path: Path, full_graph: bool) -> None:
    net = paddle.jit.to_static(network(), full_graph=full_graph)
    gradients = []
    with Tracker(tmp_path) as tracker:
        handle = tracker.watch(net, every=2)
        train(net, 5, tracker, lambda step: gradients.append(net[0].weight.grad.numpy().copy()))
        handle.remove()
    found = series(tmp_path, "gradients/0/weight")
    assert [step for step, _ in found] == [0, 2, 4]
    assert all(same(data, gradients[int(step)]) for step, data in found)


def test_gradients_of_several_backward_passes_are_summed(tmp_path: Path) -> None:
    net = network()
    with Tracker(tmp_path) as tracker:
        handle = tracker.watch(net)
        output = net(paddle.ones([2, 4]))
        output.sum().backward(retain_graph=True)
        (output**2).mean().backward()
        truth = net[2].weight.grad.numpy().copy()
        handle.remove()
    assert same(series(tmp_path, "gradients/2/weight")[0][1], truth)


def test_only_training_passes_of_this_very_network_count(tmp_path: Path) -> None:
    net = network()
    with Tracker(tmp_path) as tracker:
        handle = tracker.watch(net, every=2)

        def evaluate(step: int) -> None:
            twin = copy.deepcopy(net)
            twin(paddle.ones([1, 4]))
            with paddle.no_grad():
                net(paddle.ones([1, 4]))
            net.eval()
            net(paddle.ones([1, 4]))
            net.train()

        train(net, 5, tracker, evaluate)
        handle.remove()
    assert [step for step, _ in series(tmp_path, "gradients/0/weight")] == [0, 2, 4]


def test_layers_added_later_are_recorded(tmp_path: Path) -> None:
    net = network()
    with Tracker(tmp_path) as tracker:
        tracker.watch(net, every=1)
        train(net, 2, tracker)
        net.add_sublayer("late", paddle.nn.Linear(1, 1))
        train(net, 2, tracker)
    assert "gradients/late/weight" in by_tag(tmp_path)


def test_a_loop_that_logs_nothing_records_at_growing_steps(tmp_path: Path) -> None:
    net = network()
    with Tracker(tmp_path) as tracker:
        handle = tracker.watch(net, every=2)
        train(net, 6)
        handle.remove()
    assert [step for step, _ in series(tmp_path, "gradients/0/bias")] == [0, 1, 2]
    assert [step for step, _ in series(tmp_path, "weights/0/bias")] == [0, 1, 2]


def test_two_networks_are_told_apart_by_name(tmp_path: Path) -> None:
    one, other = network(), network()
    with Tracker(tmp_path) as tracker:
        tracker.watch(one, name="generator", gradients=False)
        tracker.watch(other, name="critic", weights=False)
        train(one, 2, tracker)
        train(other, 2, tracker)
    kinds = {tag.rpartition("/")[0].rpartition("/")[0] for tag in by_tag(tmp_path)}
    assert {"weights/generator", "gradients/critic"} <= kinds
    assert not {"gradients/generator", "weights/critic"} & kinds


def test_what_is_due_is_recorded_when_the_tracker_closes(tmp_path: Path) -> None:
    net = network()
    with Tracker(tmp_path) as tracker:
        tracker.watch(net)
        train(net, 1, tracker)
    assert [step for step, _ in series(tmp_path, "gradients/0/weight")] == [0]
    assert not net._forward_pre_hooks


@pytest.mark.parametrize("name", ["record_histograms", "to_array"])
def test_what_fails_is_warned_about_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("injected")

    monkeypatch.setattr(f"vizkit.hooks.watching.{name}", fail)
    net = network()
    with Tracker(tmp_path) as tracker:
        handle = tracker.watch(net, every=1)
        with pytest.warns(VizKitWarning, match="injected") as told:
            train(net, 4, tracker)
        handle.remove()
    assert len(told) == 1


def test_an_exception_in_training_passes_through(tmp_path: Path) -> None:
    net = network()

    def fail(step: int) -> None:
        if step == 2:
            raise KeyboardInterrupt

    with Tracker(tmp_path) as tracker:
        tracker.watch(net, every=1)
        with pytest.raises(KeyboardInterrupt):
            train(net, 5, tracker, fail)
    assert [step for step, _ in series(tmp_path, "train/loss")] == [0, 1]


def test_a_network_is_not_kept_alive(tmp_path: Path) -> None:
    import gc
    import weakref

    with Tracker(tmp_path) as tracker:
        net = network()
        handle = tracker.watch(net)
        handle.remove()
        gone = weakref.ref(net)
        del net
        gc.collect()
        assert gone() is None


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"every": 0}, "every must be"),
        ({"every": 2.5}, "every must be"),
        ({"every": None}, "every must be"),
        ({"weights": False, "gradients": False}, "nothing to watch"),
    ],
)
def test_bad_options_are_told_at_once(tmp_path: Path, options: Any, match: str) -> None:
    with Tracker(tmp_path) as tracker, pytest.raises(DataError, match=match):
        tracker.watch(network(), **options)


def test_only_networks_with_parameters_are_watched(tmp_path: Path) -> None:
    with Tracker(tmp_path) as tracker:
        with pytest.raises(DataError, match="no parameters"):
            tracker.watch(paddle.nn.ReLU())
        with pytest.raises(DataError, match=r"pass model\.network"):
            tracker.watch(paddle.Model(network()))
        with pytest.raises(DataError, match="got 'net'"):
            tracker.watch("net")


def test_other_ranks_record_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PADDLE_TRAINER_ID", "1")
    net = network()
    with Tracker(tmp_path) as tracker:
        handle = tracker.watch(net)
        assert not net._forward_pre_hooks
        handle.remove()


# ---- log_model -------------------------------------------------------------------------------------


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
