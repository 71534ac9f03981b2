"""Columns of many short tags, made together, are those of each one alone."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import session_model
from tests.logs import NOW, assert_same_training, path_in
from vizkit.format import encode
from vizkit.format.decode import decode_record
from vizkit.format.types import Record, SessionMark
from vizkit.metrics.arrays import Ints
from vizkit.reading import RunReader, scalar_columns
from vizkit.reading.parts import columns_of_tags
from vizkit.reading.sessions import counting


def session_of(r: random.Random, tags: int, begin: int) -> list[Record]:
    """Stretches of scalars and of members of groups; steps are whole, fractions or too large for float64."""
    records: list[Record] = []
    for tag in r.sample(range(tags), r.randint(1, tags)) * r.choice([1, 1, 2]):
        for index in range(r.randint(1, 9)):
            step: int | float = begin + index if r.random() < 0.8 else r.randrange(20)
            if tag % 4 == 1 and r.random() < 0.3:
                step += 0.5
            elif tag % 4 == 2:
                step += 2**62
            now = NOW + 1000 * begin + len(records)
            fields = encode.step_field(step), encode.walltime_field(now)
            frame = encode.encode_scalar(encode.tag_field(f"tag{tag}"), r.random(), *fields)
            if tag % 5 == 4:
                frame = encode.encode_sub_scalar(f"group{tag % 2}", f"m{tag}", r.random(), step, now)
            records.append(decode_record(frame[8:]))
    return records


def frame_of(record: Record) -> bytes:
    step, walltime = record.step, record.walltime
    if record.kind == "scalars":
        return encode.encode_sub_scalar(record.tag, record.data.tag, record.data.value, step, walltime)
    fields = encode.step_field(step), encode.walltime_field(walltime)
    return encode.encode_scalar(encode.tag_field(record.tag), record.data, *fields)


@pytest.mark.parametrize("seed", range(12))
def test_many_tags_of_many_sessions_and_trainings_are_those_of_the_model(tmp_path: Path, seed: int) -> None:
    r = random.Random(seed)
    written = []
    for number in range(r.randint(1, 9)):
        mark = r.choice([SessionMark.BEGINS, SessionMark.RESUMES, SessionMark.RESUMES])
        written.append((mark, session_of(r, r.choice([3, 30, 60]), r.choice([0, 3, 8, 5 * number]))))
    for number, (mark, records) in enumerate(written):
        with path_in(tmp_path, number // 3).open("ab") as log:  # some sessions share a file
            log.write(encode.encode_meta_data("meta_data_tag", "", 0, NOW, mark))
            log.writelines(map(frame_of, records))
    every = session_model.trainings(written, [None] * len(written))
    last = RunReader(tmp_path)
    assert len(last.earlier) == len(every) - 1
    for training, sessions in zip([*last.earlier, last], every, strict=True):
        assert_same_training(training, sessions, in_order=False)


def test_few_columns_are_made_that_nobody_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And columns of all tags, in a few calls."""
    r = random.Random(0)
    for number in range(4):
        mark = encode.encode_meta_data("meta_data_tag", "", 0, NOW, SessionMark.RESUMES)
        frames = [frame_of(record) for _ in range(3) for record in session_of(r, 300, number)]
        path_in(tmp_path, number).write_bytes(mark + b"".join(frames))
    made: list[int] = []

    def counted(tags: list[Any], superseded: bool) -> list[Any]:
        made.append(len(tags))
        return columns_of_tags(tags, superseded)

    monkeypatch.setattr(scalar_columns, "columns_of_tags", counted)
    run = RunReader(tmp_path)
    tags = [tag for tag, kind in run.kinds.items() if kind == "scalar"]
    for count, tag in enumerate(tags[::17], 1):
        assert run.scalars(tag).steps.size
        assert sum(made) <= 2 * count
    assert run.scalars(tags[0]) is run.scalars(tags[0])
    del made[:]
    run = RunReader(tmp_path)
    for tag in tags:
        assert not any(column.flags.writeable for column in run.scalars(tag))
    assert len(tags) > 200 and len(made) < 12


@pytest.mark.parametrize("kind", [np.int64, np.float64])
@pytest.mark.parametrize("seed", range(20))
def test_several_tags_count_as_each_one_alone(seed: int, kind: type) -> None:
    draw = np.random.default_rng(seed)
    begins: list[Ints] = []
    steps, firsts, wanted, offset = [], [], [], 0
    for _ in range(draw.integers(1, 300 if seed % 5 == 0 else 8)):
        sizes = draw.integers(1, 6, draw.choice([1, 2, 3, 17]))
        of_tag = draw.integers(0, 12, sizes.sum()).astype(kind)
        if draw.random() < 0.5:
            of_tag.sort()
        rows = np.cumsum([0, *sizes[:-1]])
        alone = counting(of_tag, rows.tolist())
        wanted.append(offset + (np.arange(len(of_tag)) if alone is None else alone))
        firsts.append(sum(rows.size for rows in begins))
        steps.append(of_tag)
        begins.append(offset + rows)
        offset += len(of_tag)
    found = counting(np.concatenate(steps), np.concatenate(begins), firsts)
    every = np.arange(offset) if found is None else found
    np.testing.assert_array_equal(every, np.concatenate(wanted))
