"""Records of every kind as they were written by earlier versions: ``tests/golden``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.unit.format.frames import body, scalar
from vizkit.format import encode
from vizkit.format.decode import decode_record
from vizkit.format.types import Embeddings, HParams
from vizkit.media.audio import to_wave
from vizkit.media.png import encode_png
from vizkit.metrics.histograms import compute_histogram
from vizkit.metrics.pr_roc import compute_pr_roc_curves

GOLDEN = Path(__file__).parents[2] / "golden"


def golden_frames() -> dict[str, bytes]:
    pr, roc = compute_pr_roc_curves([0, 1, 1, 0], [0.1, 0.8, 0.6, 0.7], num_thresholds=5)
    now = 1_700_000_000_123
    hparams = {
        "lr": 0.001,
        "batch size": 64,
        "optimizer": "Adam",
        "bias": True,
        "seed": None,
        "betas": [0.9, 0.99],
    }
    return {
        "meta_data": encode.encode_meta_data("meta_data_tag", "第一次", 0, now),
        "scalar": scalar("train/loss", 0.5, 300, now),
        "scalar_exact": scalar("train/loss", 0.1, 0.5, now),
        "scalars": encode.encode_sub_scalar("loss", "train", 0.1, 7, now),
        "text": encode.encode_text("note", "hello 世界", 1, now),
        "image": encode.encode_image("input", encode_png(np.zeros((2, 2), np.uint8))[:40], 1, now),
        "audio": encode.encode_audio("sound", to_wave(np.array([0, 1, -1], np.int16), 8000), 1, now),
        "histogram": encode.encode_histogram(
            "weights", compute_histogram([0.0, 1.0, np.nan, np.inf], 2), 1, now
        ),
        "pr_curve": encode.encode_pr_curve("pr", pr, 1, now),
        "roc_curve": encode.encode_roc_curve("roc", roc, 1, now),
        "embeddings": encode.encode_embeddings(
            "words", Embeddings(np.eye(2, dtype="f4"), [["a"], ["b"]]), 0, now
        ),
        "hparams": encode.encode_hparams(HParams(hparams, ["eval/acc"], "run"), now),
    }


@pytest.mark.parametrize("kind", sorted(golden_frames()))
def test_the_format_is_pinned(kind: str) -> None:
    """Logs written today are read for ever: these files change only with ``docs/format.md``."""
    frame = golden_frames()[kind]
    assert frame.hex() == (GOLDEN / f"{kind}.hex").read_text().strip()
    assert decode_record(body(frame)).kind == kind.removesuffix("_exact")
