"""Seconds and milliseconds: the same answer in frames and on the page."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import vizkit
from tests.helpers import by_tag, get
from vizkit import DataError
from vizkit.format.walltime import NO_TIME, count_odd, milliseconds, plain_walltime, time_list

BOUNDARIES = [
    (-(2**63), NO_TIME),
    (-1, NO_TIME),
    (0, 0),
    (1, 1),
    (500_000_000, 500_000_000),
    (999_999_999, 999_999_999),
    (1_000_000_000, 1_000_000_000_000),  # September 2001
    (1_999_999_999, 1_999_999_999_000),  # May 2033
    (2_000_000_000, 2_000_000_000),
    (1_700_000_000_000, 1_700_000_000_000),
    (253_402_300_799_999, 253_402_300_799_999),  # the year 9999
    (253_402_300_800_000, NO_TIME),
    (999_999_999_999_999, NO_TIME),
    (1_700_000_000_000_999, 1_700_000_000_000),  # microseconds
    (2_000_000_000_000_000, NO_TIME),
    (1_700_000_000_000_999_999, 1_700_000_000_000),  # nanoseconds
    (2_000_000_000_000_000_000, NO_TIME),
    (2**63 - 1, NO_TIME),
]


@pytest.mark.parametrize(("recorded", "wanted"), BOUNDARIES)
def test_seconds_of_this_age_become_milliseconds_and_nothing_else(recorded: int, wanted: int) -> None:
    assert milliseconds(np.array([recorded])).tolist() == [wanted]


def test_each_record_counts_alone() -> None:
    recorded, wanted = (np.array(column) for column in zip(*BOUNDARIES, strict=True))
    assert milliseconds(recorded).tolist() == wanted.tolist()
    assert recorded.tolist() == [row[0] for row in BOUNDARIES]  # the caller's array is only read


def test_what_is_no_time_is_none_and_counted() -> None:
    recorded = np.array([5, -1, 1_700_000_000_000_999, 2**63 - 1])
    assert time_list(recorded) == [5, None, 1_700_000_000_000, None]
    assert count_odd(recorded) == 3
    assert milliseconds(milliseconds(recorded)).tolist() == milliseconds(recorded).tolist()


def test_nothing_is_copied_where_nothing_changes() -> None:
    for walltimes in (np.array([1_700_000_000_000, 5]), np.array([1_700_000_000_000, 1_700_000_000_001])):
        assert milliseconds(walltimes) is walltimes
    assert milliseconds(walltimes[:0]).tolist() == []


@pytest.mark.parametrize("recorded", [500_000_000, 1_600_000_000, 1_600_000_000_000])
def test_a_walltime_is_served_as_it_is_loaded(recorded: int, tmp_path: Path) -> None:
    with vizkit.LogWriter(str(tmp_path / "run")) as writer:
        writer.add_scalar("loss", 0.5, 1, walltime=recorded)
    loaded = vizkit.load(tmp_path)["run"].columns("loss").walltimes.tolist()
    with vizkit.serve(tmp_path) as server:
        url = f"http://127.0.0.1:{server.port}/app/api/scalar/list"
        served = get(url, params={"run": "run", "tag": "loss"}).json()["data"]
    assert loaded == [point[0] for point in served] == milliseconds(np.array([recorded])).tolist()


BERLIN = timezone(timedelta(hours=2))
NO_TIMES = (pd.NaT, np.datetime64("NaT"), np.array(["2023-11-14"] * 2, "datetime64[s]"))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        *((0, 0), (5, 5), (1_700_000_000_123, 1_700_000_000_123), (np.int64(7), 7)),
        *((1_700_000_000, 1_700_000_000_000), (1_700_000_000.25, 1_700_000_000_250)),
        *((np.float64(1_700_000_000.5), 1_700_000_000_500), (1_700_000_000_123.9, 1_700_000_000_123)),
        *((datetime(2023, 11, 14, 22, 13, 20, 250_000, timezone.utc), 1_700_000_000_250),),
        *((datetime(2023, 11, 15, 0, 13, 20, tzinfo=BERLIN), 1_700_000_000_000),),
        *((datetime.fromtimestamp(1_700_000_000), 1_700_000_000_000),),
        *((pd.Timestamp(1_700_000_000.25, unit="s", tz="Asia/Tokyo"), 1_700_000_000_250),),
        *((pd.Timestamp(datetime.fromtimestamp(1_700_000_000)), 1_700_000_000_000),),
        *((np.datetime64(1_700_000_000, "s"), 1_700_000_000_000), (np.datetime64("1970-01-02"), 86_400_000)),
        *((np.datetime64(1_700_000_000_123_456_789, "ns"), 1_700_000_000_123),),
        *((np.array([1_700_000_000], "datetime64[s]"), 1_700_000_000_000),),
        *(("2023-11-14T22:13:20.250Z", 1_700_000_000_250), (" 2023-11-15 00:13:20+02:00", 1_700_000_000_000)),
        *((datetime.fromtimestamp(1_700_000_000).isoformat(), 1_700_000_000_000),),
        *((np.array(1_700_000_000.5), 1_700_000_000_500), (np.array([1_700_000_000]), 1_700_000_000_000)),
    ],
)
def test_walltimes_that_callers_give_are_recorded_in_milliseconds(
    tmp_path: Path, given: Any, expected: int
) -> None:
    assert plain_walltime(given) == expected
    with vizkit.LogWriter(tmp_path) as writer:
        writer.add_scalar("a", 1.0, 0, given)
        writer.add_metrics({"b": 1.0}, 0, given)
        writer.add_text("c", "x", 0, given)
        writer.add_hparams({"lr": 1}, [], given)
    found = by_tag(tmp_path)
    assert [found[tag][-1].walltime for tag in ("a", "b", "c", "hparam")] == [expected] * 4


@pytest.mark.parametrize("given", [float("nan"), float("inf"), "now", "", True, [1], 1j, *NO_TIMES])
def test_what_is_no_walltime_is_refused(given: Any) -> None:
    with pytest.raises(DataError, match="walltime must be"):
        plain_walltime(given)
