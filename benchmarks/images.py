"""Images, small and large, of bytes and of floats: what the calling thread spends on them."""

from __future__ import annotations

import time
from functools import partial

import numpy as np

from benchmarks._common import Goal, Table, fresh, interleaved, median, three, us
from benchmarks._libraries import LIBRARIES, Recorder

__all__ = ["run"]

PACE = 0.005  # seconds between two calls
CALLS = {(28, 28, 1): 40, (224, 224, 3): 15}  # in one repetition
PACED_REPEATS = 3
LOOP_REPEATS = 5
GOALS = {(28, 28, 1): 60e-6, (224, 224, 3): 300e-6}
BYTES_ONLY = ("trackio", "swanlab")
COPY = "floor: `img.copy()`"


def run(root: str) -> list[Table]:
    """One table for each size and type."""
    return [_table(root, shape, kind) for shape in GOALS for kind in (np.uint8, np.float32)]


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


def _table(root: str, shape: tuple[int, int, int], kind: type) -> Table:
    image, calls = picture(shape, kind), CALLS[shape]
    names = [n for n in LIBRARIES if n != "vizkit Tracker" and (kind is np.uint8 or n not in BYTES_ONLY)]
    paced = interleaved({n: partial(_paced, root, n, image, calls) for n in [*names, COPY]}, PACED_REPEATS)
    loops = interleaved({n: partial(_loop, root, n, image, calls) for n in names}, LOOP_REPEATS)
    base = "vizkit LogWriter"
    rows = []
    for name in paced:
        cells: list[str] = []
        for taken in (paced, loops):
            times = taken.get(name)
            cells += three(times, taken[base]) if times else ("", "", "")
        rows.append((name, *cells))
    size = "x".join(map(str, shape))
    ours, stock, copy = (us(median(paced[name])) for name in (base, "visualdl LogWriter", COPY))
    goal = Goal(
        f"image {size} {kind.__name__}, calling thread",
        f"<= {GOALS[shape] * 1e6:.0f} us",
        f"{ours} us (visualdl {stock} us, a bare copy {copy} us)",
        median(paced[base]) <= GOALS[shape],
    )
    note = (
        f"Paced: the mean of {calls} calls with {PACE * 1e3:.0f} ms between them, the calls alone. "
        f"Loop: the mean of {calls} in a tight loop with close included. Every call gets a copy "
        "made before, since stock VisualDL writes into float images."
    )
    columns = ("", "paced, us a call", "min", "times vizkit", "loop with close, us", "min", "times vizkit")
    return Table(f"Image {size} {kind.__name__}", columns, rows, [note], [goal])


def _as_taken(name: str, image: np.ndarray, count: int) -> list[np.ndarray]:
    """Copies, since VisualDL alters floats; trackio and swanlab take grey as two axes."""
    if name in BYTES_ONLY and image.shape[-1] == 1:
        image = image[..., 0]
    return [image.copy() for _ in range(count)]


def _paced(root: str, name: str, image: np.ndarray, calls: int) -> float:
    if name == COPY:
        recorder = Recorder(close=list, image=lambda tag, img, step: img.copy())
    else:
        recorder = LIBRARIES[name](fresh(root, name))
    assert recorder.image is not None
    spent = 0.0
    warm = 3
    for step, copy in enumerate(_as_taken(name, image, calls + warm)):
        time.sleep(PACE)
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
