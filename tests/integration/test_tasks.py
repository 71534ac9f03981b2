"""Tasks that `Model.fit` knows by the loss: what it records of them, and that it changes nothing."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

import numpy as np
import paddle
import pytest
from sklearn.metrics import roc_auc_score

from tests.helpers import by_tag, series
from vizkit import Tracker, VizKitWarning, load
from vizkit.demo import tasks
from vizkit.hooks import facts_of_loss
from vizkit.metrics.ctc import CTC
from vizkit.writing.tasks.task import LossFacts

nn, F = paddle.nn, paddle.nn.functional


class Shapes(paddle.io.Dataset):
    """Images with a square and a disc, and the class of each pixel; the frame does not count."""

    def __init__(self, count: int, size: int = 24) -> None:
        rng = np.random.default_rng(0)
        places = np.indices((size, size))
        self.samples = []
        for _ in range(count):
            label = np.zeros((size, size), np.int64)
            y, x = rng.integers(5, size - 5, 2)
            label[max(y - 4, 0) : y + 4, max(x - 4, 0) : x + 4] = 1
            y, x = rng.integers(5, size - 5, 2)
            label[np.hypot(places[0] - y, places[1] - x) < 4] = 2
            image = np.stack([label == 1, label == 2, label == 0]).astype("float32")
            image += rng.normal(0, 0.3, image.shape).astype("float32")
            label[0] = 255
            self.samples.append((image, label))

    def __getitem__(self, place: int) -> Any:
        return self.samples[place]

    def __len__(self) -> int:
        return len(self.samples)


def trained(network: Any, loss: Any, data: Any, callbacks: Any = None, rate: float = 0.05) -> list[Any]:
    """The weights after a short training."""
    paddle.seed(1)
    np.random.seed(1)  # noqa: NPY002  (Paddle's sampler)
    model = paddle.Model(network())
    model.prepare(paddle.optimizer.Adam(rate, parameters=model.parameters()), loss)
    model.fit(data, data, epochs=2, batch_size=5, verbose=0, callbacks=callbacks)
    return [parameter.numpy() for parameter in model.network.parameters()]


def convolutions() -> Any:
    return nn.Sequential(nn.Conv2D(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2D(8, 3, 1))


def last(run: Path, tag: str) -> Any:
    return series(run, tag)[-1][1]


class Volumes(paddle.io.Dataset):
    """Volumes with a ball, and the class of each voxel."""

    def __init__(self, count: int) -> None:
        rng = np.random.default_rng(0)
        places = np.indices((5, 12, 12))
        self.samples = []
        for _ in range(count):
            middle = rng.integers(3, 9, 3) - [2, 0, 0]
            label = (np.linalg.norm(places - middle[:, None, None, None], axis=0) < 3).astype(np.int64)
            volume = label[None] + rng.normal(0, 0.3, (1, *label.shape))
            self.samples.append((volume.astype("float32"), label))

    def __getitem__(self, place: int) -> Any:
        return self.samples[place]

    def __len__(self) -> int:
        return len(self.samples)


def test_a_segmentation_of_volumes_needs_no_option(tmp_path: Path) -> None:
    data = Volumes(6)
    with Tracker(tmp_path, strict=True) as tracker:
        trained(lambda: nn.Conv3D(1, 2, 1), nn.CrossEntropyLoss(axis=1), data, tracker.callback())
    run = load(tmp_path)[0]
    assert 0 < last(tmp_path, "eval/miou") <= 1 and "middle slice of 5" in last(tmp_path, "eval/scores")
    found = run.predictions().set_index("id")
    assert len(found) == 6
    assert found.input[3].array().shape[:2] == (12, 12)


def test_a_segmentation_network_needs_no_option(tmp_path: Path) -> None:
    data, loss = Shapes(12), nn.CrossEntropyLoss(axis=1, ignore_index=255)
    tracker = Tracker(tmp_path, strict=True)
    having = trained(convolutions, loss, data, tracker.callback())
    tracker.close()
    without = trained(convolutions, loss, data)
    for one, other in zip(without, having, strict=True):
        np.testing.assert_array_equal(one, other)
    assert last(tmp_path, "eval/miou") > 0.8
    tags = by_tag(tmp_path)
    assert {"eval/samples", "eval/worst", "eval/pr/2", "eval/iou/1", "eval/classes"} <= set(tags)
    assert len(tags["eval/miou"]) == 2 and "eval/scores" not in tags


def test_classes_last(tmp_path: Path) -> None:
    def network() -> Any:
        class Last(paddle.nn.Layer):
            def __init__(self) -> None:
                super().__init__()
                self.inner = convolutions()

            def forward(self, x: Any) -> Any:
                return self.inner(x).transpose([0, 2, 3, 1])

        return Last()

    tracker = Tracker(tmp_path, strict=True)
    trained(network, nn.CrossEntropyLoss(ignore_index=255), Shapes(12), tracker.callback(samples=[11, 3]))
    tracker.close()
    assert last(tmp_path, "eval/miou") > 0.8 and "eval/pr/2" in by_tag(tmp_path)


def as_paddleseg(name: str, **attributes: Any) -> Any:
    return of_suite("paddleseg.models.losses", name, **attributes)


def of_suite(package: str, name: str, **attributes: Any) -> Any:
    layer = type(name, (nn.Layer,), {"__module__": f"{package}.some"})()
    for key, value in attributes.items():
        setattr(layer, key, value)
    return layer


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (nn.CrossEntropyLoss(), LossFacts("softmax", "classes", -100, -1)),
        (nn.CrossEntropyLoss(axis=1, ignore_index=7), LossFacts("softmax", "classes", 7, 1)),
        (nn.CrossEntropyLoss(use_softmax=False), LossFacts(None, "classes", -100, -1)),
        (functools.partial(F.cross_entropy, ignore_index=2), LossFacts("softmax", "classes", 2, -1)),
        (nn.NLLLoss(ignore_index=3), LossFacts("softmax", "classes", 3)),
        (functools.partial(F.nll_loss, ignore_index=2), LossFacts("softmax", "classes", 2)),
        (F.cross_entropy, LossFacts("softmax", "classes", -100, -1)),
        (F.nll_loss, LossFacts("softmax", "classes", -100)),
        (nn.SoftMarginLoss(), LossFacts("sigmoid", "classes")),
        (nn.KLDivLoss(), LossFacts(task="other")),
        (F.triplet_margin_loss, LossFacts(task="other")),
        (lambda scores, labels: scores.mean(), LossFacts(ignore_index=-100)),
        (nn.BCELoss(), LossFacts(None, "classes")),
        (nn.BCEWithLogitsLoss(), LossFacts("sigmoid", "classes")),
        (nn.MSELoss(), LossFacts(task="regression")),
        (nn.L1Loss(), LossFacts(task="regression")),
        (nn.SmoothL1Loss(), LossFacts(task="regression")),
        (F.mse_loss, LossFacts(task="regression")),
        ([nn.L1Loss(), nn.CrossEntropyLoss()], LossFacts(task="regression")),
        (as_paddleseg("OhemCrossEntropyLoss", ignore_index=255), LossFacts("softmax", "classes", 255)),
        (as_paddleseg("BCELoss", ignore_index=255), LossFacts("sigmoid", "classes", 255)),
        (as_paddleseg("MixedLoss", losses=[as_paddleseg("DiceLoss")]), LossFacts("softmax", "classes")),
        (as_paddleseg("L1Loss"), LossFacts(task="regression")),
        (as_paddleseg("KLLoss"), LossFacts()),
        (nn.CTCLoss(blank=2), LossFacts("softmax", "generation", ctc=CTC(2, time_axis=0))),
        (functools.partial(F.ctc_loss, blank=1), LossFacts("softmax", "generation", ctc=CTC(1, time_axis=0))),
        (of_suite("ppocr.losses", "CTCLoss"), LossFacts(None, "generation", ctc=CTC(0, time_axis=1))),
        (of_suite("ppdet.modeling.losses", "YOLOv3Loss"), LossFacts(task="detection")),
        (nn.GaussianNLLLoss(), LossFacts(task="regression")),
        (nn.MultiLabelSoftMarginLoss(), LossFacts("sigmoid", "classes")),
        (nn.MultiMarginLoss(), LossFacts(task="classes")),
        (None, LossFacts()),
    ],
    ids=lambda value: re.sub(r" at 0x\w+", "", str(value)),  # the same in each worker
)  # fmt: skip
def test_what_a_loss_tells(loss: Any, expected: LossFacts) -> None:
    assert facts_of_loss(loss) == expected


class Values(paddle.io.Dataset):
    """Points and a linear function of them, or small images and their negative."""

    def __init__(self, *, images: bool) -> None:
        rng = np.random.default_rng(1)
        inputs = rng.uniform(0, 1, (40, 1, 16, 16) if images else (40, 3)).astype("float32")
        labels = 1 - inputs if images else inputs @ np.array([[1.0, 2], [3, -1], [0, 1]], "float32")
        self.samples = list(zip(inputs, labels, strict=True))

    def __getitem__(self, place: int) -> Any:
        return self.samples[place]

    def __len__(self) -> int:
        return len(self.samples)


@pytest.mark.parametrize(
    ("images", "loss", "expected"),
    [
        (False, nn.SmoothL1Loss(), {"eval/mae/0", "eval/residuals/1", "eval/samples", "eval/worst"}),
        (True, nn.L1Loss(), {"eval/psnr", "eval/ssim", "eval/samples", "eval/residuals"}),
    ],
    ids=["values", "images"],
)
def test_a_loss_of_values_has_a_regression(
    tmp_path: Path, images: bool, loss: Any, expected: set[str]
) -> None:
    def network() -> Any:
        return nn.Conv2D(1, 1, 1) if images else nn.Linear(3, 2)

    data = Values(images=images)
    tracker = Tracker(tmp_path, strict=True)
    having = trained(network, loss, data, tracker.callback())
    tracker.close()
    for one, other in zip(trained(network, loss, data), having, strict=True):
        np.testing.assert_array_equal(one, other)
    tags = by_tag(tmp_path)
    assert expected <= set(tags) and len(tags["eval/r2"]) == 2
    if isinstance(loss, nn.L1Loss):
        assert last(tmp_path, "eval/mae") == pytest.approx(last(tmp_path, "eval/loss"), rel=1e-5)


def test_a_loss_of_ones_own_has_a_regression_that_says_so(tmp_path: Path) -> None:
    data = Values(images=False)
    tracker = Tracker(tmp_path, strict=True)
    trained(lambda: nn.Linear(3, 2), lambda out, y: ((out - y) ** 2).mean(), data, tracker.callback())
    tracker.close()
    rmse = [last(tmp_path, f"eval/rmse/{k}") for k in range(2)]
    assert np.mean(np.square(rmse)) == pytest.approx(last(tmp_path, "eval/loss"), rel=1e-5)
    (said,) = by_tag(tmp_path)["eval/task"]
    assert "taken for a regression" in str(said)


def test_labels_of_minus_100_do_not_count_in_a_loss_of_ones_own(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    inputs, labels = rng.normal(size=(23, 3)).astype("float32"), rng.integers(0, 2, 23)
    labels[::4] = -100
    data = paddle.io.TensorDataset([paddle.to_tensor(inputs), paddle.to_tensor(labels)])
    tracker = Tracker(tmp_path, strict=True)
    loss = lambda out, y: F.cross_entropy(out, y)  # noqa: E731
    network = trained(lambda: nn.Linear(3, 2), loss, data, tracker.callback())
    tracker.close()
    scores = inputs @ network[0] + network[1]
    kept = labels >= 0
    expected = roc_auc_score(labels[kept], (scores[:, 1] - scores[:, 0])[kept])
    assert last(tmp_path, "eval/auc/1") == pytest.approx(expected, abs=1e-6)


def test_classes_of_tokens(tmp_path: Path) -> None:
    class Tokens(paddle.io.Dataset):
        def __getitem__(self, place: int) -> Any:
            ids = np.arange(place, place + 6) % 5
            return ids, ids % 3

        def __len__(self) -> int:
            return 20

    def network() -> Any:
        return nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 3))

    tracker = Tracker(tmp_path, strict=True)
    trained(network, nn.CrossEntropyLoss(), Tokens(), tracker.callback())
    tracker.close()
    assert last(tmp_path, "eval/perplexity") == pytest.approx(np.exp(last(tmp_path, "eval/loss")), rel=1e-5)
    assert {"eval/token acc", "eval/pr/2", "eval/samples"} <= set(by_tag(tmp_path))


EXPECTED = {
    "digits": {"eval/ap", "eval/confusion", "train/input"},
    "segmentation": {"eval/iou/disc", "eval/samples", "eval/classes"},
    "regression": {"eval/coverage/90", "eval/interval width/50", "eval/calibration", "eval/samples"},
    "text": {"eval/cer", "eval/exact match", "eval/samples"},
    "detection": {"eval/map50", "eval/ap/square", "eval/pr/disc", "eval/samples", "eval/worst"},
}


@pytest.mark.parametrize("name", list(tasks.EXAMPLES))
def test_a_training_with_everything_recorded_goes_on_as_without(tmp_path: Path, name: str) -> None:
    one = tasks.example(name, 64)
    bare = tasks.prepare(one)
    tasks.fit(one, bare)
    recorded = tasks.prepare(one)
    with Tracker(tmp_path, strict=True) as tracker:
        tasks.fit(one, recorded, tasks.callbacks_of(one, recorded, tracker))
    for without, having in zip(bare.parameters(), recorded.parameters(), strict=True):
        np.testing.assert_array_equal(without.numpy(), having.numpy())
    tags = by_tag(tmp_path)
    assert EXPECTED[name] <= set(tags)
    assert all(len(tags[tag]) == 2 for tag in EXPECTED[name] if tag.startswith("eval"))
    assert any(tag.startswith("gradients/") for tag in tags)


class Letters(paddle.io.Dataset):
    """Scores that a network hands on, and tokens: two times "ab", once a text of one letter too many."""

    def __getitem__(self, place: int) -> Any:
        best = [1, 1, 0, 2, 0] if place < 2 else [1, 0, 2, 0, 2]
        scores = 9 * np.eye(3, dtype="float32")[best]
        return scores, np.array([1, 2, 0], "int32"), np.array(5), np.array(2)

    def __len__(self) -> int:
        return 3


class HandsOn(paddle.nn.Layer):
    """Hands its input on, with the axes moved."""

    def __init__(self, *axes: int) -> None:
        super().__init__()
        self.axes, self.weight = axes, self.create_parameter([1])

    def forward(self, x: Any) -> Any:
        return x.transpose(list(self.axes)) + 0 * self.weight


def evaluated(run: Path, network: Any, loss: Any, data: Any, strict: bool = True, **options: Any) -> None:
    model = paddle.Model(network)
    model.prepare(loss=loss)
    with Tracker(run, strict=strict) as tracker:
        model.evaluate(data, batch_size=2, verbose=0, callbacks=tracker.callback(**options))


@pytest.mark.parametrize("named", [True, False])
def test_a_ctc_loss_has_texts(tmp_path: Path, named: bool) -> None:
    options: Any = {"class_names": ["-", "a", "b"]} if named else {}
    evaluated(tmp_path, HandsOn(1, 0, 2), nn.CTCLoss(), Letters(), **options)
    assert last(tmp_path, "eval/exact match") == pytest.approx(2 / 3)
    rate = last(tmp_path, "eval/cer" if named else "eval/wer")
    assert rate == pytest.approx(1 / 6)
    assert ("eval/cer" in by_tag(tmp_path)) == named
    rows = [line.split("\t") for line in last(tmp_path, "eval/samples").splitlines()]
    assert [row[:4] for row in rows[2:]] == [
        ["1", *(["ab", "ab"] if named else ["1 2", "1 2"]), "1.00 1.00"],
        ["2", *(["ab", "abb"] if named else ["1 2", "1 2 2"]), "1.00 1.00 1.00"],
    ]


def test_a_network_that_reads_nothing_in_a_whole_batch_has_its_rows(tmp_path: Path) -> None:
    with Tracker(tmp_path, strict=True) as tracker:
        evaluation = tracker.evaluation(loss=nn.CTCLoss(), class_names=["-", "a"])
        for best in ([0, 0], [1, 0]):
            evaluation.add(np.array([[1]]), 9 * np.eye(2)[best][:, None])
        evaluation.record(0)
        assert evaluation.rows()["token scores"].tolist() == ["", "1.00"]
    assert last(tmp_path, "eval/cer") == 0.5


def test_texts_of_a_decoder_of_the_users(tmp_path: Path) -> None:
    def decode(outputs: Any, labels: Any) -> Any:
        texts = ["".join("-ab"[k] for k in row) for row in outputs[0].argmax(axis=2).numpy()]
        assert len(labels) == 3
        return ["aa-b-"] * len(texts), texts

    evaluated(tmp_path, HandsOn(0, 1, 2), None, Letters(), decode=decode)
    assert last(tmp_path, "eval/exact match") == pytest.approx(2 / 3)


class Steps(paddle.io.Dataset):
    """Ordinal logits, of being above class 0 and above class 1, and the class."""

    def __getitem__(self, place: int) -> Any:
        return np.array([[-3, -5], [2, -2], [4, 3], [1, -1]][place], "float32"), np.array([0, 1, 2, 2][place])

    def __len__(self) -> int:
        return 4


def test_ordinal_scores_become_probabilities(tmp_path: Path) -> None:
    def decode(outputs: Any, labels: Any) -> Any:
        above = F.sigmoid(outputs[0]).numpy()
        ones, zeros = np.ones((len(above), 1)), np.zeros((len(above), 1))
        return labels[0], np.concatenate([ones, above], 1) - np.concatenate([above, zeros], 1)

    options: Any = {"decode": decode, "task": "classification", "activation": None}
    evaluated(tmp_path, HandsOn(0, 1), None, Steps(), **options)
    rows = [line.split("\t") for line in last(tmp_path, "eval/confusion/counts").splitlines()]
    assert [row[-3:] for row in rows[-3:]] == [["1", "0", "0"], ["0", "1", "0"], ["0", "1", "1"]]


def test_a_decoder_that_fails_is_said_once_and_records_no_part_of_an_evaluation(tmp_path: Path) -> None:
    def decode(outputs: Any, labels: Any) -> Any:
        if len(outputs[0]) == 1:
            raise ValueError("one too few")
        return ["a"] * 2, ["a"] * 2

    with pytest.warns(VizKitWarning, match="one too few"):
        evaluated(tmp_path, HandsOn(0, 1, 2), None, Letters(), strict=False, decode=decode)
    assert not [tag for tag in by_tag(tmp_path) if "match" in tag]


class Boxes(paddle.io.Dataset):
    """Two boxes of an image, as (class, four sides) or apart, and those that a network found."""

    def __init__(self, *, apart: bool) -> None:
        self.apart = apart

    def __getitem__(self, place: int) -> Any:
        sides = np.array([[10, 10, 60, 50], [80, 20, 120, 90], [0, 0, 0, 0]], "float32")
        classes = np.array([[0], [1], [0]], "float32")
        found = np.array([[0, 0.9, 10, 10, 60, 50], [1, 0.8, 0, 0, 30, 30], [-1, 0, 0, 0, 0, 0]], "float32")
        return (found, sides, classes) if self.apart else (found, np.concatenate([classes, sides], 1))

    def __len__(self) -> int:
        return 3


class Split(HandsOn):
    """Gives boxes as PaddleDetection does: those of all images, and their numbers."""

    def forward(self, x: Any) -> Any:
        return x[:, :2].reshape([-1, 6]) + 0 * self.weight, paddle.full([len(x)], 2, "int32")


@pytest.mark.parametrize("network", [HandsOn(0, 1, 2), Split()], ids=["padded", "counted"])
@pytest.mark.parametrize("apart", [True, False])
def test_boxes_of_a_detector(tmp_path: Path, network: Any, apart: bool) -> None:
    evaluated(tmp_path, network, None, Boxes(apart=apart), task="detection", class_names=["car", "tree"])
    assert last(tmp_path, "eval/ap/car") == pytest.approx(1)
    assert last(tmp_path, "eval/ap/tree") == 0
    assert last(tmp_path, "eval/false positives/background") == 3
    assert len(last(tmp_path, "eval/classes").splitlines()) == 3


def test_boxes_in_an_unknown_form_are_said(tmp_path: Path) -> None:
    with pytest.warns(VizKitWarning, match="decode="):
        evaluated(tmp_path, HandsOn(0, 1, 2), None, Letters(), strict=False, task="detection")


# -- the table of predictions ---------------------------------------------------------------------------


class Numbered(paddle.io.Dataset):
    """Images whose first pixel tells their place."""

    def __init__(self) -> None:
        rng = np.random.default_rng(3)
        self.labels = rng.integers(0, 3, 30)
        self.images = rng.integers(0, 256, (30, 3, 6, 6)).astype("float32")
        self.images[:, 0, 0, 0] = np.arange(30)

    def __getitem__(self, place: int) -> Any:
        return self.images[place], self.labels[place : place + 1]

    def __len__(self) -> int:
        return 30


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("workers", [0, 2])
def test_rows_have_the_indices_of_the_data_set(tmp_path: Path, shuffle: bool, workers: int) -> None:
    data = Numbered()
    loader = paddle.io.DataLoader(data, batch_size=8, shuffle=shuffle, num_workers=workers)
    sampler = loader.batch_sampler

    def network() -> Any:
        return nn.Sequential(nn.Flatten(), nn.Linear(108, 3))

    def fitted(callback: Any = None) -> Any:
        paddle.seed(1)
        np.random.seed(1)  # noqa: NPY002  (Paddle's sampler)
        model = paddle.Model(network())
        model.prepare(paddle.optimizer.SGD(1e-5, parameters=model.parameters()), nn.CrossEntropyLoss())
        model.fit(data, loader, epochs=2, batch_size=10, verbose=0, callbacks=callback)
        return [parameter.numpy() for parameter in model.network.parameters()], model

    light = ["day" if k % 3 else "night" for k in range(30)]
    with Tracker(tmp_path, strict=True, system=False) as tracker:
        weights, model = fitted(tracker.callback(slices={"light": light}, class_names=["a", "b", "c"]))
    assert loader.batch_sampler is sampler
    for one, other in zip(weights, fitted()[0], strict=True):
        np.testing.assert_array_equal(one, other)
    run = load(tmp_path)[0]
    frame = run.predictions()
    assert run.tables["eval/predictions"] == [2, 5] and run.problems == []
    assert sorted(frame["id"]) == list(range(30)) and (frame["id"].tolist() == list(range(30))) is not shuffle
    assert run.prediction_columns().about["ids"] == "index"
    assert [data.labels[key] for key in frame["id"]] == list(frame["label"].cat.codes)
    assert frame["light"].tolist() == [light[key] for key in frame["id"]]
    assert [int(image.array()[0, 0, 0]) for image in frame["input"]] == frame["id"].tolist()
    model.network.eval()
    scores = model.network(paddle.to_tensor(data.images[frame["id"]]))
    chosen = scores.argmax(axis=1).numpy()
    assert chosen.tolist() == list(frame["prediction"].cat.codes)


def test_rows_of_data_without_indices_say_so(tmp_path: Path) -> None:
    class Stream(paddle.io.IterableDataset):
        def __iter__(self) -> Any:
            return iter([Numbered()[k] for k in range(10)])

    model = paddle.Model(nn.Sequential(nn.Flatten(), nn.Linear(108, 3)))
    model.prepare(loss=nn.CrossEntropyLoss())
    with Tracker(tmp_path, strict=True, system=False) as tracker:
        loader = paddle.io.DataLoader(Stream(), batch_size=4)
        model.evaluate(loader, verbose=0, callbacks=tracker.callback(graph=False))
    run = load(tmp_path)[0]
    assert run.prediction_columns().about["ids"] == "unknown order" and len(run.predictions()) == 10


class Rows(paddle.io.Dataset):
    """Samples that are rows of some arrays."""

    def __init__(self, *arrays: Any) -> None:
        self.arrays = arrays

    def __getitem__(self, place: int) -> Any:
        return tuple(array[place] for array in self.arrays)

    def __len__(self) -> int:
        return len(self.arrays[0])


RNG = np.random.default_rng(0)
POINTS = Rows(RNG.normal(size=(20, 4)).astype("float32"), RNG.integers(0, 3, 20))


def prepared(network: Any, loss: Any) -> Any:
    model = paddle.Model(network)
    model.prepare(paddle.optimizer.SGD(0.1, parameters=model.parameters()), loss, paddle.metric.Accuracy())
    return model


def test_a_second_callback_of_a_tracker_records_nothing(tmp_path: Path) -> None:
    with Tracker(tmp_path) as tracker, pytest.warns(VizKitWarning, match="a second callback"):
        once = tracker.callback()
        callbacks = [once, tracker.callback(images=2), once]
        prepared(nn.Linear(4, 3), nn.CrossEntropyLoss()).fit(
            POINTS, POINTS, epochs=2, batch_size=5, verbose=0, callbacks=callbacks
        )
    assert [step for step, _ in series(tmp_path, "train/loss")] == list(range(8))
    assert [step for step, _ in series(tmp_path, "eval/loss")] == [3, 7]


def test_callbacks_of_two_trackers_record_both(tmp_path: Path) -> None:
    with Tracker(tmp_path / "a") as a, Tracker(tmp_path / "b") as b:
        callbacks = [a.callback(), b.callback()]
        prepared(nn.Linear(4, 3), nn.CrossEntropyLoss()).fit(
            POINTS, epochs=1, batch_size=5, verbose=0, callbacks=callbacks
        )
    assert all(len(series(tmp_path / name, "train/loss")) == 4 for name in "ab")


def test_an_evaluation_without_data_records_no_metric_of_the_training(tmp_path: Path) -> None:
    with Tracker(tmp_path) as tracker, pytest.warns(VizKitWarning, match="no batches"):
        prepared(nn.Linear(4, 3), nn.CrossEntropyLoss()).fit(
            POINTS, Rows([]), epochs=1, batch_size=5, verbose=0, callbacks=tracker.callback()
        )
    assert not [tag for tag in by_tag(tmp_path) if tag.startswith("eval/")]
    assert len(series(tmp_path, "train/acc")) == 4


class Heads(paddle.nn.Layer):
    """A network that gives classes and a value."""

    def __init__(self) -> None:
        super().__init__()
        self.classes, self.value = nn.Linear(4, 3), nn.Linear(4, 1)

    def forward(self, x: Any) -> Any:
        return self.classes(x), self.value(x)


def test_of_several_outputs_the_run_says_which_is_evaluated(tmp_path: Path) -> None:
    def loss(classes: Any, value: Any, label: Any) -> Any:
        return F.cross_entropy(classes, label) + value.square().mean()

    model = paddle.Model(Heads())
    model.prepare(paddle.optimizer.SGD(0.1, parameters=model.parameters()), loss)
    with Tracker(tmp_path, strict=True) as tracker:
        model.fit(POINTS, POINTS, epochs=2, batch_size=5, verbose=0, callbacks=tracker.callback())
    (said,) = by_tag(tmp_path)["eval/task"]
    assert "gives 2 outputs. The first, of shape [5, 3], is evaluated" in said.data


def test_where_no_task_is_known_the_run_says_so(tmp_path: Path) -> None:
    counts = Rows(POINTS.arrays[0], RNG.poisson(3, (20, 1)).astype("float32"))
    model = paddle.Model(nn.Linear(4, 1))
    model.prepare(paddle.optimizer.SGD(0.1, parameters=model.parameters()), nn.PoissonNLLLoss())
    with Tracker(tmp_path, strict=True) as tracker:
        model.fit(counts, counts, epochs=2, batch_size=5, verbose=0, callbacks=tracker.callback())
    (said,) = by_tag(tmp_path)["eval/task"]
    assert "is not known" in said.data and "[5, 1]" in said.data


class Decoded(paddle.nn.Layer):
    """A network that gives the number of the best class at each place, as one with a CRF does."""

    def __init__(self, scores: Any) -> None:
        super().__init__()
        self.scores = scores

    def forward(self, x: Any) -> Any:
        return self.scores(x).argmax(1)


@pytest.mark.parametrize(
    ("task", "scores", "x", "tag"),
    [
        ("segmentation", nn.Conv2D(3, 4, 1), RNG.normal(size=(7, 3, 6, 5)), "eval/pixel acc"),
        ("labelling", nn.Conv1D(3, 4, 1), RNG.normal(size=(7, 3, 6)), "eval/token acc"),
    ],
)
def test_class_numbers_of_places_have_names(tmp_path: Path, task: Any, scores: Any, x: Any, tag: str) -> None:
    x = x.astype("float32")
    labels = np.random.default_rng(1).integers(0, 4, (7, *x.shape[2:]))
    names = ["O", "B-A", "I-A", "B-B"]
    evaluated(tmp_path, Decoded(scores), None, Rows(x, labels), task=task, class_names=names)
    found = scores(paddle.to_tensor(x)).argmax(1).numpy()
    assert last(tmp_path, tag) == pytest.approx((found == labels).mean())
    assert (
        "eval/iou/B-A" in by_tag(tmp_path) if task == "segmentation" else "eval/entity f1" in by_tag(tmp_path)
    )
