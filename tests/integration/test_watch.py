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
    kinds = ("weights", "gradients")
    scalars = [f"{what}/{kind}" for what in ("norm", "zeros", "nonfinite") for kind in kinds]
    assert set(tags) - {"train/loss"} == {
        *(f"{kind}/{name}" for kind in kinds for name in names), *scalars, "update ratio"
    }  # fmt: skip
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
    assert not handle._receivers
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
    tags = by_tag(tmp_path)
    assert {tag.split("/")[0] for tag, of in tags.items() if of[0].kind == "histogram"} == {"weights"}
    assert not {"norm/gradients", "update ratio"} & set(tags)
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


def test_gradients_may_come_after_further_passes(tmp_path: Path) -> None:
    net = network()
    with Tracker(tmp_path) as tracker:
        tracker.watch(net, every=10)
        outputs = [net(paddle.ones([2, 4])) for _ in range(3)]
        sum(outputs).sum().backward()
        truth = net[2].weight.grad.numpy().copy()
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
    tags = by_tag(tmp_path)
    assert {"weights/generator/0/weight", "gradients/critic/0/bias", "norm/weights/generator"} <= set(tags)
    assert "update ratio/generator" in tags
    assert not any(tag.startswith(("gradients/generator", "weights/critic")) for tag in tags)


def test_what_is_due_is_recorded_when_the_tracker_closes(tmp_path: Path) -> None:
    net = network()
    with Tracker(tmp_path) as tracker:
        tracker.watch(net)
        train(net, 1, tracker)
    assert [step for step, _ in series(tmp_path, "gradients/0/weight")] == [0]
    assert not net._forward_pre_hooks


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
        ({"overhead": 0}, "overhead must be"),
        ({"overhead": 2}, "overhead must be"),
        ({"weights": False, "gradients": False}, "nothing to watch"),
        ({"weights": "0.wieght"}, r"weights: '0\.wieght' matches nothing; the closest names are '0\.weight'"),
        ({"gradients": ["*.bias", "zzz"]}, r"gradients: 'zzz' matches nothing; there are '0\.weight'"),
        ({"activations": "*relu*"}, r"activations: '\*relu\*' matches nothing"),
        ({"weights": 3}, "weights must be True, False, a pattern"),
        ({"gradients": []}, "gradients must be True, False, a pattern"),
        ({"optimizer": "adam"}, "optimizer must be a paddle.optimizer.Optimizer"),
        ({"optimizer": paddle.optimizer.lr.StepDecay(0.1, 3)}, "optimizer must be"),
        ({"optimizer": paddle.optimizer.SGD(0.1, paddle.nn.Linear(1, 1).parameters())}, "no parameter of"),
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


def test_patterns_pick_parameters(tmp_path: Path) -> None:
    net = network()
    with Tracker(tmp_path) as tracker:
        tracker.watch(net, weights="*.WEIGHT", gradients=["0/*", "2.bias"])
        train(net, 1, tracker)
    tags = {tag for tag, of in by_tag(tmp_path).items() if of[0].kind == "histogram"}
    assert tags == {
        "weights/0/weight", "weights/2/weight", "gradients/0/weight", "gradients/0/bias", "gradients/2/bias"
    }  # fmt: skip


def test_scalars_are_those_of_numpy(tmp_path: Path) -> None:
    net = network()
    net[0].weight.set_value(paddle.zeros([4, 3]))
    states: list[dict[str, np.ndarray]] = []
    with Tracker(tmp_path) as tracker:
        tracker.watch(net, every=1, per_layer=True)
        gradients: list[np.ndarray] = []

        def note(step: int) -> None:
            states.append({name: each.numpy().copy() for name, each in net.named_parameters()})
            gradients.append(np.concatenate([each.grad.numpy().ravel() for each in net.parameters()]))

        train(net, 3, tracker, note)
    states.append({name: each.numpy() for name, each in net.named_parameters()})
    flat = [np.concatenate([each.ravel() for each in state.values()]) for state in states]
    for step, gradient in enumerate(gradients):
        got = {tag: dict(series(tmp_path, tag)).get(step) for tag in by_tag(tmp_path)}
        weights = flat[step + 1] if step else flat[0]
        assert got["norm/weights"] == pytest.approx(np.linalg.norm(weights), rel=1e-6)
        assert got["norm/gradients"] == pytest.approx(np.linalg.norm(gradient), rel=1e-6)
        assert got["zeros/weights"] == pytest.approx((weights == 0).mean())
        assert got["nonfinite/gradients"] == 0
        ratio = np.linalg.norm(flat[step + 1] - flat[step]) / np.linalg.norm(flat[step])
        assert got["update ratio"] == pytest.approx(ratio, rel=1e-5)
        before, after = states[step]["2.weight"], states[step + 1]["2.weight"]
        ratio = np.linalg.norm(after - before) / np.linalg.norm(before)
        assert got["update ratio/2/weight"] == pytest.approx(ratio, rel=1e-5)
    assert dict(series(tmp_path, "zeros/weights/0/weight"))[0] == 1
    assert 0 not in dict(series(tmp_path, "update ratio/0/weight"))  # from nothing


def test_sparse_gradients_have_all_their_rows(tmp_path: Path) -> None:
    for optimize in (False, True):
        net = paddle.nn.Embedding(10, 3, sparse=True)
        optimizer = paddle.optimizer.SGD(0.1, parameters=net.parameters())
        with Tracker(tmp_path / str(optimize)) as tracker:
            tracker.watch(net, optimizer=optimizer if optimize else None)
            net(paddle.to_tensor([1, 2, 2])).sum().backward()
            optimizer.step()
        tags = by_tag(tmp_path / str(optimize))
        assert tags["norm/gradients"][0].data == pytest.approx(np.sqrt(3 * (1 + 4)))
        assert tags["zeros/gradients"][0].data == pytest.approx(0.8)


def test_memory_stays_flat(tmp_path: Path) -> None:
    import tracemalloc

    net = paddle.nn.Sequential(paddle.nn.Linear(4, 500), paddle.nn.ReLU(), paddle.nn.Linear(500, 300))
    held = []
    with Tracker(tmp_path) as tracker:
        tracker.watch(net, every=1, activations=True)
        tracemalloc.start()
        for _ in range(3):
            train(net, 10, tracker, explicit=False)
            tracker.flush()
            held.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
    assert held[2] - held[1] < 150_000  # a quarter of one copy of the weights


# ---- activations -----------------------------------------------------------------------------------


def rectified() -> paddle.nn.Sequential:
    paddle.seed(3)
    return paddle.nn.Sequential(paddle.nn.Linear(4, 6), paddle.nn.ReLU(), paddle.nn.Linear(6, 2))


@pytest.mark.parametrize(
    ("pattern", "names"),
    [("*relu*", {"1"}), (["0", "linear"], {"0", "2"}), (True, {"0", "1", "2"}), ("Seq*", {"Sequential"})],
)
def test_outputs_of_layers_are_recorded(tmp_path: Path, pattern: Any, names: set[str]) -> None:
    net = rectified()
    with Tracker(tmp_path) as tracker:
        tracker.watch(net, activations=pattern, weights=False, gradients=False)
        train(net, 1, tracker)
    assert {tag.partition("/")[2] for tag in by_tag(tmp_path) if tag.startswith("activations/")} == names


@pytest.mark.parametrize("static", [None, False])
@pytest.mark.parametrize("optimize", [False, True])
def test_outputs_are_those_of_the_recorded_pass(tmp_path: Path, static: bool | None, optimize: bool) -> None:
    net = rectified()
    optimizer = paddle.optimizer.SGD(0.5, parameters=net.parameters())
    run = net if static is None else paddle.jit.to_static(net, full_graph=static)
    rng, outputs = np.random.default_rng(0), []
    with Tracker(tmp_path) as tracker:
        options: Any = {"optimizer": optimizer if optimize else None, "per_layer": True, "every": 2}
        tracker.watch(net, activations="1", weights=False, gradients=False, **options)
        for step in range(5):
            x = rng.normal(size=(8, 4)).astype("float32")
            weight, bias = (each.numpy() for each in net[0].parameters())
            outputs.append(np.maximum(x @ weight + bias, 0))
            run(paddle.to_tensor(x)).square().mean().backward()
            net.eval()
            net(paddle.to_tensor(x) * 100)
            net.train()
            optimizer.step()
            optimizer.clear_grad()
            tracker.log({"train/loss": 0.0}, step=step)
    found = series(tmp_path, "activations/1")
    assert [step for step, _ in found] == [0, 2, 4]
    for at, data in found:
        assert data.edges[[0, -1]] == pytest.approx([0, outputs[int(at)].max()], rel=1e-4)
        assert data.counts.sum() == outputs[int(at)].size
    for at, share in series(tmp_path, "zeros/activations/1"):
        assert share == (outputs[int(at)] == 0).mean()


def test_the_first_call_of_a_layer_counts_also_in_eval_mode_of_its_own(tmp_path: Path) -> None:
    net = rectified()
    net[1].eval()  # as a frozen part of a network that is trained
    net.forward = lambda x: net[1](net[1](x) - 5)
    with Tracker(tmp_path) as tracker:
        tracker.watch(net, activations="1", gradients=False)
        net(paddle.full([2, 4], 3.0))
        net.eval()
        net[1](paddle.full([1], 7.0))
    ((_, data),) = series(tmp_path, "activations/1")
    assert data.counts.sum() == 8 and data.edges[0] < 3 < data.edges[-1]


def test_outputs_of_compiled_layers_are_warned_about_once(tmp_path: Path) -> None:
    results = []
    for watched in (False, True):
        net = paddle.jit.to_static(rectified(), full_graph=True)
        with Tracker(tmp_path / str(watched)) as tracker:
            if watched:
                tracker.watch(net, activations="*relu*", every=1)
                with pytest.warns(VizKitWarning, match="full_graph=True.*cannot be seen") as told:
                    train(net, 5, tracker)
                assert len([each for each in told if each.category is VizKitWarning]) == 1
            else:
                train(net, 5)
        results.append([parameter.numpy() for parameter in net.parameters()])
    for without, having in zip(*results, strict=True):
        np.testing.assert_array_equal(without, having)
    assert [step for step, _ in series(tmp_path / "True", "norm/gradients")] == list(range(5))


def test_the_first_tensor_of_an_output_counts_and_is_cut_to_its_first_samples(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vizkit.hooks._watch.watched_layers._MAX_VALUES", 50)
    net = paddle.nn.LSTM(4, 6)  # (outputs, (states, cells))
    with Tracker(tmp_path) as tracker:
        tracker.watch(net, activations="LSTM")
        net(paddle.rand([16, 2, 4]))[0].sum().backward()
    (record,) = by_tag(tmp_path)["activations/LSTM"]
    assert record.data.counts.sum() == 4 * 2 * 6  # 4 samples of 12 values


def test_outputs_in_a_dict_are_watched(tmp_path: Path) -> None:
    class Named(paddle.nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.fc = paddle.nn.Linear(4, 2)

        def forward(self, x: Any) -> Any:
            return {"note": "text", "scores": self.fc(x)}

    net = Named()
    with Tracker(tmp_path) as tracker:
        tracker.watch(net, activations="Named")
        net(paddle.rand([5, 4]))["scores"].sum().backward()
    (record,) = by_tag(tmp_path)["activations/Named"]
    assert record.data.counts.sum() == 5 * 2


def test_static_mode_is_refused(tmp_path: Path) -> None:
    net = network()
    with Tracker(tmp_path) as tracker:
        paddle.enable_static()
        try:
            with pytest.raises(DataError, match="disable_static"):
                tracker.watch(net)
        finally:
            paddle.disable_static()


def test_a_weight_that_changes_its_shape_has_no_update_ratio(tmp_path: Path) -> None:
    net = network()
    with Tracker(tmp_path, strict=True) as tracker:
        handle = tracker.watch(net, every=1, gradients=False, per_layer=True)
        net(paddle.rand([2, 4])).sum().backward()
        net[0].weight = net[0].create_parameter([8, 3])
        handle.remove()
    assert "update ratio/2/weight" in by_tag(tmp_path)
    assert "update ratio/0/weight" not in by_tag(tmp_path)
