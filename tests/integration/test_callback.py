from __future__ import annotations

import copy
import functools
import gc
import io
import json
import random
import threading
import time
import warnings
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import paddle
import pytest
from PIL import Image
from sklearn.metrics import average_precision_score, roc_auc_score

from tests.helpers import by_tag, python, records, series, stock
from vizkit import DataError, Tracker, VizKitWarning
from vizkit.hooks import TrackerCallback, ValidateEvery
from vizkit.hooks._fit.batch import Batch
from vizkit.hooks._network import random_states
from vizkit.hooks._network.random_states import data_is_loaded, random_states_kept

CLASSES = 3
TRAIN, EVAL, BATCH = 40, 10, 4  # an epoch is 10 steps; the last eval batch holds 2


class Pictures(paddle.io.Dataset):
    """Images of 1x8x8 whose brightest corner tells their class; labels of shape (1,)."""

    def __init__(self, count: int, seed: int = 0, labelled: bool = True) -> None:
        rng = np.random.default_rng(seed)
        self.labels = rng.integers(0, CLASSES, (count, 1))
        self.images = rng.normal(0, 0.3, (count, 1, 8, 8)).astype("float32")
        for image, (label,) in zip(self.images, self.labels, strict=True):
            image[0, :4, 2 * label : 2 * label + 2] += 1
        self.labelled = labelled

    def __getitem__(self, index: int) -> Any:
        return (self.images[index], self.labels[index]) if self.labelled else (self.images[index],)

    def __len__(self) -> int:
        return len(self.images)


def classifier(*last: paddle.nn.Layer) -> paddle.nn.Sequential:
    paddle.seed(1)
    return paddle.nn.Sequential(
        paddle.nn.Conv2D(1, 2, 3),
        paddle.nn.ReLU(),
        paddle.nn.Flatten(),
        paddle.nn.Dropout(0.2),
        paddle.nn.Linear(72, CLASSES),
        *last,
    )


def prepared(network: Any = None, loss: Any = None, metrics: Any = None, inputs: Any = None) -> paddle.Model:
    model = paddle.Model(network or classifier(), inputs)
    optimizer = paddle.optimizer.Adam(0.01, parameters=model.network.parameters())
    model.prepare(optimizer, loss or paddle.nn.CrossEntropyLoss(), metrics or paddle.metric.Accuracy())
    return model


def fit(model: paddle.Model, callbacks: Any, epochs: int = 1, **options: Any) -> None:
    options = {"eval_data": Pictures(EVAL, 1), "shuffle": False, **options}
    model.fit(Pictures(TRAIN), batch_size=BATCH, epochs=epochs, verbose=0, callbacks=callbacks, **options)


def steps(run: Path, tag: str) -> list[int | float]:
    return [step for step, _ in series(run, tag)]


def hooks_of(model: paddle.Model) -> Any:
    layers = model.network.sublayers(include_self=True)
    return (
        sorted(vars(model)),
        [(len(layer._forward_pre_hooks), len(layer._forward_post_hooks)) for layer in layers],
        [sorted(vars(layer)) for layer in layers],
    )


# ---- scalars and steps -----------------------------------------------------------------------------


def test_a_fit_records_every_batch_and_every_evaluation(tmp_path: Path) -> None:
    told: list[tuple[float, float]] = []

    class Told(paddle.callbacks.Callback):
        def on_train_batch_end(self, step: int, logs: Any = None) -> None:
            told.append((logs["loss"][0], logs["acc"]))

    model = prepared()
    with Tracker(tmp_path / "run") as tracker:
        fit(model, [tracker.callback(), Told()], epochs=2)
    run = tmp_path / "run"
    assert series(run, "train/loss") == [(step, loss) for step, (loss, _) in enumerate(told)]
    assert series(run, "train/acc") == [(step, acc) for step, (_, acc) in enumerate(told)]
    assert series(run, "train/epoch") == [(step, step // 10) for step in range(20)]
    assert series(run, "train/learning rate") == [(step, 0.01) for step in range(20)]
    assert steps(run, "eval/loss") == steps(run, "eval/acc") == [9, 19]
    assert len(stock(run, "scalar", "train/loss")) == 20


def test_the_eval_loss_is_the_mean_over_all_samples(tmp_path: Path) -> None:
    model = prepared()
    with Tracker(tmp_path) as tracker:
        fit(model, tracker.callback())
    data = Pictures(EVAL, 1)
    model.network.eval()
    output = model.network(paddle.to_tensor(data.images))
    truth = paddle.nn.functional.cross_entropy(output, paddle.to_tensor(data.labels)).item()
    accuracy = (output.numpy().argmax(axis=1) == data.labels[:, 0]).mean()
    assert series(tmp_path, "eval/loss") == [(9, pytest.approx(truth, rel=1e-5))]
    assert series(tmp_path, "eval/acc") == [(9, pytest.approx(accuracy))]


def test_steps_go_on_over_fits_callbacks_and_resumed_runs(tmp_path: Path) -> None:
    model = prepared()
    with Tracker(tmp_path) as tracker:
        callback = tracker.callback(weights_every=None)
        fit(model, callback)
        fit(model, callback)
        fit(model, tracker.callback(weights_every=None))
    with Tracker(tmp_path, if_exists="resume") as tracker:
        model.evaluate(Pictures(EVAL), callbacks=tracker.callback(), verbose=0)
        fit(model, tracker.callback(weights_every=None))
    assert steps(tmp_path, "train/loss") == list(range(40))
    assert steps(tmp_path, "eval/acc") == [9, 19, 29, 29, 39]


def test_evaluating_and_predicting_on_their_own(tmp_path: Path) -> None:
    model = prepared()
    before = hooks_of(model)
    with Tracker(tmp_path) as tracker:
        model.evaluate(Pictures(EVAL), batch_size=BATCH, callbacks=tracker.callback(), verbose=0)
        model.predict(Pictures(EVAL, labelled=False), callbacks=tracker.callback(), verbose=0)
    assert steps(tmp_path, "eval/loss") == steps(tmp_path, "eval/pr/0") == [0]
    assert not any(tag.startswith("train/") for tag in by_tag(tmp_path))
    assert set(hooks_of(model)[0]) - {"num_iters"} == set(before[0])  # which is Paddle's own
    assert hooks_of(model)[1:] == before[1:]


def test_an_evaluation_that_is_made_again_is_recorded_once(tmp_path: Path) -> None:
    model = prepared()
    with Tracker(tmp_path) as tracker:
        fit(model, tracker.callback())
        for seed in (1, 2):  # the data of fit, and other data
            model.evaluate(Pictures(EVAL, seed), batch_size=BATCH, verbose=0, callbacks=tracker.callback())
    assert steps(tmp_path, "eval/loss") == steps(tmp_path, "eval/pr/0") == [9, 9]


def test_an_evaluation_after_a_loop_of_ones_own_is_at_its_last_step(tmp_path: Path) -> None:
    with Tracker(tmp_path) as tracker:
        for step in range(5):
            tracker.log({"mine": step}, step=step)
        prepared().evaluate(Pictures(EVAL), callbacks=tracker.callback(), verbose=0)
    assert steps(tmp_path, "eval/loss") == [4]


def test_every_element_of_a_metric_and_every_loss_is_recorded(tmp_path: Path) -> None:
    class TwoLosses(paddle.nn.Layer):
        def forward(self, output: Any, label: Any) -> Any:
            loss = paddle.nn.functional.cross_entropy(output, label)
            return [loss, loss * 2]

    model = prepared(loss=TwoLosses(), metrics=paddle.metric.Accuracy(topk=(1, 2)))
    with Tracker(tmp_path) as tracker:
        fit(model, tracker.callback())
    tags = by_tag(tmp_path)
    for mode in ("train", "eval"):
        assert {f"{mode}/acc_top1", f"{mode}/acc_top2"} <= set(tags)
        first, second, total = (tags[f"{mode}/loss{part}"][-1].data for part in ("/0", "/1", ""))
        assert second == pytest.approx(2 * first)
        assert total == pytest.approx(first + second)


def test_the_learning_rate_is_the_one_that_the_batch_was_trained_with(tmp_path: Path) -> None:
    network = classifier()
    rate = paddle.optimizer.lr.StepDecay(0.1, step_size=1, gamma=0.5)
    model = paddle.Model(network)
    model.prepare(paddle.optimizer.SGD(rate, network.parameters()), paddle.nn.CrossEntropyLoss())
    with Tracker(tmp_path) as tracker:
        # A scheduler that stands before has moved on when the batch ends.
        fit(model, [paddle.callbacks.LRScheduler(), tracker.callback()])
    assert series(tmp_path, "train/learning rate") == [(step, 0.1 * 0.5**step) for step in range(10)]


def test_keys_of_other_models_and_modes_are_left_out(tmp_path: Path) -> None:
    other = prepared(metrics=paddle.metric.Accuracy(name="foreign"))
    fit(other, None)
    model = prepared()
    with Tracker(tmp_path) as tracker:
        fit(model, tracker.callback())
    assert not [tag for tag in by_tag(tmp_path) if "foreign" in tag]
    assert {tag for tag in by_tag(tmp_path) if tag.count("/") == 1} >= {"eval/loss", "eval/acc"}


def test_logs_are_not_changed(tmp_path: Path) -> None:
    seen: list[Any] = []

    class Before(paddle.callbacks.Callback):
        def on_train_batch_end(self, step: int, logs: Any = None) -> None:
            self.logs, self.copy = logs, copy.deepcopy(logs)

        on_eval_end = lambda self, logs=None: self.on_train_batch_end(0, logs)  # noqa: E731

    class After(paddle.callbacks.Callback):
        def on_train_batch_end(self, step: int, logs: Any = None) -> None:
            seen.append((logs is before.logs, logs == before.copy))

        on_eval_end = lambda self, logs=None: self.on_train_batch_end(0, logs)  # noqa: E731

    before = Before()
    with Tracker(tmp_path) as tracker:
        fit(prepared(), [before, tracker.callback(), After()])
    assert seen == [(True, True)] * 11


# ---- images, weights, curves, graph, model ---------------------------------------------------------


def test_the_first_image_is_recorded_with_label_and_prediction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vizkit.media import captions

    texts: list[tuple[str, bool | None]] = []
    add_caption = captions.add_caption

    def spy(pixels: Any, text: str, good: bool | None = None) -> Any:
        texts.append((text, good))
        return add_caption(pixels, text, good)

    monkeypatch.setattr(captions, "add_caption", spy)
    model = prepared()
    predicted: list[int] = []

    class Predicts(paddle.callbacks.Callback):
        def on_train_batch_begin(self, step: int, logs: Any = None) -> None:
            if step % 4 == 0:
                first = paddle.to_tensor(data.images[step * BATCH][None])
                model.network.eval()
                predicted.append(int(model.network(first).argmax()))
                model.network.train()

    data = Pictures(TRAIN)
    model.network[3] = paddle.nn.Identity()  # no dropout: what is predicted can be told beforehand
    with Tracker(tmp_path) as tracker:
        options: Any = {"images": 1, "images_every": 4, "class_names": ["left", "mid", "right"]}
        fit(model, [tracker.callback(**options), Predicts()])
    images = by_tag(tmp_path)["train/input"]
    assert [image.step for image in images] == [0, 4, 8]
    names = ["left", "mid", "right"]
    truth = [int(data.labels[step * BATCH, 0]) for step in (0, 4, 8)]
    assert [(text.rpartition(",")[0], good) for text, good in texts] == [
        (f"label {names[label]}\npredicted {names[guess]}", label == guess)
        for label, guess in zip(truth, predicted, strict=True)
    ]
    picture = np.asarray(Image.open(io.BytesIO(images[0].data)))
    assert picture.shape[1] >= 96
    assert picture.shape[2] == 3


def test_inputs_that_are_no_images_are_not_recorded_as_such(tmp_path: Path) -> None:
    class Rows(Pictures):
        def __getitem__(self, index: int) -> Any:
            return self.images[index].reshape(-1), np.float32(index)

    model = prepared(paddle.nn.Linear(64, 1), paddle.nn.MSELoss(), [])
    with Tracker(tmp_path) as tracker:
        model.fit(Rows(8), Rows(8), batch_size=4, verbose=0, callbacks=tracker.callback())
    images = {record.tag for record in records(tmp_path) if record.kind == "image"}
    assert images == {"eval/predicted vs true"}  # of the regression


@pytest.mark.parametrize("shape", [(3, 8, 8), (8, 8, 4), (1, 8, 8), (8, 8, 1)])
def test_images_of_either_layout_and_without_a_class(tmp_path: Path, shape: tuple[int, ...]) -> None:
    class Images(Pictures):
        def __getitem__(self, index: int) -> Any:
            return np.resize(self.images[index], shape), np.float32(0.5)

    network = paddle.nn.Sequential(paddle.nn.Flatten(), paddle.nn.Linear(int(np.prod(shape)), 1))
    model = prepared(network, paddle.nn.MSELoss(), [])
    with Tracker(tmp_path) as tracker:
        model.fit(Images(4), batch_size=2, verbose=0, callbacks=tracker.callback())
    assert steps(tmp_path, "train/input") == [0]
    assert np.asarray(Image.open(io.BytesIO(series(tmp_path, "train/input")[0][1]))).shape[0] > 140


def test_weights_are_recorded_at_the_start_spaced_and_at_the_end(tmp_path: Path) -> None:
    model = prepared()
    start = {name: p.numpy().copy() for name, p in model.network.named_parameters()}
    with Tracker(tmp_path) as tracker:
        fit(model, tracker.callback(weights_every=4))
    tags = by_tag(tmp_path)
    assert {tag for tag in tags if tag.startswith("weights/")} == {
        "weights/0/weight", "weights/0/bias", "weights/4/weight", "weights/4/bias"
    }  # fmt: skip
    for name, parameter in model.network.named_parameters():
        found = tags["weights/" + name.replace(".", "/")]
        assert [record.step for record in found] == [0, 4, 8, 9]
        for record, values in ((found[0], start[name]), (found[-1], parameter.numpy())):
            assert record.data.counts.sum() == values.size
            if np.ptp(values):
                assert record.data.edges[[0, -1]] == pytest.approx([values.min(), values.max()])


def test_weights_are_left_to_a_watch(tmp_path: Path) -> None:
    model = prepared()
    with Tracker(tmp_path) as tracker:
        tracker.watch(model.network, optimizer=model._optimizer, every=4)
        fit(model, tracker.callback(weights_every=2))
    assert steps(tmp_path, "weights/0/weight") == steps(tmp_path, "gradients/0/weight") == [0, 4, 8]


@pytest.mark.parametrize("last", [None, paddle.nn.Softmax(), paddle.nn.LogSoftmax()])
def test_curves_of_a_classifier_are_those_of_scikit_learn(tmp_path: Path, last: Any) -> None:
    model = prepared(classifier(*[last] if last else []))
    with Tracker(tmp_path) as tracker:
        fit(model, tracker.callback(class_names=["a", "b", "c"]))
    data = Pictures(EVAL, 1)
    model.network.eval()
    scores = model.network(paddle.to_tensor(data.images))
    scores = scores if isinstance(last, paddle.nn.Softmax) else paddle.nn.functional.softmax(scores)
    tags = by_tag(tmp_path)
    for index, name in enumerate("abc"):
        of_class = data.labels[:, 0] == index
        ap = average_precision_score(of_class, scores.numpy()[:, index])
        auc = roc_auc_score(of_class, scores.numpy()[:, index])
        assert [(r.step, r.data) for r in tags[f"eval/ap/{name}"]] == [(9, pytest.approx(ap))]
        assert [(r.step, r.data) for r in tags[f"eval/auc/{name}"]] == [(9, pytest.approx(auc))]
        assert tags[f"eval/pr/{name}"][0].data.ap == pytest.approx(ap)
        assert tags[f"eval/roc/{name}"][0].kind == "roc_curve"
        assert tags[f"eval/pr/{name}"][0].data.thresholds[-1] == 1


def test_a_metric_of_a_name_of_the_callbacks_own_is_recorded_beside_it(tmp_path: Path) -> None:
    def named(name: str) -> Any:
        class Metric(paddle.metric.Accuracy):
            def name(self) -> list[str]:
                return [name]

        return Metric()

    names = ["epoch", "learning rate", "confusion"]
    with Tracker(tmp_path, strict=False) as tracker, pytest.warns(VizKitWarning, match="'eval/evaluation'"):
        fit(prepared(metrics=[named(name) for name in names]), tracker.callback(predictions=False))
    assert {value for _, value in series(tmp_path, "train/epoch")} == {0}
    assert {value for _, value in series(tmp_path, "train/learning rate")} == {0.01}
    accuracy = series(tmp_path, "train/confusion")
    assert (
        series(tmp_path, "train/epoch/metric") == series(tmp_path, "train/learning rate/metric") == accuracy
    )
    assert steps(tmp_path, "eval/epoch") == steps(tmp_path, "eval/evaluation/auc") == [9]
    assert not tracker.lost


def test_a_metric_of_the_name_of_an_area_is_recorded_alone(tmp_path: Path) -> None:
    class Area(paddle.metric.Accuracy):
        def name(self) -> list[str]:
            return ["auc"]

    model = prepared(metrics=Area())
    with Tracker(tmp_path) as tracker:
        fit(model, tracker.callback())
        expected = model.evaluate(Pictures(EVAL, 1), batch_size=BATCH, verbose=0)["auc"]
    assert series(tmp_path, "eval/auc") == [(9, expected)]
    assert [steps(tmp_path, tag) for tag in ("eval/auc/0", "eval/auc/micro", "eval/ap")] == [[9]] * 3


def test_several_inputs_and_outputs_record_the_first(tmp_path: Path) -> None:
    class Two(paddle.nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.net, self.other = classifier(), paddle.nn.Linear(2, 1)

        def forward(self, image: Any, extra: Any) -> Any:
            return self.net(image), self.other(extra)

    def loss(scores: Any, number: Any, label: Any, target: Any) -> Any:
        return paddle.nn.functional.cross_entropy(scores, label) + ((number - target) ** 2).mean()

    class Data(Pictures):
        def __getitem__(self, index: int) -> Any:
            extra, target = np.ones(2, "float32"), np.ones(1, "float32")
            return self.images[index], extra, self.labels[index], target

    model = paddle.Model(Two())
    model.prepare(paddle.optimizer.SGD(0.01, model.parameters()), loss)
    with Tracker(tmp_path) as tracker:
        model.fit(Data(8), Data(8), batch_size=4, verbose=0, callbacks=tracker.callback())
    tags = by_tag(tmp_path)
    assert {"train/loss", "eval/loss", "train/input", "eval/ap/0", "weights/other/bias"} <= set(tags)


def test_a_model_without_loss_is_evaluated(tmp_path: Path) -> None:
    model = paddle.Model(classifier())
    model.prepare(metrics=paddle.metric.Accuracy())
    with Tracker(tmp_path) as tracker:
        model.evaluate(Pictures(EVAL), callbacks=tracker.callback(), verbose=0)
    assert {"eval/acc", "eval/pr/0"} <= set(by_tag(tmp_path))
    assert "eval/loss" not in by_tag(tmp_path)


def test_names_that_do_not_fit_the_classes_are_not_used(tmp_path: Path) -> None:
    with Tracker(tmp_path) as tracker, pytest.warns(VizKitWarning, match="2 names for 3 classes") as told:
        fit(prepared(), tracker.callback(class_names=["a", "b"]), epochs=2)
    assert len(told) == 1
    assert "eval/pr/2" in by_tag(tmp_path)


def test_curves_of_very_many_classes_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vizkit.hooks._fit.fit_evaluation.MAX_GATHERED_CLASSES", 2)
    warned = "the network has 3 classes, more than 2"
    with Tracker(tmp_path) as tracker, pytest.warns(VizKitWarning, match=warned) as told:
        fit(prepared(), tracker.callback(), epochs=2)
    assert len([each for each in told if each.category is VizKitWarning]) == 1
    assert tracker.lost == {"curves": 2}
    assert {"eval/loss", "eval/acc"} <= set(by_tag(tmp_path))
    assert not [tag for tag in by_tag(tmp_path) if tag.startswith("eval/pr")]


def test_a_metric_that_is_not_a_number_leaves_the_others_recorded(tmp_path: Path) -> None:
    class Words(paddle.metric.Accuracy):
        def accumulate(self) -> Any:
            return "good"

        def name(self) -> str:
            return "words"

    with Tracker(tmp_path) as tracker, pytest.warns(VizKitWarning, match="eval/words"):
        prepared(metrics=Words()).evaluate(Pictures(EVAL), callbacks=tracker.callback(), verbose=0)
    assert "eval/loss" in by_tag(tmp_path)
    assert tracker.lost["eval/words"] == 1


@pytest.mark.parametrize("given", [False, True])
def test_the_graph_is_recorded_once(tmp_path: Path, given: bool) -> None:
    inputs = [paddle.static.InputSpec([None, 1, 8, 8], "float32", "image")] if given else None
    model = prepared(inputs=inputs)
    with Tracker(tmp_path) as tracker:
        fit(model, tracker.callback())
        fit(model, tracker.callback())
    (path,) = tmp_path.glob("vdlgraph.*")
    assert "Conv2D" in json.dumps(json.loads(path.read_text()))


def test_a_network_that_cannot_be_traced_trains_all_the_same(tmp_path: Path) -> None:
    class Untraceable(paddle.nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.net = classifier()

        def forward(self, x: Any) -> Any:
            if not paddle.in_dynamic_mode():
                raise TypeError
            return self.net(x)

    with Tracker(tmp_path) as tracker, pytest.warns(VizKitWarning, match="graph") as told:
        fit(prepared(Untraceable()), tracker.callback(), epochs=2)
    assert len(told) == 1
    assert len(series(tmp_path, "train/loss")) == 20


def test_the_model_is_saved_on_request(tmp_path: Path) -> None:
    model = prepared()
    with Tracker(tmp_path) as tracker:
        fit(model, tracker.callback(save_model=True))
    loaded = paddle.jit.load(str(tmp_path / "inference"))
    model.network.eval()
    images = paddle.to_tensor(Pictures(7).images)
    np.testing.assert_allclose(loaded(images).numpy(), model.network(images).numpy(), rtol=1e-5)
    assert not [path for path in tmp_path.iterdir() if "pdmodel" in path.name]


# ---- training stays as it was ----------------------------------------------------------------------


def trained(callbacks: Any, static: bool | None = None, **options: Any) -> list[Any]:
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002
    network = classifier()
    if static is not None:
        network = paddle.jit.to_static(network, full_graph=static)
    model = prepared(network, inputs=[paddle.static.InputSpec([None, 1, 8, 8], "float32", "x")])
    fit(model, callbacks, epochs=5, shuffle=True, **options)
    states = [random.random(), np.random.random(), paddle.rand([1]).item()]  # noqa: NPY002
    return [*(parameter.numpy() for parameter in network.parameters()), *states]


@functools.cache
def trained_alone() -> list[Any]:
    return trained(None)


@pytest.mark.parametrize("static", [None, True, False])
def test_training_is_bit_identical(tmp_path: Path, static: bool | None) -> None:
    without = trained_alone() if static is None else trained(None, static)
    with Tracker(tmp_path) as tracker, warnings.catch_warnings():
        warnings.simplefilter("ignore", VizKitWarning)
        having = trained(tracker.callback(weights_every=3, images_every=2, save_model=True), static)
    for one, other in zip(without, having, strict=True):
        np.testing.assert_array_equal(one, other)
    assert {"train/input", "eval/ap", "weights/0/weight"} <= set(by_tag(tmp_path))


@pytest.mark.parametrize("options", [{"accumulate_grad_batches": 4}, {"num_iters": 13}, {"eval_data": None}])
def test_ways_of_fitting(tmp_path: Path, options: Any) -> None:
    without = trained(None, **options)
    with Tracker(tmp_path) as tracker:
        having = trained(tracker.callback(), **options)
    for one, other in zip(without, having, strict=True):
        np.testing.assert_array_equal(one, other)
    recorded = steps(tmp_path, "train/loss")
    assert recorded == list(range(len(recorded)))


class Drawing(paddle.nn.Layer):
    """Draws from NumPy and Python when it runs, as stochastic depth does."""

    def __init__(self) -> None:
        super().__init__()
        self.net = classifier()

    def forward(self, x: Any) -> Any:
        return self.net(x) * (1 + random.random() + np.random.random())  # noqa: NPY002


@pytest.mark.parametrize("options", [{}, {"num_iters": 13}, {"num_workers": 1}])
def test_a_network_that_draws_random_numbers_trains_the_same(tmp_path: Path, options: Any) -> None:
    def weights(callbacks: Any) -> list[Any]:
        random.seed(0)
        np.random.seed(0)  # noqa: NPY002
        model = prepared(Drawing())
        fit(model, callbacks, epochs=2, **options)
        return [*(parameter.numpy() for parameter in model.network.parameters()), random.random()]

    without = weights(None)
    with Tracker(tmp_path) as tracker:
        having = weights(tracker.callback(save_model=True))
    for one, other in zip(without, having, strict=True):
        np.testing.assert_array_equal(one, other)
    assert "model/summary" in by_tag(tmp_path) and list(tmp_path.glob("vdlgraph*"))


@pytest.fixture
def unread() -> Iterator[Any]:
    """An iterator that was read once, whose thread waits to go on."""
    batches = iter(paddle.io.DataLoader(Pictures(TRAIN), batch_size=BATCH))
    next(batches)
    deadline = time.monotonic() + 30
    while data_is_loaded() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert batches._thread.is_alive()
    yield batches
    list(batches)


@pytest.mark.usefixtures("unread")
def test_a_loader_that_nobody_reads_on_is_no_loading(tmp_path: Path) -> None:
    test_a_network_that_draws_random_numbers_trains_the_same(tmp_path, {})


def test_a_loader_that_is_read_loads_until_its_queue_is_full(unread: Any) -> None:
    class Awaited(Pictures):
        go = threading.Event()

        def __getitem__(self, index: int) -> Any:
            self.go.wait(60)
            return super().__getitem__(index)

    batches = iter(paddle.io.DataLoader(Awaited(TRAIN), batch_size=BATCH))
    assert data_is_loaded()
    before = random.getstate()
    with random_states_kept(but_of_data=True):
        random.random()
        Awaited.go.set()
        list(batches)
    assert not data_is_loaded()
    assert random.getstate() != before  # it was loaded meanwhile
    with random_states_kept(but_of_data=True):
        before = random.getstate()
        random.random()
    assert random.getstate() == before
    del unread


def test_a_loader_that_has_just_filled_its_queue_may_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits at the first look, and loads at the second."""
    looks = iter([False, True])
    monkeypatch.setattr(random_states, "_is_loader", lambda thread: thread is threading.main_thread())
    monkeypatch.setattr(random_states, "_may_draw", lambda thread: next(looks))
    assert data_is_loaded()
    assert next(looks, None) is None


class Noisy(Pictures):
    """Draws noise while it is loaded, slowly, in the thread that Paddle loads in."""

    def __getitem__(self, index: int) -> Any:
        time.sleep(0.01)
        noise = random.random() + np.random.random()  # noqa: NPY002
        return self.images[index] * np.float32(1 + noise), self.labels[index]


class Slow(Pictures):
    """Draws nothing, and leaves time for threads that do."""

    def __getitem__(self, index: int) -> Any:
        time.sleep(0.01)
        return super().__getitem__(index)


@pytest.mark.parametrize("batches", [2, None])
def test_data_that_draws_random_numbers_meanwhile_is_the_same(tmp_path: Path, batches: int | None) -> None:
    def weights(callbacks: Any) -> Any:
        random.seed(0)
        np.random.seed(0)  # noqa: NPY002
        model = prepared()
        model.fit(Noisy(TRAIN), batch_size=BATCH, shuffle=False, verbose=0, callbacks=callbacks)
        return [parameter.numpy() for parameter in model.network.parameters()]

    without = weights(None)
    with Tracker(tmp_path) as tracker:
        validate = ValidateEvery(2, Slow(EVAL, 1), batches, tracker=tracker)
        having = weights([tracker.callback(), validate])
    for one, other in zip(without, having, strict=True):
        np.testing.assert_array_equal(one, other)
    assert list(tmp_path.glob("vdlgraph*"))
    assert len(series(tmp_path, "eval/loss")) == 5


def test_nothing_stays_behind(tmp_path: Path) -> None:
    model = prepared()
    loss = model._loss
    fit(model, None)
    before = hooks_of(model)
    with Tracker(tmp_path) as tracker:
        fit(model, tracker.callback(images_every=1, save_model=True))
    assert hooks_of(model) == before
    assert model._loss is loss


class Boom(paddle.callbacks.Callback):
    """Raises in one event of the fourth batch."""

    def __init__(self, event: str, error: BaseException) -> None:
        super().__init__()
        self.error = error
        setattr(self, event, self._raise)

    def _raise(self, step: int, logs: Any = None) -> None:
        if step == 3:
            raise self.error


@pytest.mark.parametrize("event", ["on_train_batch_begin", "on_train_batch_end", "on_epoch_begin"])
@pytest.mark.parametrize("error", [RuntimeError("mine"), KeyboardInterrupt()])
def test_an_exception_of_another_callback_passes_through(
    tmp_path: Path, event: str, error: BaseException
) -> None:
    model = prepared()
    fit(model, None)
    before = hooks_of(model)
    tracker = Tracker(tmp_path)
    callback = tracker.callback(images_every=1)
    with pytest.raises(type(error)) as raised:
        fit(model, [callback, Boom(event, error)], epochs=4)
    assert raised.value is error
    fit(model, callback)  # what was looked for when it ended has gone by now
    tracker.close()
    assert hooks_of(model) == before
    recorded = steps(tmp_path, "train/loss")
    assert recorded == list(range(len(recorded)))


@pytest.mark.parametrize("where", ["loss", "forward"])
def test_an_exception_within_a_batch_leaves_no_trace(tmp_path: Path, where: str) -> None:
    class Fails(paddle.nn.CrossEntropyLoss):
        def forward(self, *args: Any) -> Any:
            if failing:
                raise ZeroDivisionError
            return super().forward(*args)

    class Network(paddle.nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.net = classifier()

        def forward(self, x: Any) -> Any:
            if failing and where == "forward":
                raise ZeroDivisionError
            return self.net(x)

    failing = False
    model = prepared(Network(), Fails())
    fit(model, None)
    before = hooks_of(model)
    tracker = Tracker(tmp_path)
    failing = True
    with pytest.raises(ZeroDivisionError):
        fit(model, tracker.callback(), epochs=2)
    assert hooks_of(model) == before
    tracker.log({"still": 1.0})
    tracker.close()
    assert {"still", "weights/net/0/bias"} <= set(by_tag(tmp_path))


def test_two_callbacks_of_two_trackers(tmp_path: Path) -> None:
    model = prepared()
    fit(model, None)
    before = hooks_of(model)
    with Tracker(tmp_path / "a") as a, Tracker(tmp_path / "b") as b:
        fit(model, [a.callback(), b.callback()])
    assert hooks_of(model) == before
    first, second = (
        [(r.tag, r.step) for r in sorted(records(tmp_path / run), key=lambda r: (r.tag, r.step))]
        for run in "ab"
    )
    assert first == second


# ---- trouble with recording ------------------------------------------------------------------------

PATHS = {
    "log": "train scalars",
    "log_images": "input images",
    "log_histogram": "weights",
    "evaluation": "curves",
    "log_graph": "graph",
    "log_text": "summary",
    "go_on": "how training ends",
    "flush": "the log",
}


@pytest.mark.parametrize("verb", PATHS)
def test_what_fails_is_warned_about_once_and_training_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("injected")

    without = trained_alone()
    tracker = Tracker(tmp_path)
    monkeypatch.setattr(tracker, verb, fail)
    with pytest.warns(VizKitWarning, match="injected") as told:
        # Paddle silences the warnings of all threads while it traces a graph, also those of the worker.
        traced = verb in ("log_graph", "log_text")
        having = trained(tracker.callback(weights_every=2, images_every=2, graph=traced))
    messages = [str(warning.message) for warning in told]
    files = {Path(warning.filename).name for warning in told}
    assert files <= {"test_callback.py", "_warnings.py"}  # of the worker
    assert tracker.lost[PATHS[verb]] >= 1
    expected = [PATHS[verb], "eval scalars"] if verb == "log" else [PATHS[verb]]
    assert sorted(message.partition(":")[0] for message in messages) == sorted(expected)
    for one, other in zip(without, having, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_batch_that_was_looked_at_is_let_go_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: weakref.WeakSet[Batch] = weakref.WeakSet()
    made: list[int] = []
    held: list[int] = []

    def noted() -> Batch:
        batch = Batch()
        looked_at.add(batch)
        made.append(1)
        return batch

    class Held(paddle.callbacks.Callback):
        def on_train_batch_end(self, step: int, logs: Any = None) -> None:
            held.append(len(looked_at))

        on_eval_batch_end = on_train_batch_end

    monkeypatch.setattr("vizkit.hooks._fit.batch.Batch", noted)
    gc.disable()
    try:
        with Tracker(tmp_path) as tracker:
            fit(prepared(), [tracker.callback(images_every=2), Held()])
    finally:
        gc.enable()
    assert len(made) == 5 + 3
    assert held == [0] * (10 + 3)


@pytest.mark.parametrize(
    ("module", "name", "path"),
    [
        ("callback", "capture_next", {"input images", "curves"}),
        ("callback", "current_call", {"how training ends"}),
        ("first_trace", "record_summary", {"summary"}),
        ("first_trace", "trains_alone", {"input images"}),
        ("input_images", "samples_of", {"input images"}),
        ("callback", "record_histograms", {"weights"}),
        ("callback", "tagged_scalars", {"train scalars"}),
        ("fit_evaluation", "metric_scalars", {"eval scalars"}),
        ("fit_evaluation", "numbered_scalars", {"eval scalars"}),
        ("fit_evaluation", "known_batch", {"curves"}),
    ],
)
def test_what_fails_within_the_hooks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, name: str, path: set[str]
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("injected")

    monkeypatch.setattr(f"vizkit.hooks._fit.{module}.{name}", fail)
    with Tracker(tmp_path) as tracker, pytest.warns(VizKitWarning, match="injected") as told:
        fit(prepared(), tracker.callback(weights_every=2, images_every=2), epochs=2)
    own = [str(warning.message) for warning in told if isinstance(warning.message, VizKitWarning)]
    assert {message.partition(":")[0] for message in own} == path  # Paddle warns, too
    assert len(own) == len(path)


def test_a_strict_tracker_raises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("injected")

    tracker = Tracker(tmp_path, strict=True)
    monkeypatch.setattr(tracker, "log_histogram", fail)
    with pytest.raises(RuntimeError, match="injected"):
        fit(prepared(), tracker.callback())


@pytest.mark.parametrize(
    "options",
    [
        {"weights_every": 0},
        {"weights_every": "often"},
        {"images_every": -1},
        {"images_every": True},
        {"images_every": 1.5},
        {"class_names": "cat"},
        {"class_names": 3},
        {"class_names": ["cat", "cat"]},
    ],
)
def test_bad_options_are_told_at_once(tmp_path: Path, options: Any) -> None:
    with Tracker(tmp_path) as tracker, pytest.raises(DataError, match=next(iter(options))):
        tracker.callback(**options)


def test_switches(tmp_path: Path) -> None:
    with Tracker(tmp_path) as tracker:
        options: Any = {"weights_every": None, "images_every": None, "curves": False, "graph": False}
        fit(prepared(), tracker.callback(**options))
    assert {record.kind for record in records(tmp_path)} == {"scalar"}
    assert not list(tmp_path.glob("vdlgraph*"))


def test_other_ranks_record_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PADDLE_TRAINER_ID", "1")
    with Tracker(tmp_path) as tracker:
        callback = tracker.callback()
    assert isinstance(callback, paddle.callbacks.Callback)
    assert type(callback) is TrackerCallback
    assert not [name for name in vars(TrackerCallback) if name.startswith("on_")]


def test_static_mode_records_scalars_alone(tmp_path: Path) -> None:
    code = """
import sys, warnings
import numpy as np, paddle
from vizkit import Tracker

class Data(paddle.io.Dataset):
    def __getitem__(self, index):
        return np.full((1, 8, 8), index, "float32"), np.array([index % 3], "int64")
    def __len__(self):
        return 8

paddle.enable_static()
net = paddle.nn.Sequential(paddle.nn.Flatten(), paddle.nn.Linear(64, 3))
spec = paddle.static.InputSpec
model = paddle.Model(net, [spec([None, 1, 8, 8], "float32", "x")], [spec([None, 1], "int64", "y")])
model.prepare(paddle.optimizer.SGD(0.1, parameters=net.parameters()), paddle.nn.CrossEntropyLoss())
with Tracker(sys.argv[1]) as tracker:
    model.fit(Data(), Data(), batch_size=4, verbose=0, callbacks=tracker.callback())
"""
    done = python(code, tmp_path)
    assert done.returncode == 0, done.stderr
    assert (
        done.stderr.count("Warning: weights, images, curves and graph: not recorded: Paddle is in static")
        == 1
    )
    assert {record.kind for record in records(tmp_path)} == {"scalar"}
    assert [step for step, _ in series(tmp_path, "eval/loss")] == [1]


def test_the_public_names_are_listed_before_they_are_used() -> None:
    code = "import sys, vizkit.hooks as h; print({*h.__all__} <= {*dir(h)}, 'paddle' in sys.modules)"
    assert python(code).stdout.split() == ["True", "False"]
