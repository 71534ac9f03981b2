"""A log directory of hostile and odd runs: what a program, a friend or an enemy could leave there.

Each entry of `HOSTILE` writes one kind of run into a directory. `SECRET` lies outside of the log directory.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import vizkit
from tests.logs import NOW, path_in, scalar
from vizkit.format import encode, wire
from vizkit.format.types import HParams

__all__ = ["HOSTILE", "SECRET", "WALLTIMES", "write_good_run", "write_hostile_logs"]

SECRET = "a secret of the system"
DIGITS = "7" * 5_000
WALLTIMES = {
    "least": -(2**63),
    "greatest": 2**63 - 1,
    "negative": -1,
    "nanoseconds": NOW * 1_000_000,
    "microseconds": NOW * 1_000,
    "year 10000": 253_402_300_800_000,
    "within 1e17": 10**17,
}


def write_good_run(directory: Path) -> None:
    """A run without a fault, with a config, an environment, a text and a group."""
    with vizkit.LogWriter(directory) as writer:
        writer.add_hparams({"lr": 0.1, "text": "good"}, ["loss"])
        for step in range(5):
            writer.add_scalar("loss", 1.0 / (step + 1), step, walltime=NOW + 1000 * step)
            writer.add_scalars("group", {"run2": step, "run10": step}, step)
        writer.add_text("note", "hello", 0)


def _frame(number: int, tag: str, payload: bytes, walltime: int = NOW) -> bytes:
    record = b"".join(
        (encode.step_field(1), encode.tag_field(tag), encode.walltime_field(walltime))
    ) + wire.length_delimited(number, payload)
    value = b"\x0a" + wire.varint(len(record)) + record
    return len(value).to_bytes(8, "little") + value


def _hparam_json(name: str, data: bytes) -> bytes:
    """A record of one hyper-parameter whose exact value is this JSON."""
    one = wire.length_delimited(4, name.encode()) + wire.length_delimited(encode.EXACT_HPARAM, data)
    metric = wire.length_delimited(4, b"loss")
    return _frame(13, "hparam", wire.length_delimited(1, one) + wire.length_delimited(2, metric))


def _log(directory: Path, *frames: bytes) -> None:
    scalars = [scalar("loss", 1.0 / (step + 1), step, NOW + 1000 * step) for step in range(5)]
    path_in(directory).write_bytes(b"".join([*scalars, *frames]))


def _hparam(data: bytes) -> Callable[[Path], None]:
    return lambda directory: _log(directory, _hparam_json("odd", data))


def _with_file(name: str, data: bytes | str) -> Callable[[Path], None]:
    def write(directory: Path) -> None:
        _log(directory)
        (directory / name).write_bytes(data if isinstance(data, bytes) else data.encode())

    return write


def _environment(content: object) -> Callable[[Path], None]:
    return _with_file("environment.json", json.dumps(content))


def _with_pipe(name: str) -> Callable[[Path], None]:
    def write(directory: Path) -> None:
        _log(directory)
        os.mkfifo(directory / name)

    return write


def _with_link(name: str, target: str) -> Callable[[Path], None]:
    """A link out of the log directory, to ``target`` or, if that is relative, to a file beside the logs."""

    def write(directory: Path) -> None:
        _log(directory)
        root = next(parent for parent in directory.parents if parent.name == "log").parent
        (directory / name).symlink_to(target if target.startswith("/") else root / target)

    return write


def _with_diff(link: bool) -> Callable[[Path], None]:
    def write(directory: Path) -> None:
        name = "environment.0123456789ab.diff"
        session = {"status": "finished", "started": NOW, "git": {"diff_file": name}}
        _environment({**session, "sessions": [session] * (1 if link else 5_000)})(directory)
        if link:
            _with_link(name, "secret.txt")(directory)
        else:
            (directory / name).write_bytes(b"x" * 1_000_000)

    return write


def _group_of_digits(directory: Path) -> None:
    members = (DIGITS, DIGITS + "1", "run" + DIGITS, "٣" * 5_000)
    _log(directory, *(encode.encode_sub_scalar("group", name, 1.0, 1, NOW) for name in members))


def _large_text(directory: Path) -> None:
    text = f"{directory.name} " + "a1" * 500_000
    _log(directory, encode.encode_hparams(HParams({"text": text}, ["loss"]), NOW))


def png_header(width: int, height: int) -> bytes:
    """A PNG file of a few bytes that claims to be huge."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", header),
            chunk(b"IDAT", zlib.compress(bytes(1_000_000), 9)),
            chunk(b"IEND", b""),
        )
    )


def _images(directory: Path) -> None:
    sizes = ((20_000, 20_000), (12_000, 10_000), (2**31 - 1, 2**31 - 1))
    images = [
        encode.encode_image(f"bomb/{number}", png_header(*size), 1, NOW) for number, size in enumerate(sizes)
    ]
    _log(directory, *images, encode.encode_image("no image", b"\x89PNG\r\n\x1a\n", 1, NOW))


def _walltime(walltime: int) -> Callable[[Path], None]:
    def write(directory: Path) -> None:
        _log(
            directory,
            scalar("loss", 0.5, 5, walltime),
            scalar("odd", 0.5, 5, walltime),
            encode.encode_text("note", "hello", 1, walltime),
            encode.encode_sub_scalar("group", "a", 1.0, 1, walltime),
        )

    return write


def _steps(*steps: float) -> Callable[[Path], None]:
    """Scalars, texts and group members at steps that no writer accepts."""

    def write(directory: Path) -> None:
        frames = []
        for step in steps:
            exact = wire.double(encode.EXACT_STEP, step) if isinstance(step, float) else b""
            field = b"" if isinstance(step, float) else encode.step_field(step)
            for number, payload in ((12, b"\x0a\x02hi"), (14, b"\x0a\x01a\x15\0\0\x80\x3f"), (4, b"")):
                content = wire.length_delimited(number, payload) if payload else b"\x25\0\0\x80\x3f"
                head = field + encode.tag_field(f"odd{number}") + encode.walltime_field(NOW)
                value = wire.length_delimited(1, head + content + exact)
                frames.append(len(value).to_bytes(8, "little") + value)
        _log(directory, *frames)

    return write


def _other_contents(directory: Path) -> None:
    """Records whose content is nothing that a writer writes."""
    contents = (b"", b"\x0a\x00", b"\xff" * 40, wire.packed(1, b"\xff" * 64) + wire.packed(2, b"\xff" * 72))
    frames = [
        _frame(number, f"kind{number}/{index}", content)
        for number in range(5, 15)
        if number != 13
        for index, content in enumerate(contents)
    ]
    infinite = b"\x0d" + struct.pack("<f", float("inf"))
    _log(directory, *frames, _frame(6, "audio", infinite), _frame(10, "meta_data_tag", b"\x0a\x03\x1b[2"))


def _tags(directory: Path) -> None:
    tags = ("t" * 1_000_000, "", "\x00", "\ud800", DIGITS, "a\nb", "../../etc", "<script>", "\u202e\x1b[2J")
    _log(directory, *(scalar(tag, 1.0, 1, NOW) for tag in tags))


def _all_walltimes(directory: Path) -> None:
    _log(directory, *(scalar("odd", 0.5, step, time) for step, time in enumerate(WALLTIMES.values())))


def _laughs(first: str, again: str) -> str:
    """YAML of ten lines, each of which holds the one before nine times."""
    lines = [first]
    for before, name in pairwise("abcdefghij"):
        lines.append(f"{name}: &{name} " + again.format(", ".join([f"*{before}"] * 9)))
    return "\n".join(lines)


HOSTILE: dict[str, Callable[[Path], None]] = {
    "hparam nested": _hparam(b"[" * 100_000 + b"]" * 100_000),
    "hparam nested 900": _hparam(b'{"a":' * 900 + b"1" + b"}" * 900),
    "hparam nested 300": _hparam(b"[" * 300 + b"]" * 300),
    "hparam open": _hparam(b"[" * 1_000_000),
    "hparam of digits": _hparam(b"9" * 4_000),
    "hparam of more digits": _hparam(b"9" * 400_000),
    "hparam of a million": _hparam(b"[" + b"{}," * 1_000_000 + b"{}]"),
    "hparam beyond": _hparam(b"[1e999, -1e999, NaN, null, true, {}]"),
    "hparam of null": _hparam(b"null"),
    "hparam is no JSON": _hparam(b"\xff\xfe"),
    "group of digits": _group_of_digits,
    DIGITS[:200]: _log,
    "environment nested": _with_file("environment.json", "[" * 100_000 + "]" * 100_000),
    "environment nested within": _with_file("environment.json", '{"a":' * 5_000 + "1" + "}" * 5_000),
    "environment nested 300": _with_file("environment.json", '{"a":' * 300 + "1" + "}" * 300),
    "environment sessions": _environment({"sessions": [{}] * 200_000}),
    "environment of 60 MB": _with_file("environment.json", b"[" + b" " * 60_000_000 + b"]"),
    "environment of digits": _with_file("environment.json", '{"started": ' + DIGITS + "}"),
    "environment of great numbers": _environment(
        {"started": 10**400, "ended": -(10**400), "status": "finished", "pid": 10**400, "process": "x"}
    ),
    "environment of ends": _environment({"started": -(2**63), "ended": 2**63, "status": "finished"}),
    "environment of other types": _environment(
        {"started": "now", "ended": [1], "status": ["x"], "git": 3, "packages": 7, "error": [], "pid": True}
    ),
    "environment of odd sessions": _environment(
        {"sessions": [{"started": None}, {"started": "x"}, {"started": True, "ended": 1e400}], "started": 1.5}
    ),
    "environment of a dict as status": _environment({"status": {"a": 1}, "started": NOW, "sessions": "none"}),
    "environment is a list": _environment([1, 2]),
    "environment is a pipe": _with_pipe("environment.json"),
    "environment is zeros": _with_link("environment.json", "/dev/zero"),
    "environment is outside": _with_link("environment.json", "secret.json"),
    "environment is itself": _with_link("environment.json", "log/environment is itself/environment.json"),
    "diff is outside": _with_diff(True),
    "diff of 5 GB": _with_diff(False),
    "config is outside": _with_link("config.yaml", "secret.yaml"),
    "config is zeros": _with_link("config.yaml", "/dev/zero"),
    "config is a pipe": _with_pipe("config.yaml"),
    "config of 1 MB": _with_file("config.yaml", "".join(f"a{n}: [1, {{b: 2}}, x]\n" for n in range(45_000))),
    "config of digits": _with_file("config.yaml", f"a: {DIGITS}\nb: 0x{DIGITS}\nc: 1:1:1\n"),
    "config of hexadecimals": _with_file("config.yaml", f"b: 0x{DIGITS}\n{DIGITS}: 1\n0x{DIGITS}: 2\n"),
    "config of great floats": _with_file("config.yaml", "a: " + ":".join(["59"] * 5_000) + ".5\n"),
    "config of dates": _with_file("config.yaml", "a: 0001-01-01T00:00:00+23:59\nb: 9999-99-99\n"),
    "config nested": _with_file("config.yaml", "[" * 20_000),
    "config nested by dashes": _with_file("config.yaml", "a:\n" + "- " * 20_000 + "1"),
    "config of laughs": _with_file("config.yaml", _laughs("a: &a [lol]", "[{}]")),
    "config of merged laughs": _with_file("config.yaml", _laughs("a: &a {x: 1, y: 2}", "{{<<: [{}]}}")),
    "config within itself": _with_file("config.yaml", "a: &a [*a, {b: *a}]\n"),
    "config of keys": _with_file("config.yaml", "? [1, {a: b}]\n: 1\n? !x {a: b}\n: 2\n"),
    "config of classes": _with_file("config.yaml", "a: !!python/object/apply:os.system ['true']\nb: !!x\n"),
    "log is a pipe": _with_pipe("vdlrecords.2.log"),
    "log is itself": _with_link("vdlrecords.2.log", "log/log is itself/vdlrecords.2.log"),
    "log is zeros": _with_link("vdlrecords.2.log", "/dev/zero"),
    "images": _images,
    **{f"text {number}": _large_text for number in range(10)},
    **{f"walltime {name}": _walltime(walltime) for name, walltime in WALLTIMES.items()},
    "walltimes": _all_walltimes,
    "steps without numbers": _steps(float("nan"), 1.0, float("inf"), float("-inf"), float("nan")),
    "steps without end": _steps(-(2**63), 2**63 - 1, 0, 5),
    "steps of great fractions": _steps(1e308, -1e308, 0.5, 1e-300),
    "contents": _other_contents,
    "tags": _tags,
    "name \x1b[2J\u202e<script>": _log,
}


def write_hostile_logs(root: Path) -> Path:
    """Write ``root/log``: a run of each kind, and a good one beside each; the secrets lie in ``root``."""
    log = root / "log"
    for name, write in HOSTILE.items():
        (log / name).mkdir(parents=True)
        write(log / name)
    for place in ("0 good", "m good", "z good"):
        write_good_run(log / place)
    (root / "secret.txt").write_text(SECRET)
    (root / "secret.json").write_text(json.dumps({"status": "finished", "secret": SECRET}))
    (root / "secret.yaml").write_text(f"secret: {SECRET}\n")
    return log


if __name__ == "__main__":
    import sys

    write_hostile_logs(Path(sys.argv[1]))
