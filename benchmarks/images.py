"""Images, small and large, of bytes and of floats: what the calling thread spends on them."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from benchmarks._apart import apart
from benchmarks._common import Goal, Table, fresh, interleaved, median, three, us
from benchmarks._libraries import LIBRARIES, Recorder

__all__ = ["run"]

PACE = 0.005  # seconds between two calls, in which the worker keeps up
CALLS = {(28, 28, 1): 40, (224, 224, 3): 15}  # in one repetition
REPEATS = 5
GOALS = {(28, 28, 1): 60e-6, (224, 224, 3): 300e-6}
BYTES_ONLY = ("trackio", "swanlab")
COPY = "floor: `img.copy()`"


def run(root: str) -> list[Table]:
    """One table for each size and type."""
    with apart(root, [*LIBRARIES, COPY]) as there:
        return [_table(there, root, shape, kind) for shape in GOALS for kind in (np.uint8, np.float32)]


def picture(shape: tuple[int, int, int], kind: type) -> np.ndarray:
    """Soft light and a few shapes with sensor noise: compresses as photographs do."""
    height, width, channels = shape
    noise = np.random.default_rng(0).normal(0, 0.012, shape)
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    layers = []
    for channel in range(channels):
        light = 0.45 + 0.3 * np.sin(3 * x + channel) * np.cos(2 * y - channel)
        disc = ((x - 0.35 - 0.05 * channel) ** 2 + (y - 0.4) ** 2 < 0.04) * 0.25
        layers.append(light + disc + 0.1 * (x + y > 1.3))
    image = (np.stack(layers, axis=-1) + noise).clip(0, 1)
    return (image * 255).astype(np.uint8) if kind is np.uint8 else image.astype(np.float32)


def _table(there: Callable[..., Any], root: str, shape: tuple[int, int, int], kind: type) -> Table:
    image, calls = picture(shape, kind), CALLS[shape]
    names = [n for n in LIBRARIES if n != "vizkit Tracker" and (kind is np.uint8 or n not in BYTES_ONLY)]
    ways = {"work": partial(_paced, _work), "sleep": partial(_paced, time.sleep), "loop": _loop}
    taken = {}
    for way, measure in ways.items():
        # A run of trackio or swanlab takes a second to begin and end: they do not get the third way.
        some = {"work": [*names, COPY], "sleep": [*names[:2], COPY], "loop": names}[way]
        cases = {name: partial(there, name, measure, root, name, image, calls) for name in some}
        taken[way] = interleaved(cases, REPEATS)
    base = "vizkit LogWriter"
    rows = []
    for name in [*names, COPY]:
        cells: list[str] = []
        for times in taken.values():
            middle, least, slower = three(times[name], times[base]) if name in times else ("", "", "")
            cells += (f"{middle} ({least})" if middle else "", slower)
        rows.append((name, *cells))
    size = "x".join(map(str, shape))
    middles = {way: {name: us(median(times)) for name, times in taken[way].items()} for way in taken}
    goal = Goal(
        f"image {size} {kind.__name__}, calling thread",
        f"<= {GOALS[shape] * 1e6:.0f} us",
        f"{middles['work'][base]} us (after sleep {middles['sleep'][base]}, visualdl "
        f"{middles['work']['visualdl LogWriter']}, a bare copy {middles['work'][COPY]})",
        median(taken["work"][base]) <= GOALS[shape],
    )
    note = (
        f"Means of {calls} calls in us, each library in a process of its own: the median of {REPEATS} "
        "repetitions, and the least. The calls alone, "
        f"{PACE * 1e3:.0f} ms of other work, or of sleep, before each; and a tight loop, close included. "
        "Every call gets a copy made before, since stock VisualDL writes into float images."
    )
    times = "times vizkit"
    columns = (
        "",
        "after work (least)",
        times,
        "after sleep (least)",
        times,
        "loop with close (least)",
        times,
    )
    return Table(f"Image {size} {kind.__name__}", columns, rows, [note], [goal])


def _as_taken(name: str, image: np.ndarray, count: int) -> list[np.ndarray]:
    """Copies, since VisualDL alters floats; trackio and swanlab take grey as two axes."""
    if name in BYTES_ONLY and image.shape[-1] == 1:
        image = image[..., 0]
    return [image.copy() for _ in range(count)]


def _work(seconds: float) -> None:
    """As a training step does: busy, mostly without Python's lock, and with the caches in use."""
    end = time.perf_counter() + seconds
    weights = np.ones(1 << 18, np.float32)
    while time.perf_counter() < end:
        np.multiply(weights, 1.0001, out=weights)


def _paced(pause: Callable[[float], None], root: str, name: str, image: np.ndarray, calls: int) -> float:
    if name == COPY:
        recorder = Recorder(close=list, image=lambda tag, img, step: img.copy())
    else:
        recorder = LIBRARIES[name](fresh(root, name))
    assert recorder.image is not None
    spent = 0.0
    warm = 3
    for step, copy in enumerate(_as_taken(name, image, calls + warm)):
        pause(PACE)
        start = time.perf_counter()
        recorder.image("input", copy, step)
        if step >= warm:
            spent += time.perf_counter() - start
    recorder.close()
    return spent / calls


def _loop(root: str, name: str, image: np.ndarray, calls: int) -> float:
    copies = _as_taken(name, image, calls)
    recorder = LIBRARIES[name](fresh(root, name))
    assert recorder.image is not None
    start = time.perf_counter()
    for step, copy in enumerate(copies):
        recorder.image("input", copy, step)
    recorder.close()
    return (time.perf_counter() - start) / calls
