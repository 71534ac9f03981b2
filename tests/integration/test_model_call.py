"""How a ``fit`` ends, and how long its batches take: what Paddle does not tell its callbacks."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paddle
import pytest

from tests.helpers import by_tag, python, series
from vizkit import Tracker, VizKitWarning
from vizkit.environment import read_environment

BATCHES, BATCH = 5, 4
_PATIENCE = 300  # seconds, for threads on a busy machine


class Clock:
    """Time that passes only when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(time, "perf_counter", lambda: self.now)

    def passes(self, seconds: float) -> None:
        self.now += seconds


class Batches:
    """Batches that are made when they are asked for; ``at`` is called before each."""

    def __init__(self, at: Any = lambda index: None) -> None:
        self.at = at

    def __iter__(self) -> Iterator[Any]:
        for index in range(BATCHES):
            self.at(index)
            yield [paddle.full([BATCH, 3], index / 10), paddle.to_tensor([[0], [1], [0], [1]])]

    def __len__(self) -> int:
        return BATCHES


class Net(paddle.nn.Layer):
    def __init__(self, at: Any = lambda: None) -> None:
        super().__init__()
        self.fc = paddle.nn.Linear(3, 2)
        self.at = at

    def forward(self, x: Any) -> Any:
        self.at()
        return self.fc(x)


def prepared(network: Any = None) -> paddle.Model:
    model = paddle.Model(network or Net())
    optimizer = paddle.optimizer.SGD(0.1, parameters=model.parameters())
    model.prepare(optimizer, paddle.nn.CrossEntropyLoss(), paddle.metric.Accuracy())
    return model


def fit(model: paddle.Model, *callbacks: Any, data: Any = None, epochs: int = 2) -> None:
    model.fit(data or Batches(), Batches(), epochs=epochs, verbose=0, callbacks=list(callbacks))


class At(paddle.callbacks.Callback):
    """Does something at one event."""

    def __init__(self, event: str, do: Any) -> None:
        super().__init__()
        setattr(self, event, lambda *args: do())


def raiser(error: BaseException) -> Any:
    def fail(*args: Any) -> None:
        raise error

    return fail


def status(run: Path) -> Any:
    return read_environment(run)["status"]


# ---- how it ends -----------------------------------------------------------------------------------

EVENTS = [
    "on_train_begin",
    "on_epoch_begin",
    "on_train_batch_begin",
    "on_train_batch_end",
    "on_epoch_end",
    "on_eval_begin",
    "on_eval_batch_end",
    "on_eval_end",
    "on_train_end",
]


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("error", [RuntimeError("mine"), KeyboardInterrupt()], ids=["failed", "interrupted"])
def test_a_fit_that_raises_marks_the_run(tmp_path: Path, event: str, error: BaseException) -> None:
    model = prepared()
    with pytest.raises(type(error)):
        fit(model, At(event, raiser(error)))
    before = set(vars(model))
    tracker = Tracker(tmp_path)
    with pytest.raises(type(error)) as raised:
        fit(model, tracker.callback(graph=False), At(event, raiser(error)))
    assert raised.value is error
    made = read_environment(tmp_path)
    assert made["status"] == ("failed" if isinstance(error, RuntimeError) else "interrupted")
    assert made["error"] == {"type": type(error).__name__, "message": str(error)}
    assert made["ended"]
    assert set(vars(model)) == before
    tracker.close()
    assert status(tmp_path) == made["status"]


@pytest.mark.parametrize("where", ["data", "forward"])
def test_a_fit_that_raises_outside_of_callbacks(tmp_path: Path, where: str) -> None:
    error = MemoryError("no more")
    ask = {"data": lambda index: raiser(error)() if index == 3 else None}.get(where, lambda index: None)
    model = prepared(Net(raiser(error)) if where == "forward" else None)
    tracker = Tracker(tmp_path)
    with pytest.raises(MemoryError) as raised:
        fit(model, tracker.callback(), data=Batches(ask))
    assert raised.value is error
    assert status(tmp_path) == "failed"
    assert "_run_one_epoch" not in vars(model)
    assert len(series(tmp_path, "train/loss")) == (3 if where == "data" else 0)
    tracker.close()


class NoLength(paddle.io.Dataset):
    def __getitem__(self, index: int) -> Any:
        return NotImplemented

    def __len__(self) -> int:
        raise OSError("the disk is away")


@pytest.mark.parametrize(
    ("call", "data", "error"),
    [
        ("fit", NoLength(), OSError),
        ("fit", None, AssertionError),
        ("fit", 3, TypeError),
        ("evaluate", NoLength(), OSError),
        ("predict", NoLength(), OSError),
    ],
)
def test_a_call_that_fails_before_its_first_event_marks_the_run(
    tmp_path: Path, call: str, data: Any, error: type[Exception]
) -> None:
    model, tracker = prepared(), Tracker(tmp_path)
    with pytest.raises(error):
        getattr(model, call)(data, verbose=0, callbacks=tracker.callback())
    assert read_environment(tmp_path)["error"]["type"] == error.__name__
    assert status(tmp_path) == "failed"
    fit(model, tracker.callback())
    assert status(tmp_path) == "running"
    tracker.close()


def test_a_callback_before_ours_that_fails_at_the_beginning_marks_the_run(tmp_path: Path) -> None:
    tracker = Tracker(tmp_path)
    with pytest.raises(RuntimeError):
        fit(prepared(), At("on_train_begin", raiser(RuntimeError())), tracker.callback())
    assert status(tmp_path) == "failed"
    tracker.close()


def test_another_fit_goes_on_in_the_run(tmp_path: Path) -> None:
    model = prepared()
    seen: list[str] = []
    tracker = Tracker(tmp_path)
    callback = tracker.callback()
    with pytest.raises(KeyboardInterrupt):
        fit(model, callback, At("on_epoch_end", raiser(KeyboardInterrupt())))
    tracker.log({"after": 1.0})
    fit(model, callback, At("on_epoch_begin", lambda: seen.append(status(tmp_path))))
    assert seen == ["running", "running"]
    tracker.close()
    made = read_environment(tmp_path)
    assert (made["status"], "error" in made) == ("finished", False)
    assert [step for step, _ in series(tmp_path, "train/loss")] == list(range(15))
    assert len(series(tmp_path, "after")) == 1


def test_a_with_block_marks_the_run_too(tmp_path: Path) -> None:
    error = RuntimeError("mine")
    with pytest.raises(RuntimeError), Tracker(tmp_path) as tracker:
        fit(prepared(), tracker.callback(), At("on_epoch_end", raiser(error)))
    assert status(tmp_path) == "failed"
    with pytest.raises(ZeroDivisionError), Tracker(tmp_path / "own"):
        raise ZeroDivisionError
    assert status(tmp_path / "own") == "failed"


def test_a_script_that_goes_on_after_a_failure_ends_as_failed(tmp_path: Path) -> None:
    code = """
import sys, paddle, vizkit
tracker = vizkit.Tracker(sys.argv[1])
class Fails(paddle.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        raise KeyboardInterrupt
model = paddle.Model(paddle.nn.Linear(2, 1))
model.prepare(paddle.optimizer.SGD(parameters=model.parameters()), paddle.nn.MSELoss())
data = [[paddle.rand([4, 2]), paddle.rand([4, 1])]]
try:
    model.fit(data, verbose=0, callbacks=[tracker.callback(), Fails()])
except KeyboardInterrupt:
    print("caught")
"""
    done = python(code, tmp_path)
    assert (done.returncode, done.stdout) == (0, "caught\n"), done.stderr
    assert status(tmp_path) == "interrupted"
    assert len(series(tmp_path, "train/loss")) == 1


def test_trouble_with_the_mark_does_not_hide_the_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracker = Tracker(tmp_path, strict=True)
    monkeypatch.setattr(tracker, "flush", raiser(OSError("disk full")))
    error = RuntimeError("mine")
    with pytest.raises(RuntimeError) as raised:
        fit(prepared(), tracker.callback(), At("on_epoch_end", raiser(error)))
    assert raised.value is error
    assert status(tmp_path) == "failed"


def test_all_trackers_of_a_fit_are_told_and_nothing_stays_behind(tmp_path: Path) -> None:
    model = prepared()
    a, b = Tracker(tmp_path / "a"), Tracker(tmp_path / "b")
    with pytest.raises(RuntimeError):
        ends = At("on_eval_end", raiser(RuntimeError()))
        fit(model, a.callback(graph=False), b.callback(graph=False), ends)
    assert status(tmp_path / "a") == status(tmp_path / "b") == "failed"
    assert "_run_one_epoch" not in vars(model)
    fit(model, a.callback(graph=False), b.callback(graph=False))
    assert "_run_one_epoch" not in vars(model)
    a.close()
    b.close()
    assert status(tmp_path / "a") == status(tmp_path / "b") == "finished"


def test_a_fit_within_a_fit_of_the_same_model(tmp_path: Path) -> None:
    model = prepared()
    tracker, inner = Tracker(tmp_path / "outer"), Tracker(tmp_path / "inner")
    once = iter([1])

    def again() -> None:
        if next(once, None):
            fit(model, inner.callback(), epochs=1)

    fit(model, tracker.callback(), At("on_epoch_end", again))
    assert "_run_one_epoch" not in vars(model)
    tracker.close()
    inner.close()
    assert len(series(tmp_path / "outer", "train/loss")) == 10
    assert len(series(tmp_path / "inner", "train/loss")) == 5


@pytest.mark.parametrize("call", ["evaluate", "predict"])
def test_an_evaluation_of_its_own_that_raises_marks_the_run(tmp_path: Path, call: str) -> None:
    model = prepared()
    fails = [MemoryError("mine")]
    broken = Batches(lambda index: raiser(fails.pop())() if index == 3 and fails else None)
    with Tracker(tmp_path) as tracker:
        callback = tracker.callback()
        with pytest.raises(MemoryError, match="mine"):
            getattr(model, call)(broken, callbacks=callback, verbose=0)
        assert read_environment(tmp_path)["error"] == {"type": "MemoryError", "message": "mine"}
        assert "_run_one_epoch" not in vars(model)
        getattr(model, call)(broken, callbacks=callback, verbose=0)
        assert status(tmp_path) == "running"


def test_an_evaluation_within_a_fit_that_goes_on_marks_nothing(tmp_path: Path) -> None:
    model, tracker = prepared(), Tracker(tmp_path)
    callback = tracker.callback(graph=False)

    def evaluate() -> None:
        fails = At("on_eval_begin", raiser(RuntimeError()))
        with pytest.raises(RuntimeError):
            model.evaluate(Batches(), callbacks=[callback, fails], verbose=0)

    fit(model, callback, At("on_epoch_end", evaluate))
    assert status(tmp_path) == "running"
    assert len(series(tmp_path, "train/step time ms")) == 2 * BATCHES
    tracker.close()


def test_a_callback_that_is_called_by_other_code_records(tmp_path: Path) -> None:
    model = prepared()
    with Tracker(tmp_path) as tracker:
        callback = tracker.callback(graph=False)
        callback.set_model(model)
        callback.set_params({"metrics": ["loss"]})
        callback.on_train_begin()
        callback.on_train_batch_begin(0)
        callback.on_train_batch_end(0, {"loss": [0.5], "batch_size": 4})
        callback.on_train_end()
    assert series(tmp_path, "train/loss") == [(0, 0.5)]
    assert "train/step time ms" not in by_tag(tmp_path)


# ---- how long batches take -------------------------------------------------------------------------


def test_the_time_of_a_step_is_that_of_loading_and_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    model = prepared(Net(lambda: clock.passes(0.25)))
    slow = [At(event, lambda: clock.passes(100)) for event in EVENTS]
    with Tracker(tmp_path) as tracker:
        callback = tracker.callback(graph=False)
        fit(model, *slow, callback, *slow, data=Batches(lambda index: clock.passes(0.5 + index)))
    seconds = [0.5 + index + 0.25 for index in range(BATCHES)] * 2
    assert series(tmp_path, "train/step time ms") == [
        (step, pytest.approx(1000 * taken)) for step, taken in enumerate(seconds)
    ]
    assert series(tmp_path, "train/samples per second") == [
        (step, pytest.approx(BATCH / taken)) for step, taken in enumerate(seconds)
    ]


def test_a_prediction_records_its_speed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    model = prepared(Net(lambda: clock.passes(0.5)))
    with Tracker(tmp_path) as tracker:
        fit(model, tracker.callback(graph=False), epochs=1)
        outputs = model.predict([[paddle.rand([BATCH, 3])]] * 2, callbacks=tracker.callback(), verbose=0)
    assert len(outputs[0]) == 2
    assert series(tmp_path, "predict/samples per second") == [(BATCHES - 1, 8.0)]


# ---- graphs and threads ----------------------------------------------------------------------------


def graphs(run: Path) -> tuple[int, int]:
    return len(list(run.glob("vdlgraph*"))), len(series(run, "model/summary"))


def test_no_network_is_traced_in_a_thread_of_ones_own(tmp_path: Path) -> None:
    with Tracker(tmp_path) as tracker:
        callback = tracker.callback()
        thread = threading.Thread(target=fit, args=(prepared(), callback))
        thread.start()
        thread.join()
        assert graphs(tmp_path) == (0, 0)
        fit(prepared(), callback)
    assert graphs(tmp_path) == (1, 1)


def test_the_graph_waits_while_another_thread_trains(tmp_path: Path) -> None:
    began, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        began.set()
        go_on.wait(_PATIENCE)

    def other() -> None:
        with Tracker(tmp_path / "other") as tracker:
            fit(prepared(), tracker.callback(), At("on_epoch_begin", wait))

    thread = threading.Thread(target=other)
    thread.start()
    assert began.wait(_PATIENCE)
    seen: list[tuple[int, int]] = []

    def after() -> None:
        seen.append(graphs(tmp_path / "mine"))
        go_on.set()
        thread.join()

    with Tracker(tmp_path / "mine") as tracker:
        fit(prepared(), tracker.callback(), At("on_epoch_end", after))
    assert seen == [(0, 0), (1, 1)]
    assert graphs(tmp_path / "other") == (0, 0)


def test_what_fails_in_a_prediction_is_warned_about(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tracker = Tracker(tmp_path)
    monkeypatch.setattr(tracker, "log", raiser(RuntimeError("injected")))
    with pytest.warns(VizKitWarning, match="predict scalars: not recorded: RuntimeError: injected"):
        (outputs,) = prepared().predict([[paddle.rand([2, 3])]], callbacks=tracker.callback(), verbose=0)
    assert [len(output) for output in outputs] == [2]
