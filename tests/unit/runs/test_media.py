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
