"""Evaluations of segmentations and detectors: what they take, beside a step of a network and pycocotools."""

from __future__ import annotations

import contextlib
import io
import os
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks._common import Goal, Table, median, ms
from vizkit import Tracker
from vizkit.metrics.boxes import Boxes
from vizkit.metrics.detection import DetectionScores

if TYPE_CHECKING:
    import paddle

__all__ = ["run"]

BATCH, CLASSES, SIDE = 8, 19, 512
STEPS, BATCHES = 2, 16
QUICK = os.environ.get("VIZKIT_BENCH_QUICK") == "1"
IMAGES, KINDS, FOUND = 200 if QUICK else 5_000, 80, 100
MOST_OF_A_STEP, MOST_MS = 0.03, 5.0


def run(root: str) -> list[Table]:
    return [_segmentation(root), _detection()]


def _segmentation(root: str) -> Table:
    """The cost of a batch on the training's thread, against a step of the smallest network of PaddleSeg."""
    import paddle

    table = Table(
        f"An evaluation of a segmentation, {SIDE}x{SIDE}, {CLASSES} classes, batch {BATCH}",
        ("work", "ms"),
        notes=[
            "`FastSCNN` of PaddleSeg (1.4 million parameters), trained with SGD on the processor. Of the "
            f"evaluation, {BATCHES} batches: metrics, curves, 4 samples and the 4 worst with layers, and the "
            "table with images and layers. The worker encodes pictures, layers and the table.",
        ],
    )
    rng = np.random.default_rng(0)
    labels = rng.integers(0, CLASSES, (BATCH, 16, 16)).repeat(SIDE // 16, 1).repeat(SIDE // 16, 2)
    y, x = paddle.to_tensor(labels), paddle.rand([BATCH, 3, SIDE, SIDE])
    scores = paddle.to_tensor(rng.normal(size=(BATCH, CLASSES, SIDE, SIDE)).astype("float32"))
    adding = []
    with Tracker(f"{root}/segmentation", system=False, quiet=True) as tracker:
        evaluation = tracker.evaluation("eval", activation="softmax", ignore_index=255)
        for _ in range(BATCHES):
            start = time.perf_counter()
            evaluation.add(y, scores, x)
            adding.append(time.perf_counter() - start)
        start = time.perf_counter()
        evaluation.record(0)
        recording = time.perf_counter() - start
        cpu = time.process_time()
        tracker.flush()
        cpu = time.process_time() - cpu
    cost = (sum(adding) + recording) / BATCHES
    table.rows += [
        ("`evaluation.add` of a batch, median", ms(median(adding))),
        ("the same of the first batch, whose samples are kept", ms(adding[0])),
        ("`evaluation.record`, on the training's thread", ms(recording)),
        ("all of it on the training's thread, a batch", ms(cost)),
        ("CPU time of the worker, a batch", ms(cpu / BATCHES)),
    ]
    steps = _steps(x, y)
    if not steps:
        table.notes.append("PaddleSeg is not installed: no step to compare with.")
        return table
    table.rows.append(("a step of the network, median", ms(median(steps))))
    share = cost / median(steps)
    table.goals.append(
        Goal(
            "segmentation 512x512, 19 classes, batch 8: metrics and layers, a batch",
            "<= 3 % of a step, or 5 ms",
            f"{share:.1%}, {ms(cost)} ms",
            share <= MOST_OF_A_STEP or cost * 1000 <= MOST_MS,
        )
    )
    return table


def _steps(x: paddle.Tensor, y: paddle.Tensor) -> list[float]:
    import paddle

    try:
        from paddleseg.models import FastSCNN
    except ImportError:
        return []
    network = FastSCNN(CLASSES, enable_auxiliary_loss=False)
    optimizer = paddle.optimizer.SGD(0.01, parameters=network.parameters())
    loss_function = paddle.nn.CrossEntropyLoss(axis=1, ignore_index=255)
    taken = []
    for _ in range(1 + STEPS):
        start = time.perf_counter()
        loss = loss_function(network(x)[0], y)
        loss.backward()
        optimizer.step()
        optimizer.clear_grad()
        float(loss)
        taken.append(time.perf_counter() - start)
    return taken[1:]


def _detection() -> Table:
    """COCO's average precision of made boxes, against pycocotools."""
    rng = np.random.default_rng(0)
    images = []
    for _ in range(IMAGES):
        count = int(rng.integers(1, 14))
        corner, size = rng.uniform(0, 400, (count, 2)), rng.uniform(5, 200, (count, 2))
        true = np.concatenate([corner, corner + size], axis=1)
        near = true.repeat(4, axis=0) + rng.normal(0, 8, (4 * count, 4))
        stray = rng.uniform(0, 400, (FOUND - 4 * count, 2))
        every = np.concatenate(
            [near, np.concatenate([stray, stray + rng.uniform(5, 150, stray.shape)], axis=1)]
        )
        every[:, 2:] = np.maximum(every[:, 2:], every[:, :2] + 1)
        kinds = rng.integers(0, KINDS, count)
        guessed = np.concatenate([kinds.repeat(4), rng.integers(0, KINDS, len(stray))])
        crowd = rng.random(count) < 0.02
        labels = Boxes(true, kinds, np.ones(count), crowd, size.prod(axis=1))
        found = Boxes(every, guessed, rng.random(FOUND), np.zeros(FOUND, bool), np.zeros(FOUND))
        images.append((labels, found))
    table = Table(
        f"COCO's AP of {IMAGES:,} images with {FOUND} boxes, {KINDS} classes", ("", "s", "CPU time, s", "AP")
    )
    start, cpu = time.perf_counter(), time.process_time()
    scores = DetectionScores(10**7)
    for labels, found in images:
        scores.add(labels, found)
    ours = scores.result(KINDS).ap()
    own, own_cpu = time.perf_counter() - start, time.process_time() - cpu
    table.rows.append(("vizkit", f"{own:.2f}", f"{own_cpu:.2f}", f"{ours:.6f}"))
    theirs = _pycocotools(images)
    if theirs is not None:
        seconds, their_cpu, ap = theirs
        table.rows.append(("pycocotools", f"{seconds:.2f}", f"{their_cpu:.2f}", f"{ap:.6f}"))
        table.goals.append(
            Goal(
                "COCO's AP against pycocotools",
                "equal and faster",
                f"{seconds / own:.1f}x faster, of CPU {their_cpu / own_cpu:.1f}x, {abs(ap - ours):.1g} apart",
                seconds > own and abs(ap - ours) < 1e-9,
            )
        )
    return table


def _pycocotools(images: list[tuple[Boxes, Boxes]]) -> tuple[float, float, float] | None:
    """The seconds that it takes without its making of the data set, those of CPU time, and the AP."""
    try:
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval
    except ImportError:
        return None

    def rows(boxes: Boxes, image: int) -> list[dict[str, Any]]:
        sides = np.concatenate([boxes.places[:, :2], boxes.places[:, 2:] - boxes.places[:, :2]], axis=1)
        return [
            {"image_id": image, "category_id": kind, "bbox": box, "score": score}
            for kind, box, score in zip(
                boxes.classes.tolist(), sides.tolist(), boxes.scores.tolist(), strict=True
            )
        ]

    annotations, results = [], []
    for i, (labels, found) in enumerate(images):
        for row, crowd, area in zip(
            rows(labels, i), labels.crowd.tolist(), labels.areas.tolist(), strict=True
        ):
            annotations.append({**row, "iscrowd": int(crowd), "area": area, "id": len(annotations) + 1})
        results += rows(found, i)
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "info": {},
            "images": [{"id": i} for i in range(len(images))],
            "categories": [{"id": k} for k in range(KINDS)],
            "annotations": annotations,
        }
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(results), "bbox")
        start, cpu = time.perf_counter(), time.process_time()
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return time.perf_counter() - start, time.process_time() - cpu, float(evaluation.stats[0])
