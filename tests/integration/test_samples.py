from __future__ import annotations

import io
import random
from pathlib import Path
from typing import Any

import numpy as np
import paddle
import pytest
from PIL import Image

from tests.helpers import by_tag, series
from vizkit import DataError, Tracker, VizKitWarning
from vizkit.hooks._fit import sample_images
from vizkit.hooks._fit.batch import Batch
from vizkit.hooks._fit.evaluation_images import FollowedSamples, WorstMistakes
from vizkit.media.captions import caption_color

CLASSES, BATCH = 3, 4


class Pictures(paddle.io.Dataset):
    """Images whose first pixel tells their index."""

    def __init__(self, count: int = 10, shape: tuple[int, ...] = (1, 8, 8), labelled: bool = True) -> None:
        rng = np.random.default_rng(count)
        self.images = rng.normal(0, 0.3, (count, *shape)).astype("float32")
        self.images.reshape(count, -1)[:, 0] = np.arange(count)
        self.labels = rng.integers(0, CLASSES, (count, 1))
        self.labelled = labelled

    def __getitem__(self, index: int) -> Any:
        np.random.random()  # noqa: NPY002  # as data that is augmented draws
        return (self.images[index], self.labels[index]) if self.labelled else (self.images[index],)

    def __len__(self) -> int:
        return len(self.images)


def prepared() -> paddle.Model:
    """With dropout and batch norm: random states and buffers count."""
    paddle.seed(1)
    net = paddle.nn.Sequential(
        paddle.nn.Conv2D(1, 2, 3),
        paddle.nn.BatchNorm2D(2),
        paddle.nn.ReLU(),
        paddle.nn.Flatten(),
        paddle.nn.Dropout(0.3),
        paddle.nn.Linear(72, CLASSES),
    )
    # Far below 0, so that on no machine a row of logits can pass for probabilities.
    net[5].bias.set_value(paddle.full([CLASSES], -20.0))
    model = paddle.Model(net)
    optimizer = paddle.optimizer.Adam(0.01, parameters=net.parameters())
    model.prepare(optimizer, paddle.nn.CrossEntropyLoss(), paddle.metric.Accuracy())
    return model


def fit(model: paddle.Model, callback: Any, epochs: int = 2, **options: Any) -> None:
    options = {"eval_data": Pictures(), **options}
    model.fit(Pictures(20), batch_size=BATCH, epochs=epochs, verbose=0, callbacks=callback, **options)


def loader_of(sampler: Any) -> Any:
    return paddle.io.DataLoader(Pictures(), batch_sampler=sampler)


def picture(data: bytes) -> Any:
    return np.asarray(Image.open(io.BytesIO(data)))


class Shown:
    """What `Tracker.log_images` was given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.of: dict[str, list[Any]] = {}
        log_images = Tracker.log_images

        def spy(tracker: Tracker, tag: str, imgs: Any, step: Any = None, **options: Any) -> None:
            self.of.setdefault(tag, []).append((step, imgs, options))
            log_images(tracker, tag, imgs, step, **options)

        monkeypatch.setattr(Tracker, "log_images", spy)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Shown:
    return Shown(monkeypatch)


# ---- captions and grids ------------------------------------------------------------------------------


def test_captioned_images_are_recorded(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 255, (4, 3, 140, 140), dtype=np.uint8)
    with Tracker(tmp_path, strict=True) as tracker:
        tracker.log_images("x", images, 2, dataformats="CHW", labels=[0, 1, 2, 0], predictions=[0, 1, 2, 1])
    (record,) = by_tag(tmp_path)["x"]
    out = picture(record.data)
    np.testing.assert_array_equal(out[4:144, 4:144], images[0].transpose(1, 2, 0))
    corners = [tuple(out[0, 0]), tuple(out[-1, -1])]
    assert corners == [caption_color(True), caption_color(False)]


def test_images_are_restored_with_mean_and_std(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).random((2, 3, 9, 9)).astype("float32")
    mean, std = [0.1, 0.2, 0.3], [0.5, 0.6, 0.7]
    scaled = (pixels - np.reshape(mean, (3, 1, 1))) / np.reshape(std, (3, 1, 1))
    with Tracker(tmp_path, strict=True) as tracker:
        tracker.log_images("x", scaled.astype("float32"), 0, rows=1, dataformats="CHW", mean=mean, std=std)
    expected = np.rint(pixels.transpose(2, 0, 3, 1).reshape(9, 18, 3) * 255)
    assert np.abs(picture(by_tag(tmp_path)["x"][0].data) - expected).max() <= 1


# ---- input images --------------------------------------------------------------------------------------


def test_the_first_images_of_a_batch_are_recorded(tmp_path: Path, shown: Shown) -> None:
    with Tracker(tmp_path) as tracker:
        fit(prepared(), tracker.callback(images=3, images_every=2), epochs=1, shuffle=False)
    data = Pictures(20)
    assert [step for step, _, _ in shown.of["train/input"]] == [0, 2, 4]
    for step, images, options in shown.of["train/input"]:
        assert len(images) == 3
        labels = data.labels[step * BATCH : step * BATCH + 3, 0]
        np.testing.assert_array_equal(options["labels"], labels)
        assert options["predictions"].shape == (3, CLASSES)
        np.testing.assert_allclose(options["predictions"].sum(axis=1), 1, rtol=1e-5)


def test_a_batch_of_fewer_images_is_recorded_whole(tmp_path: Path, shown: Shown) -> None:
    with Tracker(tmp_path) as tracker:
        fit(prepared(), tracker.callback(images_every=1), epochs=1)
    assert {len(images) for _, images, _ in shown.of["train/input"]} == {BATCH}


def test_large_images_are_shrunk(tmp_path: Path, shown: Shown) -> None:
    batch = Batch([np.zeros((2, 300, 400, 3), np.uint8)], [np.array([1.5, 2.5])], [np.zeros((2, 1))])
    found = sample_images.samples_of(batch, range(2))
    with Tracker(tmp_path) as tracker:
        sample_images.record_samples(tracker, "x", found, 0, sample_images.Display(), "auto")
    _, images, options = shown.of["x"][0]
    assert [image.shape for image in images] == [(120, 160, 3)] * 2
    np.testing.assert_array_equal(options["labels"], [1.5, 2.5])


# ---- followed samples ------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [0, 2])
def test_the_same_samples_are_recorded_at_every_evaluation(
    tmp_path: Path, shown: Shown, workers: int
) -> None:
    model, data, expected = prepared(), Pictures(), []

    class Predicts(paddle.callbacks.Callback):
        def on_eval_end(self, logs: Any = None) -> None:
            model.network.eval()
            scores = paddle.nn.functional.softmax(model.network(paddle.to_tensor(data.images[[9, 0, 5]])))
            expected.append(scores.numpy())

    loader = paddle.io.DataLoader(data, batch_size=BATCH, num_workers=workers)
    with Tracker(tmp_path) as tracker:
        fit(model, [tracker.callback(samples=[9, 0, 5]), Predicts()], eval_data=loader)
    records = shown.of["eval/samples"]
    assert [step for step, _, _ in records] == [4, 9]
    for (_, images, options), scores in zip(records, expected, strict=True):
        assert len(images) == 3
        assert images[0].max() == images[0][0, 0] == 255  # number 9
        np.testing.assert_array_equal(options["labels"], data.labels[[9, 0, 5], 0])
        np.testing.assert_allclose(options["predictions"], scores, rtol=1e-4, atol=1e-6)


def test_samples_of_an_evaluation_on_its_own(tmp_path: Path, shown: Shown) -> None:
    with Tracker(tmp_path) as tracker:
        prepared().evaluate(Pictures(), batch_size=3, callbacks=tracker.callback(samples=[4]), verbose=0)
    ((_, _, options),) = shown.of["eval/samples"]
    np.testing.assert_array_equal(options["labels"], Pictures().labels[4])


def test_samples_of_one_rank_of_several() -> None:
    data, indices = Pictures(10), [0, 3, 9]
    found = []
    for rank in (0, 1):
        sampler = paddle.io.DistributedBatchSampler(data, 3, num_replicas=2, rank=rank)
        loader = paddle.io.DataLoader(data, batch_sampler=sampler)
        followed = FollowedSamples(indices)
        followed.check(loader)
        followed.begin(loader)
        for number, (images, labels) in enumerate(loader):
            if followed.wants(number):
                followed.add(number, Batch([images], [labels], [paddle.zeros([len(images), 2])]))
        met = [int(sample.image[0, 0, 0]) for sample in followed.found()]
        assert met == [index for index in indices if index not in followed.missing]
        found += met
    assert sorted(found) == indices


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([0, 10], "has 10 samples, so 10 is out of range"),
        ([-1], "0 or more"),
        ([1, 1], "must differ"),
        ([], "must be indices"),
        ([0.5], "must be indices"),
        ("12", "must be a list"),
        (5, "must be a list"),
        ([True], "must be indices"),
    ],
)
def test_bad_samples_are_told_before_training(tmp_path: Path, samples: Any, message: str) -> None:
    model = prepared()
    before = [parameter.numpy() for parameter in model.parameters()]
    with Tracker(tmp_path) as tracker, pytest.raises(DataError, match=message):
        fit(model, tracker.callback(samples=samples))
    for one, parameter in zip(before, model.parameters(), strict=True):
        np.testing.assert_array_equal(one, parameter.numpy())
    assert series(tmp_path, "train/loss") == []


@pytest.mark.parametrize(
    ("eval_data", "message"),
    [
        (None, "give eval_data to fit"),
        (Pictures(labelled=False), "has none"),
        (Pictures(shape=(64,)), r"of shape \[64\]"),
        (paddle.io.DataLoader(Pictures(), batch_size=2, shuffle=True), "with shuffle=True"),
        (loader_of(paddle.io.DistributedBatchSampler(Pictures(), 2, shuffle=True)), "with shuffle=True"),
        (loader_of(type("Mine", (paddle.io.BatchSampler,), {})(Pictures())), "with a Mine"),
        ([[paddle.zeros([1, 1, 8, 8]), paddle.zeros([1, 1])]], "got list"),
    ],
)
def test_data_whose_samples_cannot_be_followed(tmp_path: Path, eval_data: Any, message: str) -> None:
    with Tracker(tmp_path) as tracker, pytest.raises(DataError, match=message):
        fit(prepared(), tracker.callback(samples=[0]), eval_data=eval_data)
    assert series(tmp_path, "train/loss") == []


def test_samples_that_are_not_reached_are_told_once(tmp_path: Path, shown: Shown) -> None:
    with Tracker(tmp_path) as tracker, pytest.warns(VizKitWarning, match=r"samples \[9\]") as told:
        for _ in range(2):
            model = prepared()
            model.evaluate(Pictures(), 3, callbacks=tracker.callback(samples=[0, 9]), verbose=0, num_iters=2)
    assert [warning.category for warning in told].count(VizKitWarning) == 1
    assert [len(images) for _, images, _ in shown.of["eval/samples"]] == [1, 1]


# ---- the worst mistakes ------------------------------------------------------------------------------------


def test_the_worst_mistakes_are_those_of_the_highest_loss() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(0, 3, (50, CLASSES)).astype("float32")
    labels = rng.integers(0, CLASSES, 50)
    images = np.zeros((50, 1, 4, 4), "float32")
    images[:, 0, 0, 0] = np.arange(50)
    mistakes = WorstMistakes(5, "softmax")
    for start in range(0, 50, 7):
        part = slice(start, start + 7)
        mistakes.add(Batch([images[part]], [labels[part]], [scores[part]]))
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    losses = np.where(scores.argmax(axis=1) == labels, -1, -np.log(shares[np.arange(50), labels]))
    worst = mistakes.worst()
    assert [int(sample.image[0, 0, 0]) for sample in worst] == np.argsort(-losses)[:5].tolist()
    assert [sample.label for sample in worst] == labels[np.argsort(-losses)[:5]].tolist()
    assert isinstance(worst[0].prediction, np.ndarray)
    np.testing.assert_array_equal(worst[0].prediction, scores[losses.argmax()])


def test_no_more_images_are_held_than_asked_for() -> None:
    mistakes = WorstMistakes(3, "auto")
    for _ in range(20):
        mistakes.add(Batch([np.zeros((8, 1, 4, 4))], [np.ones(8, int)], [np.eye(2)[[0] * 8]]))
        assert all(len(heap) <= 3 for heap in mistakes._heaps.values())
    assert len(mistakes.worst()) == 3


def test_mistakes_are_ranked_by_what_all_scores_of_the_evaluation_are() -> None:
    probabilities = np.array([[0.2, 0.3, 0.5], [0.01, 0.5, 0.49], [0.25, 0.35, 0.4]])
    images = np.zeros((3, 1, 4, 4), "float32")
    images[:, 0, 0, 0] = np.arange(3)
    labels = np.array([0, 0, 0])
    mistakes = WorstMistakes(3, "auto")
    mistakes.add(Batch([images], [labels], [probabilities]))
    assert mistakes.activation is None
    assert [int(sample.image[0, 0, 0]) for sample in mistakes.worst()] == [1, 0, 2]
    mistakes.add(Batch([images + 3], [labels], [np.array([[3.0, 9.0, 0], [0, 0, 0], [5, -5, -5]])]))
    assert mistakes.activation == "softmax"  # the first three rows were logits, too
    assert [int(sample.image[0, 0, 0]) for sample in mistakes.worst()] == [3, 1, 0]


def test_nan_counts_as_the_worst_and_what_is_right_not_at_all() -> None:
    scores = np.array([[5, 0], [np.nan, np.nan], [9, 0], [0, 9]], "float32")
    images = np.zeros((4, 1, 4, 4), "float32")
    images[:, 0, 0, 0] = np.arange(4)
    mistakes = WorstMistakes(9, "auto")
    mistakes.add(Batch([images], [np.ones(4, int)], [scores]))
    assert [int(sample.image[0, 0, 0]) for sample in mistakes.worst()] == [1, 2, 0]


def test_the_worst_mistakes_of_every_evaluation_are_recorded(tmp_path: Path, shown: Shown) -> None:
    with Tracker(tmp_path) as tracker:
        fit(prepared(), tracker.callback(worst=4))
    assert [record.step for record in by_tag(tmp_path)["eval/worst mistakes"]] == [4, 9]
    for _, images, options in shown.of["eval/worst mistakes"]:
        assert 1 <= len(images) <= 4
        guesses = options["predictions"].argmax(axis=1)
        assert (guesses != options["labels"]).all()
        losses = -np.log(np.take_along_axis(options["predictions"], options["labels"][:, None], 1)[:, 0])
        assert (np.diff(losses) <= 0).all()


def test_mistakes_of_what_is_no_classifier_are_warned_about_once(tmp_path: Path) -> None:
    parts = [paddle.nn.Flatten(), paddle.nn.Linear(64, 6), paddle.nn.Unflatten(1, [2, 3])]
    net = paddle.nn.Sequential(*parts)
    model = paddle.Model(net)
    model.prepare(paddle.optimizer.SGD(0.01, parameters=net.parameters()), lambda out, y: out.square().mean())
    with Tracker(tmp_path) as tracker, pytest.warns(VizKitWarning, match="worst.*classifier") as told:
        fit(model, tracker.callback(worst=4))
    assert len([one for one in told if one.category is VizKitWarning]) == 1
    assert len(series(tmp_path, "eval/loss")) == 2


@pytest.mark.parametrize("options", [{"worst": 0}, {"worst": True}, {"images": 0}, {"images": 2.5}])
def test_bad_counts_are_told_at_once(tmp_path: Path, options: Any) -> None:
    with Tracker(tmp_path) as tracker, pytest.raises(DataError, match=next(iter(options))):
        tracker.callback(**options)


# ---- training stays as it was ----------------------------------------------------------------------


def trained(callback: Any = None) -> list[Any]:
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002
    model = prepared()
    fit(model, callback, epochs=5, shuffle=True)
    states = [random.random(), np.random.random(), paddle.rand([1]).item()]  # noqa: NPY002
    assert not {"train_batch", "eval_batch"} & set(vars(model))
    assert not any(layer._forward_post_hooks for layer in model.network.sublayers(include_self=True))
    return [*(value.numpy() for value in model.network.state_dict().values()), *states]


ALL: dict[str, Any] = {"graph": False, "images": 16, "images_every": 1, "samples": [0, 5, 7], "worst": 16}


def test_training_is_bit_identical(tmp_path: Path) -> None:
    without = trained()
    with Tracker(tmp_path) as tracker:
        having = trained(tracker.callback(**ALL))
    for one, other in zip(without, having, strict=True):
        np.testing.assert_array_equal(one, other)
    assert {"train/input", "eval/samples", "eval/worst mistakes"} <= set(by_tag(tmp_path))
    assert not tracker.lost


@pytest.mark.parametrize(
    ("name", "paths"),
    [
        ("_fit.evaluation_images.FollowedSamples.add", {"followed samples"}),
        ("_fit.evaluation_images.WorstMistakes.add", {"worst mistakes"}),
        ("_fit.evaluation_images.samples_of", {"followed samples", "worst mistakes"}),
        ("_fit.input_images.samples_of", {"input images"}),
        ("_fit.evaluation_images.record_samples", {"followed samples", "worst mistakes"}),
        ("_fit.input_images.record_samples", {"input images"}),
        ("_fit.evaluation_images.FollowedSamples.begin", {"followed samples"}),
        ("_fit.evaluation_images.WorstMistakes.worst", {"worst mistakes"}),
    ],
)
def test_what_fails_is_warned_about_once_and_training_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, paths: set[str]
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("injected")

    without = trained()
    monkeypatch.setattr(f"vizkit.hooks.{name}", fail)
    with Tracker(tmp_path) as tracker, pytest.warns(VizKitWarning, match="injected") as told:
        having = trained(tracker.callback(**ALL))
    injected = [str(warning.message) for warning in told if "injected" in str(warning.message)]
    assert {message.partition(":")[0] for message in injected} == paths
    assert len(injected) == len(paths)
    for one, other in zip(without, having, strict=True):
        np.testing.assert_array_equal(one, other)
