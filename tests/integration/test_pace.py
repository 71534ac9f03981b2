"""`Pace`: metrics against seconds of training."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import paddle
import pytest

from tests.helpers import by_tag, series
from vizkit import DataError, Tracker, VizKitWarning
from vizkit.hooks import Pace, _model_call
from vizkit.hooks.steering import pace as module

BATCHES = 6


class Clock:
    """Time that passes only when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(time, "perf_counter", lambda: self.now)
        assert vars(_model_call)["time"] is vars(module)["time"] is time


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


class Batches:
    """Batches of which each takes some seconds to load."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self.clock, self.seconds = clock, seconds

    def __iter__(self) -> Iterator[Any]:
        for index in range(BATCHES):
            self.clock.now += self.seconds
            yield [paddle.full([2, 3], index / 10), paddle.to_tensor([[0], [1]])]

    def __len__(self) -> int:
        return BATCHES


class Slow(paddle.callbacks.Callback):
    """Takes its time, which is not the training's."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock

    def on_train_batch_end(self, step: int, logs: Any = None) -> None:
        self.clock.now += 50

    on_eval_end = lambda self, logs=None: self.on_train_batch_end(0)  # noqa: E731


def prepared() -> paddle.Model:
    paddle.seed(1)
    model = paddle.Model(paddle.nn.Linear(3, 2))
    optimizer = paddle.optimizer.SGD(0.1, parameters=model.parameters())
    model.prepare(optimizer, paddle.nn.CrossEntropyLoss(), paddle.metric.Accuracy())
    return model


DATA = [[paddle.rand([4, 3]), paddle.to_tensor([[0], [1], [0], [1]])]]


def test_it_validates_every_so_many_seconds_of_training(tmp_path: Path, clock: Clock) -> None:
    model = prepared()
    with Tracker(tmp_path) as tracker:
        pace = Pace(10, DATA, tracker=tracker)
        model.fit(
            Batches(clock, 4), DATA, epochs=2, verbose=0, callbacks=[Slow(clock), pace, tracker.callback()]
        )
    # 4, 8, 12, ..., 48 seconds; the last batch is validated in any case.
    assert series(tmp_path, "pace/step") == [(12, 2), (20, 4), (32, 7), (40, 9), (48, 11)]
    assert pace.elapsed == 48
    output = model.network(DATA[0][0])
    loss = paddle.nn.functional.cross_entropy(output, DATA[0][1]).item()
    assert series(tmp_path, "pace/loss")[-1] == (48, pytest.approx(loss))
    assert pace.last["pace/acc"] == series(tmp_path, "pace/acc")[-1][1]
    assert [step for step, _ in series(tmp_path, "train/loss")] == list(range(12))
    assert tracker.step == 11


def test_the_seconds_go_on_over_fits_and_resumed_runs(tmp_path: Path, clock: Clock) -> None:
    model = prepared()
    with Tracker(tmp_path) as tracker:
        pace = Pace(10, DATA, tracker=tracker)
        for _ in range(2):
            model.fit(Batches(clock, 2), verbose=0, callbacks=[tracker.callback(), pace])
    with Tracker(tmp_path, if_exists="resume") as tracker:
        assert tracker.step == 12
        pace = Pace(10, DATA, tracker=tracker)
        model.fit(Batches(clock, 2.25), verbose=0, callbacks=[tracker.callback(), pace])
    seconds = [(10, 4), (12, 5), (20, 9), (24, 11), (30.75, 14), (37.5, 17)]
    assert series(tmp_path, "pace/step") == seconds


def test_a_loop_of_ones_own(tmp_path: Path, clock: Clock) -> None:
    net = paddle.nn.Linear(3, 2)
    with Tracker(tmp_path) as tracker:
        pace = Pace(5, DATA, network=net, loss=paddle.nn.CrossEntropyLoss(), tracker=tracker)
        found = []
        for step in range(4):
            clock.now += 3
            tracker.log({"train/loss": 0.5}, step)
            found.append(pace.update(step))
    assert [value is None for value in found] == [True, False, True, False]
    assert series(tmp_path, "pace/step") == [(6, 1), (12, 3)]
    assert found[3] is not None
    assert series(tmp_path, "pace/loss")[1] == (12, found[3]["pace/loss"])


def test_a_training_with_it_is_bit_identical(tmp_path: Path) -> None:
    def trained(callbacks: Any) -> Any:
        model = prepared()
        data = [[paddle.full([2, 3], step / 20), paddle.to_tensor([[0], [1]])] for step in range(20)]
        model.fit(data, verbose=0, callbacks=callbacks)
        return model.network.weight.numpy()

    without = trained(None)
    with Tracker(tmp_path) as tracker:
        having = trained([Pace(1e-9, DATA, tracker=tracker)])
    np.testing.assert_array_equal(without, having)
    assert len(by_tag(tmp_path)["pace/loss"]) == 20


def test_without_a_tracker_it_measures_all_the_same(clock: Clock) -> None:
    pace = Pace(10, DATA)
    prepared().fit(Batches(clock, 4), verbose=0, callbacks=pace)
    assert set(pace.last) == {"pace/loss", "pace/acc"}


def test_what_fails_is_warned_about(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    tracker = Tracker(tmp_path)

    def fail(*args: Any) -> None:
        raise OSError("injected")

    monkeypatch.setattr(tracker.writer, "add_metrics", fail)
    with pytest.warns(VizKitWarning, match="pace: not recorded: injected") as told:
        prepared().fit(Batches(clock, 10), verbose=0, callbacks=Pace(10, DATA, tracker=tracker))
    assert len(told) == 1


def test_other_ranks_do_nothing(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PADDLE_TRAINER_ID", "1")
    pace = Pace(10, DATA, tracker=Tracker(tmp_path))
    monkeypatch.delenv("PADDLE_TRAINER_ID")
    prepared().fit(Batches(clock, 10), verbose=0, callbacks=pace)
    assert pace.last == {}


@pytest.mark.parametrize("seconds", [0, -1, True, None, "10", float("nan"), float("inf")])
def test_a_bad_number_of_seconds_is_told_at_once(seconds: Any) -> None:
    with pytest.raises(DataError, match="seconds must be a number above 0"):
        Pace(seconds, DATA)


def test_missing_data_is_told_before_the_first_batch(clock: Clock) -> None:
    with pytest.raises(DataError, match="Pace has no data"):
        prepared().fit(Batches(clock, 1), verbose=0, callbacks=Pace(10))
    with pytest.raises(DataError, match="Pace needs data"):
        Pace(10, network=paddle.nn.Linear(3, 2))
    with pytest.raises(DataError, match="pass network="):
        Pace(10, DATA).update(0)
