"""`tracker.watch(net, optimizer=...)`: gradients as the optimizer meets them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import paddle
import pytest

from tests.helpers import by_tag, series
from vizkit import DataError, Tracker, VizKitWarning
from vizkit.hooks._watch.watch import Watch

NN = paddle.nn
KINDS = {"weights", "gradients", "clipped gradients", "activations"}


def network() -> Any:
    paddle.seed(1)
    return NN.Sequential(NN.Linear(4, 5), NN.ReLU(), NN.Dropout(0.3), NN.Linear(5, 2))


def batches(count: int) -> list[Any]:
    rng = np.random.default_rng(0)
    return [paddle.to_tensor(rng.normal(size=(8, 4)).astype("float32")) for _ in range(count)]


def gradient(net: Any) -> np.ndarray:
    """All gradients of a network as they are now."""
    return np.concatenate([p.grad.numpy().ravel() for p in net.parameters() if p.grad is not None])


def train(
    net: Any,
    optimizer: Any,
    steps: int,
    tracker: Tracker | None = None,
    before: Callable[[], None] = lambda: None,
    accumulate: int = 1,
) -> None:
    for step, x in enumerate(batches(steps)):
        net(x).square().mean().backward()
        if (step + 1) % accumulate == 0:
            before()
            optimizer.step()
            optimizer.clear_grad()
        if tracker is not None:
            tracker.log({"train/loss": 0.0}, step=step)


def sgd(net: Any, **options: Any) -> Any:
    return paddle.optimizer.SGD(0.1, parameters=net.parameters(), **options)


def norms(run: Path, kind: str) -> dict[int | float, float]:
    return dict(series(run, f"norm/{kind}"))


def test_accumulated_gradients_are_recorded_whole(tmp_path: Path) -> None:
    net = network()
    optimizer = sgd(net)
    truth: list[float] = []

    def note() -> None:
        truth.append(float(np.linalg.norm(gradient(net))))

    with Tracker(tmp_path) as tracker:
        tracker.watch(net, optimizer=optimizer, every=2)
        train(net, optimizer, 12, tracker, note, accumulate=3)
    assert norms(tmp_path, "gradients") == pytest.approx({2: truth[0], 8: truth[2]}, rel=1e-6)
    assert [step for step, _ in series(tmp_path, "weights/0/weight")] == [0, 2, 8]  # the first: before all
    assert [step for step, _ in series(tmp_path, "update ratio")] == [2, 8]
    assert "clipped gradients/0/weight" not in by_tag(tmp_path)


@pytest.mark.parametrize(
    "clip", [NN.ClipGradByGlobalNorm(0.01), NN.ClipGradByNorm(0.01), NN.ClipGradByValue(0.001)]
)
@pytest.mark.parametrize("grouped", [False, True])
def test_gradients_before_and_after_clipping(tmp_path: Path, clip: Any, grouped: bool) -> None:
    net = network()
    if grouped:
        groups = [{"params": net[0].parameters(), "grad_clip": clip}, {"params": net[3].parameters()}]
        optimizer = paddle.optimizer.Adam(0.1, parameters=groups)
        clipped_layers = [net[0]]
    else:
        optimizer = sgd(net, grad_clip=clip)
        clipped_layers = [net[0], net[3]]
    before: list[float] = []
    after: list[float] = []

    def note() -> None:
        before.append(float(np.linalg.norm(gradient(net))))
        pairs = [(p, p.grad.clone()) for layer in clipped_layers for p in layer.parameters()]
        with paddle.no_grad():
            after.append(float(np.linalg.norm(np.concatenate([g.numpy().ravel() for _, g in clip(pairs)]))))

    with Tracker(tmp_path) as tracker:
        tracker.watch(net, optimizer=optimizer, every=1)
        train(net, optimizer, 2, tracker, note)
    assert norms(tmp_path, "gradients") == pytest.approx(dict(enumerate(before)), rel=1e-5)
    assert norms(tmp_path, "clipped gradients") == pytest.approx(dict(enumerate(after)), rel=1e-5)
    assert ("clipped gradients/3/weight" in by_tag(tmp_path)) is not grouped
    assert not any(name.startswith("_dygraph") for name in vars(clip))


def test_gradients_clipped_by_hand(tmp_path: Path) -> None:
    net = network()
    optimizer = sgd(net)
    truth: list[float] = []
    with Tracker(tmp_path) as tracker:
        handle = tracker.watch(net, optimizer=optimizer, every=2)

        def clip() -> None:
            handle.note_gradients()
            truth.append(float(np.linalg.norm(gradient(net))))
            NN.utils.clip_grad_norm_(net.parameters(), 0.02)

        train(net, optimizer, 3, tracker, clip)
        handle.remove()
        handle.note_gradients()
    assert norms(tmp_path, "gradients") == pytest.approx({0: truth[0], 2: truth[2]}, rel=1e-5)
    assert norms(tmp_path, "clipped gradients") == pytest.approx({0: 0.02, 2: 0.02}, rel=1e-3)


def enabled_scaler(scale: float) -> Any:
    """A GradScaler that scales on CPU too."""
    place = mock.Mock(_expected_place=mock.Mock(is_gpu_place=lambda: True))
    with mock.patch("paddle.amp.grad_scaler._dygraph_tracer", return_value=place):
        return paddle.amp.GradScaler(init_loss_scaling=scale, use_dynamic_loss_scaling=False)


@pytest.mark.parametrize("verb", ["step", "minimize"])
def test_gradients_are_unscaled(tmp_path: Path, verb: str) -> None:
    net, scaler = network(), enabled_scaler(1024.0)
    optimizer = sgd(net, grad_clip=NN.ClipGradByGlobalNorm(0.01))
    truth = []
    with Tracker(tmp_path) as tracker:
        tracker.watch(net, optimizer=optimizer, every=1)
        for step, x in enumerate(batches(3)):
            loss = scaler.scale(net(x).square().mean())
            loss.backward()
            truth.append(float(np.linalg.norm(gradient(net))) / 1024)
            if verb == "step":
                scaler.step(optimizer)
                scaler.update()
            else:
                scaler.minimize(optimizer, loss)
            optimizer.clear_grad()
            tracker.log({"train/loss": 0.0}, step=step)
    assert norms(tmp_path, "gradients") == pytest.approx(dict(enumerate(truth)), rel=1e-5)
    assert norms(tmp_path, "clipped gradients") == pytest.approx(dict.fromkeys(range(3), 0.01), rel=1e-3)


def test_gradients_that_are_not_finite_are_shown_so(tmp_path: Path) -> None:
    net = network()
    optimizer = sgd(net)
    with Tracker(tmp_path) as tracker:
        tracker.watch(net, optimizer=optimizer, gradients="3.*", per_layer=True)
        (net(batches(1)[0])[:, 0] * float("nan")).sum().backward()
        optimizer.step()
    tags = by_tag(tmp_path)
    assert tags["nonfinite/gradients/3/bias"][0].data == 0.5
    assert np.isnan(tags["norm/gradients"][0].data)
    assert np.isnan(tags["update ratio"][0].data)


def test_several_optimizers_each_give_their_own(tmp_path: Path) -> None:
    net = network()
    one = paddle.optimizer.Adam(0.1, parameters=net[0].parameters())
    other = paddle.optimizer.SGD(0.1, parameters=net[3].parameters())
    truth: dict[str, list[float]] = {"one": [], "other": [], "all": []}
    with Tracker(tmp_path) as tracker:
        tracker.watch(net, optimizer=[one, other], every=2, per_layer=True)
        for step, x in enumerate(batches(5)):
            net(x).square().mean().backward()
            truth["one"].append(float(np.linalg.norm(gradient(net[0]))))
            one.step()
            net(x).square().sum().backward()  # the other meets the sum of both
            truth["other"].append(float(np.linalg.norm(gradient(net[3]))))
            other.step()
            for optimizer in (one, other):
                optimizer.clear_grad()
            tracker.log({"train/loss": 0.0}, step=step)
    for step in (0, 2, 4):
        total = np.hypot(truth["one"][step], truth["other"][step])
        assert norms(tmp_path, "gradients")[step] == pytest.approx(total, rel=1e-5)
    for name in ("0/weight", "3/weight"):
        assert [step for step, _ in series(tmp_path, f"gradients/{name}")] == [0, 2, 4]


def test_an_optimizer_that_steps_less_often_is_recorded_when_it_does(tmp_path: Path) -> None:
    net = network()
    often = paddle.optimizer.SGD(0.1, parameters=net[0].parameters())
    seldom = paddle.optimizer.SGD(0.1, parameters=net[3].parameters())
    with Tracker(tmp_path) as tracker:
        tracker.watch(net, optimizer=[often, seldom], every=6)
        for step, x in enumerate(batches(10)):
            net(x).square().mean().backward()
            often.step()
            if step % 3 == 2:
                seldom.step()
            tracker.log({"train/loss": 0.0}, step=step)
    assert [step for step, _ in series(tmp_path, "gradients/0/weight")] == [0, 6]
    assert [step for step, _ in series(tmp_path, "gradients/3/weight")] == [2, 8]


def test_a_network_that_is_never_called_itself(tmp_path: Path) -> None:
    net = network()
    optimizer = sgd(net)
    with Tracker(tmp_path) as tracker:
        tracker.watch(net, optimizer=optimizer, every=2)
        for step, x in enumerate(batches(5)):
            net[3](net[0](x)).mean().backward()
            optimizer.step()
            optimizer.clear_grad()
            tracker.log({"train/loss": 0.0}, step=step)
    assert list(norms(tmp_path, "gradients")) == [0, 2, 4]


def test_frozen_shared_and_later_parameters(tmp_path: Path) -> None:
    net = network()
    net[0].weight.stop_gradient = True
    net.add_sublayer("tied", NN.Linear(5, 2))
    net.tied.weight = net[3].weight
    net.forward = lambda x: net.tied(net[0](x)) + net[3](net[0](x))
    optimizer = sgd(net)
    with Tracker(tmp_path) as tracker:
        tracker.watch(net, optimizer=optimizer, every=1, activations=True)
        train(net, optimizer, 2, tracker)
        net.add_sublayer("late", NN.Linear(5, 2))
        net.forward = lambda x: net.late(net[0](x))
        train(net, optimizer, 2, tracker)
    tags = by_tag(tmp_path)
    assert {tag for tag in tags if tag.startswith("gradients/")} == {
        "gradients/0/bias", "gradients/3/weight", "gradients/3/bias", "gradients/tied/bias"
    }  # fmt: skip
    assert {"weights/0/weight", "weights/late/weight", "activations/late"} <= set(tags)
    assert "weights/tied/weight" not in tags


@pytest.mark.parametrize("static", [None, True, False])
def test_training_is_bit_identical_and_all_hooks_come_off(tmp_path: Path, static: bool | None) -> None:
    results = []
    for watched in (False, True):
        net = network()
        run = net if static is None else paddle.jit.to_static(net, full_graph=static)
        clip = NN.ClipGradByGlobalNorm(0.05)
        optimizer = paddle.optimizer.Adam(0.05, parameters=net.parameters(), grad_clip=clip)
        layers = net.sublayers(include_self=True)
        before = [sorted(vars(each)) for each in (clip, *layers)]
        if watched:
            with Tracker(tmp_path) as tracker:
                seen = not static  # the outputs of compiled layers are not
                tracker.watch(net, optimizer=optimizer, every=1, activations=seen, per_layer=True)
                train(run, optimizer, 50, tracker)
            assert [sorted(vars(each)) for each in (clip, *layers)] == before
            assert not any(
                hooks for layer in layers for hooks in (layer._forward_pre_hooks, layer._forward_post_hooks)
            )
            assert {"step", "minimize"}.isdisjoint(vars(optimizer))
        else:
            train(run, optimizer, 50)
        results.append([*(parameter.numpy() for parameter in net.parameters()), paddle.rand([1]).numpy()])
    for without, having in zip(*results, strict=True):
        np.testing.assert_array_equal(without, having)
    assert list(norms(tmp_path, "clipped gradients")) == list(range(50))


def test_what_others_made_of_the_optimizer_stays(tmp_path: Path) -> None:
    net = network()
    optimizer = sgd(net)
    with Tracker(tmp_path) as tracker:
        tracker.watch(net, optimizer=optimizer)
        watched, calls = optimizer.step, []

        def others() -> None:
            calls.append(1)
            watched()

        optimizer.step = others
        train(net, optimizer, 1, tracker)
    weight = net[0].weight.numpy().copy()
    train(net, optimizer, 1)
    assert len(calls) == 2
    assert (net[0].weight.numpy() != weight).any()


@pytest.mark.parametrize(
    ("place", "paths"),
    [
        ("hooks._watch.tensor_records.to_array", {"weights", "gradients", "clipped gradients"}),
        ("hooks._watch.watch.host_copy", {"weights", "activations"}),
        ("hooks._watch.watch.gradient_of", {"gradients"}),
        ("hooks._watch.watch.first_samples", {"activations"}),
        ("hooks._watch.watch.hook_outputs", {"activations"}),
        ("hooks._watch.watch.record_groups", {"weights", "norms"}),
        ("hooks._watch.tensor_records.tensor_norms", {*KINDS, "update ratio"}),
        ("tracking.tracker.Tracker.log_histogram", KINDS),
    ],
)
@pytest.mark.parametrize("width", [5, 400])  # recorded at once, or by the worker
def test_what_fails_leaves_training_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, paths: set[str], width: int
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("injected")

    def trained(tracker: Tracker | None) -> list[np.ndarray]:
        paddle.seed(1)
        net = NN.Sequential(NN.Linear(4, width), NN.ReLU(), NN.Linear(width, 40))
        optimizer = sgd(net, grad_clip=NN.ClipGradByGlobalNorm(0.01))
        if tracker is not None:
            tracker.watch(net, optimizer=optimizer, every=1, activations="*relu*")
        train(net, optimizer, 3, tracker)
        return [parameter.numpy() for parameter in net.parameters()]

    without = trained(None)
    monkeypatch.setattr(f"vizkit.{place}", fail)
    tracker = Tracker(tmp_path)
    with pytest.warns(VizKitWarning) as told:
        having = trained(tracker)
        tracker.close()
    messages = [str(each.message) for each in told if each.category is VizKitWarning]
    unseen = [message for message in messages if "cannot be seen" in message]
    assert {message.partition(":")[0] for message in messages} - {"activations"} == paths - {"activations"}
    assert len(messages) == len({message.partition(":")[0] for message in messages})
    assert all("injected" in message for message in messages if message not in unseen)
    for one, other in zip(without, having, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_strict_tracker_raises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("injected")

    net = network()
    optimizer = sgd(net)
    tracker = Tracker(tmp_path, strict=True)
    handle = tracker.watch(net, optimizer=optimizer)
    monkeypatch.setattr("vizkit.hooks._watch.watch.gradient_of", fail)
    with pytest.raises(RuntimeError, match="injected"):
        train(net, optimizer, 1, tracker)
    handle.remove()
    assert "step" not in vars(optimizer)


@pytest.mark.parametrize(("every", "apart"), [(None, 30), (7, 35)])
def test_a_budget_spaces_records_by_what_they_cost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, every: int | None, apart: int
) -> None:
    from vizkit.hooks._watch import watch

    now = [0.0]

    def costly(*args: Any, per_layer: bool) -> None:
        now[0] += 3.0

    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(watch, "record_groups", costly)
    net = network()
    optimizer = sgd(net)
    recorded: list[int] = []
    with Tracker(tmp_path) as tracker:
        handle = tracker.watch(net, optimizer=optimizer, every=every, overhead=0.1, weights=False)
        before = 0.0
        for step in range(150):
            before = now[0]
            train(net, optimizer, 1)
            recorded += [step] if now[0] > before else []
            now[0] += 1.0
        monkeypatch.undo()
        handle.remove()
    assert len(recorded) == pytest.approx(150 / apart, abs=1)
    assert 3.0 * (len(recorded) - 1) <= 0.1 * 150


def test_other_ranks_leave_the_optimizer_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PADDLE_TRAINER_ID", "1")
    net = network()
    optimizer = sgd(net)
    with Tracker(tmp_path) as tracker:
        tracker.watch(net, optimizer=optimizer)
        assert "step" not in vars(optimizer)
        with pytest.raises(DataError):
            tracker.watch(net, optimizer=sgd(network()))


def test_passes_that_cannot_matter_are_not_hooked(tmp_path: Path) -> None:
    """Only those are that may begin a record, or end one: a hook makes Paddle take its slow way."""
    net = network()
    optimizer = sgd(net)
    hooked: list[bool] = []
    with Tracker(tmp_path) as tracker:
        tracker.watch(net, optimizer=optimizer, every=4, activations=True)
        for step, x in enumerate(batches(10)):
            hooked.append(bool(net._forward_pre_hooks))
            net(x).square().mean().backward()
            optimizer.step()
            optimizer.clear_grad()
            tracker.log({"train/loss": 0.0}, step=step)
        due = [0, 4, 8]
        assert [step for step, has in enumerate(hooked) if has] == [0, 1, 4, 5, 8, 9]
    for kind in ("gradients", "activations"):
        assert list(norms(tmp_path, kind)) == due
    assert not net._forward_pre_hooks


def test_updates_that_cannot_matter_are_only_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net = network()
    optimizer = sgd(net)
    told: list[int] = []
    before = Watch._before_update

    def noted(watch: Watch, by: Any) -> bool:
        told.append(step)
        return before(watch, by)

    monkeypatch.setattr(Watch, "_before_update", noted)
    with Tracker(tmp_path) as tracker:
        watch = tracker.watch(net, optimizer=optimizer, every=6)
        for step, x in enumerate(batches(20)):
            net(x).square().mean().backward()
            if step in (3, 14):  # an update that fails is none
                fails = mock.patch.object(optimizer, "_apply_optimize", side_effect=ZeroDivisionError)
                with fails, pytest.raises(ZeroDivisionError):
                    optimizer.step()
            watch.note_gradients()
            optimizer.step()
            optimizer.clear_grad()
            tracker.log({"train/loss": 0.0}, step=step)
    assert list(norms(tmp_path, "gradients")) == list(norms(tmp_path, "weights")) == [0, 6, 12, 18]
    assert told == [0, 1, 5, 6, 7, 11, 12, 13, 17, 18, 19]
