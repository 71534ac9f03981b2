"""Logs as trainings write them: in steps or alone, accuracies, evaluations, resumed, of two ranks."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

from benchmarks._common import Goal, Table
from benchmarks.worst_logs import NOW, Pattern, frames_of, ns_a_record

__all__ = ["run"]

RECORDS = 300_000
PATTERNS = {
    "a loss": Pattern(tags=1),
    "loss, accuracy of 50 and learning rate": Pattern(values=("float64", "k/50", "float32")),
    "accuracies of 50 and of 10,000, in tenths": Pattern(values=("k/50", "k/10000", "rounded")),
    "a loss of values 0.1 * step": Pattern(tags=1, values=("tenths",)),
    "12 tags, of which some are left out": Pattern(tags=12, order="some left out"),
    "an evaluation every 100 steps": Pattern(values=("float64", "k/50"), evaluations=100),
    "steps that are epochs": Pattern(steps="fractions", values=("float64", "k/50")),
    "steps that start over": Pattern(steps="epochs"),
    "an image, a histogram or a text every 10 records": Pattern(other="histogram", others=10),
    "groups of 3": Pattern(other="member", others=2),
    "resumed 20 times": Pattern(values=("float64", "k/50"), sessions=20, back=100),
    "5 files": Pattern(values=("float64", "k/50"), files=5),
    "two ranks in turn, in any order": Pattern(tags=4, order="any", values=("float64", "k/50")),
    "200 tags": Pattern(tags=200),
}
TAGS = 100_000
LONG = 1_000_000


def run(root: str) -> list[Table]:
    """Both tables."""
    table = Table(f"Logs of {RECORDS:,} records, as trainings write them", ("", "ns a record"))
    taken = {name: ns_a_record(list(frames_of(one, RECORDS)), root, 7) for name, one in PATTERNS.items()}
    table.rows += [(name, f"{ns:.0f}") for name, ns in taken.items()]
    worst = max(taken.values())
    table.goals.append(Goal(table.title, "<= 250 ns a record", f"{worst:.0f} ns, the most", worst <= 250))
    table.notes.append("The least CPU time of 7 readings with all columns.")
    return [table, _tags_and_appending(root)]


def _tags_and_appending(root: str) -> Table:
    from vizkit import LogWriter
    from vizkit.format import encode
    from vizkit.reading import RunReader
    from vizkit.writing import log_heads

    table = Table("Many tags, and a log that is continued", ("", "CPU time"))
    fields = encode.step_field(0), encode.walltime_field(NOW)
    frames = [encode.encode_scalar(encode.tag_field(f"tag{n}"), 0.1, *fields) for n in range(TAGS)]
    table.rows.append((f"{TAGS:,} tags of one record, us a tag", f"{ns_a_record([frames], root) / 1e3:.1f}"))
    long = b"".join(frame for frames in frames_of(Pattern(), LONG) for frame in frames)
    with TemporaryDirectory(dir=root) as directory:
        Path(directory, "vdlrecords.1.log").write_bytes(long)
        read, opened = [], []
        for step in range(7):
            start = process_time()
            RunReader(directory)
            read.append(process_time() - start)
            log_heads._known.clear()  # as in another process
            start = process_time()
            writer = LogWriter(directory)
            writer.add_scalar("loss", 0.1, step)
            opened.append(process_time() - start)
            writer.close()
        start = process_time()
        with LogWriter(directory) as writer:
            writer.add_scalar("loss", 0.1, 8)
        again = process_time() - start
    table.rows += [
        (f"{LONG:,} scalars, reading them, ms", f"{min(read) * 1e3:.0f}"),
        ("opening their log, and the first record, ms", f"{min(opened) * 1e3:.0f}"),
        ("the same once more in one process, ms", f"{again * 1e3:.1f}"),
    ]
    fast = min(opened) <= 0.06 and min(opened) <= 2 * min(read)
    goal = "at most 2 times reading it, under 60 ms"
    table.goals.append(Goal(f"opening a log of {LONG:,} scalars", goal, f"{min(opened) * 1e3:.0f} ms", fast))
    return table
