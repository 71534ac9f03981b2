"""Records of other kinds than scalars."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

import vizkit
from tests.helpers import log_of
from vizkit import DataError, LogWriter, Runs


def test_media_are_decoded_when_asked_for(runs: Runs) -> None:
    run = runs["media"]
    grey = run.images("grey")
    assert len(grey) == 3 and grey.steps.tolist() == [0, 1, 2] and len(grey.walltimes) == 3
    assert grey[1].shape == (4, 5, 1) and grey[1].dtype == np.uint8 and (grey[1] == 60).all()
    assert [int(image[0, 0, 0]) for image in grey] == [0, 60, 120] and len(grey[1:]) == 2
    assert np.array_equal(run.images("colour")[0], np.arange(60).reshape(4, 5, 3))
    assert grey.png(0).startswith(b"\x89PNG") and repr(grey) == "<3 x image 'grey', steps 0 to 2>"
    assert run.histograms("weights")[0].counts.tolist() == [2] * 5
    assert run.pr_curves("pr")[0].ap == 1 and run.roc_curves("roc")[-1].auc == 1
    assert run.texts("notes")[0] == "halved" and run.texts("notes").steps.tolist() == [4]
    assert run.audio("sound")[0].sample_rate == 8000
    assert run.embeddings("vectors")[0].labels == [["a"], ["b"], ["c"]]
    assert run.tags["image"] == ["grey", "colour"]
    with pytest.raises(IndexError):
        grey[3]


def test_numbers_behind_pictures_are_read(tmp_path: Path) -> None:
    labels = np.array([0, 1, 1, 2])
    scores = np.array([[0.9, 0.1, 0], [0.2, 0.8, 0], [0.6, 0.4, 0], [0, 0, 1]])
    with vizkit.Tracker(tmp_path / "run", system=False) as tracker:
        for step in range(2):
            with tracker.curves("eval", class_names=["cat", "dog", "owl"], activation=None) as curves:
                curves.add(labels, scores)
            tracker.log({"loss": 1.0}, step=step)
    run = vizkit.load(tmp_path)["run"]
    matrices = run.confusion_matrices()
    assert len(matrices) == len(run.images("eval/confusion")) and matrices[-1].names == ("cat", "dog", "owl")
    assert matrices[-1].counts.tolist() == [[1, 0, 0], [1, 1, 0], [0, 0, 1]] and matrices[-1].accuracy == 0.75
    diagram = run.reliabilities()[-1]
    assert diagram.counts.sum() == 4 and diagram.ece == pytest.approx(run.last("eval/ece").value)
    with pytest.raises(vizkit.UnknownNameError):
        run.confusion_matrices("other")
    with LogWriter(tmp_path / "other") as writer:
        writer.add_text("eval/confusion/counts", "none", 0)
    with pytest.raises(DataError, match="not the numbers of a confusion matrix"):
        vizkit.load(tmp_path)["other"].confusion_matrices()[0]


def test_a_caption_is_a_text_beside_its_image(tmp_path: Path) -> None:
    with vizkit.Tracker(tmp_path / "run", system=False) as tracker:
        tracker.log_image("answer", np.zeros((4, 4, 3), np.uint8), step=3, caption="a *cat*")
        tracker.log_image("answer", np.zeros((4, 4, 3), np.uint8), step=4)
        with pytest.raises(TypeError, match="caption must be a text"):
            tracker.log_image("answer", np.zeros((4, 4, 3), np.uint8), step=5, caption=7)  # type: ignore[arg-type]
    run = vizkit.load(tmp_path)["run"]
    assert run.images("answer").steps.tolist() == [3, 4]
    captions = run.texts("answer/caption")
    assert (captions[0], captions.steps.tolist()) == ("a *cat*", [3])
    assert captions.walltimes[0] == run.images("answer").walltimes[0]


@pytest.mark.parametrize(
    ("mode", "shape"),
    [
        ("L", (2, 3, 1)),
        ("RGB", (2, 3, 3)),
        ("RGBA", (2, 3, 4)),
        ("1", (2, 3, 1)),
        ("P", (2, 3, 3)),
        ("LA", (2, 3, 4)),
    ],
)
def test_any_image_file_becomes_height_width_channels(mode: str, shape: tuple[int, ...]) -> None:
    from PIL import Image

    from vizkit.runs.media import decode_image

    file = io.BytesIO()
    Image.new(mode, (3, 2)).save(file, "PNG")
    pixels = decode_image(file.getvalue())
    assert pixels.shape == shape and pixels.dtype == np.uint8


def test_a_broken_image_says_which(tmp_path: Path) -> None:
    with LogWriter(str(tmp_path)) as writer:
        writer.add_image("x", np.zeros((40, 50), np.uint8), 1, dataformats="HW")
    data = log_of(tmp_path).read_bytes()
    log_of(tmp_path).write_bytes(data.replace(b"IDAT", b"IDUT"))
    with pytest.raises(DataError, match="image 0 of 'x' cannot be decoded"):
        vizkit.load(tmp_path)[0].images("x")[0]
    with pytest.raises(DataError, match="image 0 of 'x' cannot be decoded"):
        vizkit.load(tmp_path)[0].images("x").readable([0])
