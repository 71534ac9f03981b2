"""``python -m benchmarks.worst_logs``: a search for the logs that cost the most to read.

An evolutionary search over the patterns that a writer can make: tags, their lengths and order, kinds of
values and steps, other records in between, groups, sessions, files. It maximises the CPU time a record
of a `RunReader` with all columns, and prints the worst that it found; what is among the worst is measured
once more, with more readings. A tag, a member of a group and a session of a tag cost something of their own,
so each has about 50 records at least; a record counts once for each 256 bytes.
"""

from __future__ import annotations

import argparse
import dataclasses
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

__all__ = ["Pattern", "changed", "frames_of", "main", "ns_a_record"]

NOW = 1_767_225_600_000
LEAST = 50  # records of a tag in a session

VALUES: dict[str, Callable[[random.Random, int], float]] = {
    "float64": lambda r, n: r.random(),
    "float32": lambda r, n: r.randrange(1 << 20) / (1 << 20),
    "k/50": lambda r, n: r.randrange(51) / 50,
    "k/10000": lambda r, n: r.randrange(10_001) / 10_000,
    "rounded": lambda r, n: round(5 * r.random(), 1),
    "tenths": lambda r, n: 0.1 * n,
    "nan": lambda r, n: float("nan"),
    "huge": lambda r, n: 1e300 * r.random(),
    "zero": lambda r, n: 0.0,
}
STEPS: dict[str, Callable[[random.Random, int], int | float]] = {
    "steps": lambda r, n: n,
    "epochs": lambda r, n: n % 100,
    "fractions": lambda r, n: n / 4,
    "some fractions": lambda r, n: n / 2,
    "negative": lambda r, n: -n,
    "huge": lambda r, n: 2**62 + n,
    "backwards": lambda r, n: 2**20 - n,
    "any": lambda r, n: r.choice([n, -n, 2**40 + n, n / 8]),
}
WALLTIMES: dict[str, Callable[[random.Random, int], int]] = {
    "milliseconds": lambda r, n: NOW + 7 * n,
    "none": lambda r, n: 0,
    "seconds": lambda r, n: NOW // 1000 + n,
    "nanoseconds": lambda r, n: NOW * 1_000_000 + n,
    "any": lambda r, n: r.choice([NOW + n, 0, n, 2**62 - n]),
}
ORDERS = ("fixed", "shuffled", "any", "some left out", "in blocks")
OTHERS = ("text", "member", "image", "histogram", "long text")


@dataclass(frozen=True)
class Pattern:
    """What a log is like."""

    tags: int = 3
    length: int = 10  # of a tag's name, at least
    lengths: int = 1  # the names differ by so many characters
    values: tuple[str, ...] = ("float64",)
    stretch: int = 1  # records until the next kind of value
    steps: str = "steps"
    walltimes: str = "milliseconds"
    order: str = "fixed"
    evaluations: int = 0  # every so many steps; 0: never
    other: str = "text"
    others: int = 0  # every so many records; 0: never
    members: int = 3
    sessions: int = 1
    back: int = 0  # steps
    files: int = 1
    marks: str = "resumes"  # of all sessions but the first
    own: bool = False  # each session has tags of its own, but for the first tag


_CHOICES: dict[str, Callable[[random.Random], object]] = {
    "tags": lambda r: int(2 ** r.uniform(0, 9)),
    "length": lambda r: int(2 ** r.uniform(0, 9)),
    "lengths": lambda r: r.choice([1, 2, 8, 200]),
    "values": lambda r: tuple(r.sample(list(VALUES), r.randrange(1, 4))),
    "stretch": lambda r: int(2 ** r.uniform(0, 11)),
    "steps": lambda r: r.choice(list(STEPS)),
    "walltimes": lambda r: r.choice(list(WALLTIMES)),
    "order": lambda r: r.choice(ORDERS),
    "evaluations": lambda r: r.choice([0, 1, 2, 7, 100, 500]),
    "other": lambda r: r.choice(OTHERS),
    "others": lambda r: r.choice([0, 1, 2, 3, 10, 100]),
    "members": lambda r: int(2 ** r.uniform(0, 9)),
    "sessions": lambda r: int(2 ** r.uniform(0, 7)),
    "back": lambda r: r.choice([0, 1, 100]),
    "files": lambda r: r.choice([1, 1, 2, 5]),
    "marks": lambda r: r.choice(["resumes", "begins"]),
    "own": lambda r: r.choice([False, True]),
}


def changed(pattern: Pattern, r: random.Random, count: int = len(_CHOICES)) -> Pattern:
    """A pattern with ``count`` of its parts, all by default, drawn anew."""
    names = r.sample(list(_CHOICES), count)
    return dataclasses.replace(pattern, **{name: _CHOICES[name](r) for name in names})  # type: ignore[arg-type]


def frames_of(pattern: Pattern, records: int, seed: int = 0) -> Iterator[list[bytes]]:
    """The frames of each of a pattern's files, ``records`` in all, or more for very many tags."""
    from vizkit.format import encode
    from vizkit.format.types import SessionMark
    from vizkit.media.png import encode_png
    from vizkit.metrics.histograms import Histogram

    r = random.Random(seed)
    names = [f"{n}".ljust(pattern.length + r.randrange(pattern.lengths), "x") for n in range(pattern.tags)]
    fields = [encode.tag_field(name) for name in names]
    evaluated = [encode.tag_field("eval/" + name) for name in names]
    step_of, time_of = STEPS[pattern.steps], WALLTIMES[pattern.walltimes]
    png = encode_png(np.zeros((8, 8), np.uint8))
    histogram = Histogram(np.arange(10), np.arange(11.0), 0, 0, 0)
    members = _at_most(pattern.members, records // (pattern.others or 1) // LEAST)
    tags_of = {"member": members}.get(pattern.other, 1) if pattern.others else 0
    tags_of += pattern.tags * (2 if pattern.evaluations else 1)
    records = max(records, LEAST * tags_of)
    most = records // (LEAST * tags_of)
    files = min(pattern.files, most)
    sessions = max(min(pattern.sessions, most), files)
    of_session = records // sessions
    members = _at_most(members, of_session // (pattern.others or 1) // LEAST)
    evaluations = _at_most(pattern.evaluations, of_session // (LEAST * pattern.tags) - 1)
    count = n = 0
    for session in range(sessions):
        if session * files // sessions != (session - 1) * files // sessions:
            frames: list[bytes] = []
        resumes = session and pattern.marks == "resumes"
        mark = SessionMark.RESUMES if resumes else SessionMark.BEGINS
        frames.append(encode.encode_meta_data("meta_data_tag", "", 0, NOW, mark))
        if pattern.own:
            fields[1:] = [encode.tag_field(f"{session}.{name}") for name in names[1:]]
        n = max(n - pattern.back, 0)
        while count < records * (session + 1) // sessions:
            n += 1
            at, now = step_of(r, n), time_of(r, n)
            step, walltime = encode.step_field(at), encode.walltime_field(now)
            for index in _order(r, pattern.order, len(names), n):
                value = VALUES[pattern.values[count // pattern.stretch % len(pattern.values)]](r, n)
                frames.append(encode.encode_scalar(fields[index], value, step, walltime))
                count += 1
                if pattern.others and count % pattern.others == 0:
                    frames.append(_other(pattern.other, count % members, at, now, png, histogram, r))
                    count += 1
            if evaluations and n % evaluations == 0:
                frames += [encode.encode_scalar(field, r.random(), step, walltime) for field in evaluated]
                count += len(names)
        if (session + 1) * files // sessions != session * files // sessions:
            yield frames


def _order(r: random.Random, order: str, count: int, step: int) -> list[int]:
    tags = list(range(count))
    if order == "shuffled":
        r.shuffle(tags)
    elif order == "any":
        tags = [r.randrange(count) for _ in tags]
    elif order == "some left out":
        tags = [tag for tag in tags if r.random() < 0.9] or tags
    elif order == "in blocks":
        tags = [step // LEAST % count] * count
    return tags


def _at_most(asked: int, most: int) -> int:
    """The lower one, but 1 at least if it is asked for at all."""
    return min(asked, max(most, 1))


def _other(
    other: str, member: int, step: float, walltime: int, png: bytes, histogram: object, r: random.Random
) -> bytes:
    from vizkit.format import encode

    if other == "member":
        return encode.encode_sub_scalar("group", f"m{member}", r.random(), step, walltime)
    if other == "image":
        return encode.encode_image("image", png, step, walltime)
    if other == "histogram":
        return encode.encode_histogram("histogram", histogram, step, walltime)  # type: ignore[arg-type]
    return encode.encode_text("text", "word " * (200 if other == "long text" else 1), step, walltime)


def ns_a_record(files: list[list[bytes]], root: str, readings: int = 3) -> float:
    """The least CPU time of some readings of a run with all its columns, in ns a record."""
    with tempfile.TemporaryDirectory(dir=root) as directory:
        for number, frames in enumerate(files):
            Path(directory, f"vdlrecords.{number}.log").write_bytes(b"".join(frames))
        least = min(_seconds_to_read(directory) for _ in range(readings))
    return least / sum(-(-len(frame) // 256) for frames in files for frame in frames) * 1e9


def _seconds_to_read(directory: str) -> float:
    """The CPU time until all columns are there; what was read is freed after it."""
    from vizkit.reading import RunReader

    start = time.process_time()
    last = RunReader(directory)
    for run in (*last.earlier, last):
        for tag, kind in run.kinds.items():
            reads: dict[str, Callable[[str], object]] = {"scalar": run.scalars, "scalars": run.group}
            reads.get(kind, run.entries)(tag)
    return time.process_time() - start


def main() -> None:
    """Print each pattern that is worse than all before, and the worst ones measured anew."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.worst_logs", description=__doc__)
    parser.add_argument("--seconds", type=float, default=300, help="how long to search (%(default)s)")
    parser.add_argument(
        "--records", type=int, default=30_000, help="records of a log, at least (%(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    r = random.Random(given.seed)
    with tempfile.TemporaryDirectory(prefix="vizkit-bench-worst-") as root:

        def cost(pattern: Pattern, readings: int = 3) -> float:
            return ns_a_record(list(frames_of(pattern, given.records)), root, readings)

        end = time.monotonic() + given.seconds
        best: list[tuple[float, Pattern]] = [(cost(Pattern()), Pattern())]
        tried = 1
        while time.monotonic() < end:
            count = r.choice([1, 1, 2, 3, len(_CHOICES)])
            pattern = changed(r.choice(best)[1], r, count)
            taken = cost(pattern)
            tried += 1
            if taken > best[-1][0]:  # or the machine was slow just then
                taken = min(taken, cost(pattern, 15))
            if taken > best[0][0]:
                print(f"{tried:5} {taken:6.0f} ns a record: {_told(pattern)}", file=sys.stderr, flush=True)
            best = sorted([*best, (taken, pattern)], key=lambda one: one[0], reverse=True)[:12]
        print(f"{tried:,} logs of {given.records:,} records; the worst, measured anew:\n")
        for _, pattern in best[:5]:
            print(f"{cost(pattern, 15):6.0f} ns a record: {_told(pattern)}")


def _told(pattern: Pattern) -> str:
    usual = dataclasses.asdict(Pattern())
    given = dataclasses.asdict(pattern)
    return ", ".join(f"{name}={value}" for name, value in given.items() if value != usual[name])


if __name__ == "__main__":
    main()
