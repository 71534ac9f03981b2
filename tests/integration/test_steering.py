from __future__ import annotations

import copy
import pickle
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import paddle
import pytest

from tests.helpers import by_tag, series, stock
from vizkit import DataError, Tracker, VizKitWarning, load
from vizkit.hooks.steering import EarlyStop, HalveOnPlateau, ValidateEvery
from vizkit.hooks.steering.plateau import ScaledRate

STEPS, BATCH = 5, 4  # an epoch's


def dataset(count: int = STEPS * BATCH, seed: int = 0) -> paddle.io.Dataset:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, (count, 1))
    return paddle.io.TensorDataset(
        [paddle.to_tensor(rng.normal(labels, 1, (count, 3)).astype("float32")), paddle.to_tensor(labels)]
    )


def network() -> paddle.nn.Layer:
    paddle.seed(1)
    return paddle.nn.Sequential(
        paddle.nn.Linear(3, 4), paddle.nn.BatchNorm1D(4), paddle.nn.Dropout(0.5), paddle.nn.Linear(4, 2)
    )


def prepared(net: Any = None, rate: Any = 0.1) -> paddle.Model:
    spec = [paddle.static.InputSpec([None, 3], "float32", "x")]  # which to_static needs
    model = paddle.Model(net or network(), spec)
    optimizer = paddle.optimizer.Adam(rate, parameters=model.network.parameters())
    model.prepare(optimizer, paddle.nn.CrossEntropyLoss(), paddle.metric.Accuracy())
    return model


class Script(paddle.metric.Metric):
    """A metric that follows a script: a value for each evaluation that `Turn` sees."""

    def __init__(self, values: list[float]) -> None:
        super().__init__()
        self.values = values
        self.at = -1

    def update(self, *args: Any) -> None:
        pass

    def reset(self) -> None:
        pass

    def accumulate(self) -> float:
        return self.values[min(max(self.at, 0), len(self.values) - 1)]

    def name(self) -> str:
        return "score"


class Turn(paddle.callbacks.Callback):
    def on_eval_begin(self, logs: Any = None) -> None:
        for metric in self.model._metrics:
            if isinstance(metric, Script):
                metric.at += 1


def scripted(values: list[float], rate: Any = 0.1) -> paddle.Model:
    model = paddle.Model(paddle.nn.Linear(3, 2))
    optimizer = paddle.optimizer.SGD(rate, model.parameters())
    model.prepare(optimizer, paddle.nn.CrossEntropyLoss(), Script(values))
    return model


class Epochs(paddle.callbacks.Callback):
    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.batches = 0
        self.rates: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.count += 1

    def on_train_batch_begin(self, step: int, logs: Any = None) -> None:
        self.batches += 1
        self.rates.append(self.model._optimizer.get_lr())


def fit(model: paddle.Model, *callbacks: Any, epochs: int = 10, **options: Any) -> Epochs:
    seen = Epochs()
    options = {"eval_data": dataset(10, 1), "shuffle": False, "batch_size": BATCH, **options}
    model.fit(dataset(), epochs=epochs, verbose=0, callbacks=[Turn(), *callbacks, seen], **options)
    return seen


def weights(model: paddle.Model) -> dict[str, Any]:
    return {name: tensor.numpy().copy() for name, tensor in model.network.state_dict().items()}


def same(first: dict[str, Any], second: dict[str, Any]) -> bool:
    return all(np.array_equal(first[name], second[name]) for name in first)


# ---- the end of a loop of one's own ----------------------------------------------------------------


def stops_at(stop: EarlyStop, values: list[float]) -> int | None:
    return next((step for step, value in enumerate(values) if stop.update(value, step)), None)


@pytest.mark.parametrize(
    ("options", "values", "end"),
    [
        ({"window": 1}, [0.1, 0.2, 0.3, 0.3, 0.2, 0.9], 4),
        ({"window": 1}, [0.1, 0.2, 0.1, 0.3, 0.2, 0.2], 5),
        ({"window": 1, "mode": "min"}, [3, 2, 2.5, 1.9, 1.8, 1.8, 1.8], 6),
        ({"window": 1, "min_delta": 0.1}, [0.1, 0.15, 0.25, 0.3, 0.3], 4),  # 0.25 is 0.15 above the mark
        ({"window": 1}, [0.1, float("nan"), float("nan")], 2),
        ({"window": 1}, [float("inf"), float("nan")], 1),
        ({"window": 1, "target": 0.9}, [0.1, 0.95], 1),
        ({"window": 1, "target": 0.5, "mode": "min"}, [0.9, 0.5], 1),
    ],
)
def test_it_stops_when_the_metric_no_longer_improves(
    options: Any, values: list[float], end: int | None
) -> None:
    assert stops_at(EarlyStop("acc", 2, **options), values) == end


def test_a_lucky_evaluation_does_not_end_a_training_that_gets_better() -> None:
    values = [0.1, 0.2, 0.9, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9]
    assert stops_at(EarlyStop("acc", 3, window=1), values) == 5
    assert stops_at(EarlyStop("acc", 3, window=3), values) is None


def test_without_patience_only_the_target_ends() -> None:
    stop = EarlyStop("acc", target=0.9)
    assert stops_at(stop, [0.5] * 50) is None
    assert stop.update(paddle.to_tensor([0.9]), 50)
    assert stop.reason == "eval/acc has reached 0.9 (0.9)"  # although 0.9 in float32 is a bit less


def test_a_stopped_one_stays_so_until_it_is_reset() -> None:
    stop = EarlyStop("acc", 1, window=1)
    assert [stop.update(value) for value in (0.5, 0.4, 0.9)] == [False, True, True]
    assert (stop.best, stop.best_step) == (0.5, 0)
    stop.reset()
    assert (stop.stopped, stop.best, stop.best_step) == (False, None, None)
    assert not stop.update(0.1)


def test_the_best_weights_of_a_loop_are_restored(tmp_path: Path) -> None:
    net = network()
    stop = EarlyStop("val/f1", 2, window=1, network=net, save_dir=tmp_path / "new")
    kept = None
    for step, value in enumerate([0.1, 0.8, 0.7, 0.6]):
        with paddle.no_grad():
            for tensor in net.state_dict().values():  # BatchNorm's statistics, too
                tensor.set_value(tensor + 1)
        if value == 0.8:
            kept = {name: tensor.numpy().copy() for name, tensor in net.state_dict().items()}
        stopped = stop.update(value, step)
    assert stopped and kept
    assert stop.restore() == 1
    assert same(kept, {name: tensor.numpy() for name, tensor in net.state_dict().items()})
    model = prepared()
    model.load(str(tmp_path / "new" / "best"))
    assert same(kept, weights(model))


def test_the_reason_is_told_beside_the_weights_that_are_restored(tmp_path: Path) -> None:
    with Tracker(tmp_path) as tracker:
        stop = EarlyStop("val/f1", 2, window=1, network=network(), tracker=tracker)
        for step, value in enumerate([0.1, 0.8, 0.7, 0.6]):
            stop.update(value, 100 + step)
        stop.restore()
    texts = load(tmp_path)[0].texts("steering/early stop")
    reason = "stopped at step 103: val/f1 has not improved over 2 evaluations (best 0.8 at step 101)"
    assert texts.steps.tolist() == [103, 103]
    assert list(texts) == [reason, f"{reason}; weights of step 101 restored (val/f1 0.8)"]


def test_nothing_to_restore_is_told() -> None:
    stop = EarlyStop("acc", 2)
    stop.update(0.5)
    with pytest.raises(DataError, match="pass network=net"):
        stop.restore()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: EarlyStop("", 3), "monitor must name"),
        (lambda: EarlyStop(None, 3), "monitor must name"),  # type: ignore[arg-type]
        (lambda: EarlyStop("acc"), "a patience, such as 5 evaluations, or a target"),
        (lambda: EarlyStop("acc", 0), "patience must be"),
        (lambda: EarlyStop("acc", 2.5), "patience must be"),  # type: ignore[arg-type]
        (lambda: EarlyStop("acc", 3, window=0), "window must be"),
        (lambda: EarlyStop("acc", 3, min_delta=-1), "min_delta must be"),
        (lambda: EarlyStop("acc", 3, mode="up"), "mode must be"),  # type: ignore[arg-type]
        (lambda: EarlyStop("eval/strange", 3), "pass mode='max' or mode='min'"),
        (lambda: EarlyStop("acc", 3, target="high"), "one real number"),  # type: ignore[arg-type]
        (lambda: EarlyStop("acc", 3, network=prepared()), "network must be a paddle.nn.Layer"),
        (lambda: EarlyStop("acc", 3, restore_best=True, keep_best=False), "needs keep_best"),
        (lambda: EarlyStop("acc", 3, tracker=paddle.callbacks.Callback()), "vizkit.Tracker"),
        (lambda: EarlyStop("acc", 3).update("good"), "one real number"),
        (lambda: HalveOnPlateau("loss", factor=1), "factor must be"),
        (lambda: HalveOnPlateau("loss", smallest=0), "smallest must be"),
        (lambda: HalveOnPlateau("loss", patience=None), "patience must be"),  # type: ignore[arg-type]
        (lambda: HalveOnPlateau("loss", optimizer=3), "rate of a paddle.optimizer"),
        (lambda: HalveOnPlateau("loss").update(1.0), "pass optimizer="),
        (lambda: ValidateEvery(0), "steps must be"),
        (lambda: ValidateEvery(2, batches=0), "batches must be"),
        (lambda: ValidateEvery(2, iter([])), "more than once"),
        (lambda: ValidateEvery(2, 3), "data must be"),
        (lambda: ValidateEvery(2, steering=[3]), "EarlyStop and HalveOnPlateau"),  # type: ignore[list-item]
        (lambda: ValidateEvery(2).update(1), "pass network="),
        (lambda: ValidateEvery(2, network=network(), loss=paddle.nn.CrossEntropyLoss()), "needs data"),
        (lambda: ValidateEvery(2, dataset(), network=network()), "neither a loss nor a metric"),
    ],
)
def test_bad_arguments_are_told_at_once(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        make()


@pytest.mark.parametrize(
    ("monitor", "values"),
    [
        ("loss", (2, 1)),
        ("eval/acc_top5", (0.1, 0.2)),
        ("mean_iou", (0.1, 0.2)),
        ("val/WER", (2, 1)),
        ("train/bce_loss", (2, 1)),
    ],
)
def test_which_way_is_better_is_told_by_the_name(monitor: str, values: tuple[float, float]) -> None:
    stop = EarlyStop(monitor, 1, window=1)
    assert [stop.update(value) for value in (*values, values[0])] == [False, False, True]


# ---- the end of fit --------------------------------------------------------------------------------


def test_fit_stops_and_says_why(tmp_path: Path) -> None:
    with Tracker(tmp_path) as tracker:
        stop = EarlyStop("score", 3, min_delta=0.001, window=1, mode="max", tracker=tracker)
        seen = fit(scripted([0.1, 0.9, 0.9005, 0.8, 0.7, 0.99]), stop, tracker.callback())
    assert seen.count == 5
    assert series(tmp_path, "steering/early stop") == [
        (
            24,
            "stopped at step 24: eval/score has not improved by 0.001 over 3 evaluations "
            "(best 0.9005 at step 14)",
        )
    ]
    assert [step for step, _ in series(tmp_path, "steering/early stop/best")] == [4, 9, 14, 19, 24]
    assert [value for _, value in series(tmp_path, "steering/early stop/waited")] == [0, 0, 1, 2, 3]
    assert series(tmp_path, "eval/score")[-1][0] == 24
    assert len(stock(tmp_path, "text", "steering/early stop")) == 1


def test_a_second_fit_is_not_stopped_by_the_first(tmp_path: Path) -> None:
    with Tracker(tmp_path) as tracker:  # without tracker.callback(): it counts the steps itself
        stop = EarlyStop("score", 1, window=1, mode="max", tracker=tracker)
        model = scripted([0.5, 0.4, 0.1, 0.2, 0.15])
        assert fit(model, stop).count == 2
        assert model.stop_training
        assert fit(model, stop).count == 3
    assert [step for step, _ in series(tmp_path, "steering/early stop")] == [9, 24]
    with Tracker(tmp_path, if_exists="resume") as tracker:
        fit(scripted([0.5, 0.4]), EarlyStop("score", 1, window=1, mode="max", tracker=tracker))
    assert [step for step, _ in series(tmp_path, "steering/early stop")][-1] > 24


def test_a_new_callback_goes_on_at_the_step_of_the_others(tmp_path: Path) -> None:
    with Tracker(tmp_path) as tracker:
        model = scripted([0.5])
        for _ in range(2):
            stop = EarlyStop("score", 1, window=1, mode="max", tracker=tracker)
            fit(model, stop, tracker.callback(), epochs=2)
    evaluations = [step for step, _ in series(tmp_path, "eval/score")]
    assert evaluations == [step for step, _ in series(tmp_path, "steering/early stop/best")] == [4, 9, 14, 19]


def test_the_eval_loss_is_the_mean_over_all_samples() -> None:
    stop = EarlyStop("loss", 5)
    model = prepared()
    fit(model, stop, epochs=1)
    model.network.eval()
    x, y = (paddle.stack(list(part)) for part in zip(*dataset(10, 1), strict=True))
    truth = paddle.nn.functional.cross_entropy(model.network(x), y).item()
    assert stop.best == pytest.approx(truth, rel=1e-5)


def test_the_train_loss_is_the_mean_of_an_epoch() -> None:
    losses: list[float] = []

    class Losses(paddle.callbacks.Callback):
        def on_train_batch_end(self, step: int, logs: Any = None) -> None:
            losses.append(logs["loss"][0])

    stop = EarlyStop("train/loss", 1, window=1, target=100.0)
    assert fit(prepared(), Losses(), stop, eval_data=None).count == 1
    assert stop.best == pytest.approx(np.mean(losses), rel=1e-6)


def test_fit_ends_with_the_best_weights_on_request() -> None:
    epochs: list[Any] = []

    class Keep(paddle.callbacks.Callback):
        def on_eval_end(self, logs: Any = None) -> None:
            epochs.append(weights(self.model))

    model = scripted([0.1, 0.9, 0.5, 0.4])
    fit(model, Keep(), EarlyStop("score", 2, window=1, mode="max", restore_best=True))
    assert len(epochs) == 4
    assert same(weights(model), epochs[1])
    assert not same(epochs[1], epochs[3])


@pytest.mark.parametrize(
    ("callback", "options", "message"),
    [
        (EarlyStop("eval/f1", 3), {}, "'eval/f1' is never logged; this model logs train/loss, train/acc, e"),
        (EarlyStop("val/acc", 3), {}, "'val/acc' is never logged"),
        (EarlyStop("acc", 3), {"eval_data": None}, "fit has no eval_data; pass it, or monitor train/acc"),
        (HalveOnPlateau("eval/mse"), {}, "'eval/mse' is never logged"),
        (ValidateEvery(2), {"eval_data": None}, "has no data"),
        (ValidateEvery(2, [], 3), {}, "has no batches"),
        (ValidateEvery(2, steering=[EarlyStop("train/acc", 3)]), {}, "eval/... only"),
        (ValidateEvery(2, steering=EarlyStop("f1", 3)), {}, "'eval/f1' is never logged"),
    ],
)
def test_what_will_never_be_logged_is_told_before_the_first_batch(
    callback: Any, options: Any, message: str
) -> None:
    seen = Epochs()
    with pytest.raises(DataError, match=message):
        fit(prepared(), seen, callback, **options)
    assert seen.batches == 0


def test_a_metric_that_never_came_is_told_in_the_end() -> None:
    with pytest.warns(VizKitWarning, match="eval/acc was never evaluated"):
        fit(prepared(), ValidateEvery(1000, steering=[EarlyStop("acc", 2)]), epochs=1)


def test_evaluating_on_its_own_is_no_evaluation_of_the_training() -> None:
    stop = EarlyStop("score", 1, window=1, mode="max")
    model = scripted([0.9, 0.5])
    fit(model, stop, epochs=1)
    model.evaluate(dataset(10, 1), callbacks=[Turn(), stop], verbose=0)
    assert not stop.stopped


@pytest.mark.parametrize(("verb", "count"), [("log", 2), ("log_text", 1)])  # one warning a callback
def test_trouble_in_recording_changes_nothing(verb: str, count: int, tmp_path: Path) -> None:
    def fail(*args: Any, **options: Any) -> None:
        raise RuntimeError("full")

    plain, troubled = scripted([0.5, 0.6, 0.5, 0.4]), scripted([0.5, 0.6, 0.5, 0.4])
    troubled.network.set_state_dict(weights(plain))
    counts = [fit(plain, EarlyStop("score", 2, window=1, mode="max")).count]
    with Tracker(tmp_path) as tracker, pytest.warns(VizKitWarning, match="full") as told:
        setattr(tracker, verb, fail)
        stop = EarlyStop("score", 2, window=1, mode="max", tracker=tracker)
        counts.append(fit(troubled, stop, HalveOnPlateau("loss", tracker=tracker)).count)
    assert counts == [4, 4]
    assert same(weights(plain), weights(troubled))
    assert len([warning for warning in told if warning.category is VizKitWarning]) == count


def test_a_full_disk_does_not_end_the_training(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    stop = EarlyStop("score", 2, window=1, mode="max", save_dir=tmp_path / "file")
    with pytest.warns(VizKitWarning, match="best weights"):
        assert fit(scripted([0.1, 0.2, 0.3]), stop, epochs=3).count == 3
    assert stop.restore() == 14  # the copy in memory is there


# ---- the learning rate -----------------------------------------------------------------------------


def test_the_rate_halves_at_every_stall_until_it_is_the_smallest(tmp_path: Path) -> None:
    optimizer = paddle.optimizer.SGD(0.5, parameters=network().parameters())
    rates = []
    with Tracker(tmp_path) as tracker:
        halve = HalveOnPlateau("loss", patience=2, optimizer=optimizer, tracker=tracker)
        for step in range(100):
            rates.append(optimizer.get_lr())
            if halve.update(1.0, step):
                break
    assert sorted(set(rates), reverse=True) == [0.5 * 0.5**n for n in range(11)]
    assert len(rates) == 1 + 2 * 11  # two evaluations at each, and one that set the mark
    texts = series(tmp_path, "steering/learning rate")
    assert texts[0] == (
        2,
        "learning rate 0.25 from step 2 on, 1/2 of the first: eval/loss has not improved over 2 evaluations "
        "(best 1 at step 0)",
    )
    assert texts[-1][1].endswith("and the learning rate is 1/1024 of the first")
    assert len(texts) == 11
    scales = [value for _, value in series(tmp_path, "steering/learning rate/scale")]
    assert scales[:4] == [1, 1, 0.5, 0.5] and scales[-1] == 1 / 1024
    halve.undo()
    assert optimizer.get_lr() == 0.5


def test_a_metric_that_improves_leaves_the_rate() -> None:
    optimizer = paddle.optimizer.SGD(0.5, parameters=network().parameters())
    halve = HalveOnPlateau("loss", patience=2, optimizer=optimizer)
    for value in np.linspace(2, 1, 50):
        assert not halve.update(value)
    assert optimizer.get_lr() == 0.5


def test_fit_halves_and_stops() -> None:
    model = scripted([0.5], rate=0.4)
    halve = HalveOnPlateau("score", mode="max", patience=1, smallest=0.25)
    seen = fit(model, halve)
    assert seen.rates == [0.4] * 10 + [0.2] * 5 + [0.1] * 5
    assert halve.stopped and halve.scale == 0.25
    assert fit(model, halve).rates == [0.1] * 10  # goes on with the rate that it came to


SCHEDULES = {
    "piecewise": lambda: paddle.optimizer.lr.PiecewiseDecay([4, 9, 14], [0.4, 0.3, 0.2, 0.1]),
    "cosine": lambda: paddle.optimizer.lr.CosineAnnealingDecay(0.4, 30),  # each from the last
    "cycle": lambda: paddle.optimizer.lr.OneCycleLR(0.4, 40),
    "multiplicative": lambda: paddle.optimizer.lr.MultiplicativeDecay(0.4, lambda epoch: 0.9),
    "warm-up": lambda: paddle.optimizer.lr.LinearWarmup(
        paddle.optimizer.lr.StepDecay(0.4, 6), 5, start_lr=0.0, end_lr=0.4
    ),
    "lambda": lambda: paddle.optimizer.lr.LambdaDecay(0.4, lambda epoch: 1 / (1 + epoch)),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_goes_on_scaled(name: str) -> None:
    plain = fit(scripted([0.5], SCHEDULES[name]()), epochs=6).rates
    schedule = SCHEDULES[name]()
    model = scripted([0.5], schedule)
    halve = HalveOnPlateau("score", mode="max", patience=2)
    rates = fit(model, halve, epochs=6).rates
    scales = [1] * 15 + [0.5] * 10 + [0.25] * 5
    assert rates == pytest.approx([rate * scale for rate, scale in zip(plain, scales, strict=True)])

    scaled = model._optimizer._learning_rate
    assert schedule.last_epoch == 30 == scaled.last_epoch  # the user's own schedule was stepped
    assert scaled.last_lr == model._optimizer.get_lr() == pytest.approx(schedule() / 4)
    state = model._optimizer.state_dict()["LR_Scheduler"]
    assert state == schedule.state_dict()
    fresh = SCHEDULES[name]()
    fresh.set_state_dict(state)  # loads where nothing is scaled, without a warning
    twin = copy.deepcopy(scaled)
    assert twin() == scaled()
    if "ambda" not in name and name != "multiplicative":
        assert pickle.loads(pickle.dumps(scaled))() == scaled()
    halve.undo()
    assert model._optimizer._learning_rate is schedule


def test_the_scaled_rate_is_what_the_weights_are_updated_with() -> None:
    parameter = paddle.create_parameter(
        [1], "float32", default_initializer=paddle.nn.initializer.Constant(0.0)
    )
    schedule = paddle.optimizer.lr.StepDecay(0.4, 100)
    optimizer = paddle.optimizer.SGD(schedule, parameters=[parameter])
    halve = HalveOnPlateau("loss", patience=1, window=1, optimizer=optimizer)
    for _ in range(2):
        halve.update(1.0)
    parameter.sum().backward()
    optimizer.step()
    assert parameter.item() == pytest.approx(-0.2)


def test_without_an_optimizer_there_is_no_rate_to_halve() -> None:
    halve = HalveOnPlateau("loss")
    with pytest.raises(DataError, match="pass optimizer="):
        halve.update(1.0)
    halve.undo()
    assert halve.scale == 1


def test_undoing_before_the_first_stall_leaves_the_rate() -> None:
    optimizer = prepared()._optimizer
    HalveOnPlateau("loss", optimizer=optimizer).undo()
    assert optimizer.get_lr() == pytest.approx(0.1)


def test_the_scaled_rate_passes_for_its_schedule() -> None:
    schedule = paddle.optimizer.lr.ExponentialDecay(0.5, gamma=0.5)
    rate = ScaledRate(schedule, 0.25)
    rate.step()
    assert (rate(), rate.last_lr, rate.get_lr()) == (0.0625, 0.0625, 0.0625)
    assert rate.gamma == 0.5
    copied = copy.deepcopy(rate)
    assert copied.schedule is not schedule and copied() == rate()
    with pytest.raises(AttributeError, match="schedule"):
        ScaledRate.__new__(ScaledRate).schedule  # noqa: B018


# ---- validation within an epoch --------------------------------------------------------------------


def test_it_is_validated_at_every_so_many_steps(tmp_path: Path) -> None:
    with Tracker(tmp_path) as tracker:
        validate = ValidateEvery(2, dataset(10, 1), batch_size=BATCH, tracker=tracker)
        model = prepared()
        fit(model, validate, tracker.callback(), epochs=2, eval_data=None)
    assert [step for step, _ in series(tmp_path, "eval/loss")] == [1, 3, 5, 7, 9]
    assert [step for step, _ in series(tmp_path, "train/loss")] == list(range(10))
    truth = model.evaluate(dataset(10, 1), batch_size=10, verbose=0)  # one batch: its loss is the mean
    (_, loss), (_, accuracy) = (series(tmp_path, tag)[-1] for tag in ("eval/loss", "eval/acc"))
    assert loss == pytest.approx(truth["loss"][0], rel=1e-5)
    assert accuracy == pytest.approx(truth["acc"])
    assert validate.last == {"eval/loss": loss, "eval/acc": accuracy}


def test_only_some_batches_are_validated_on_and_they_are_read_once() -> None:
    reads: list[int] = []

    class Counted(paddle.io.Dataset):
        data = dataset(10, 1)

        def __getitem__(self, index: int) -> Any:
            reads.append(index)
            return self.data[index]

        def __len__(self) -> int:
            return 10

    loader = paddle.io.DataLoader(Counted(), batch_size=2, num_workers=0, use_buffer_reader=False)
    validate = ValidateEvery(1, loader, batches=2)
    model = prepared()
    fit(model, validate, epochs=2, eval_data=None)
    assert len(reads) <= 10  # what Paddle reads ahead, but not ten times
    expected = model.evaluate(paddle.io.Subset(Counted(), range(4)), batch_size=4, verbose=0)
    assert validate.last["eval/acc"] == pytest.approx(expected["acc"])
    assert validate.last["eval/loss"] == pytest.approx(expected["loss"][0], rel=1e-5)


@pytest.mark.parametrize("batches", [None, 2])
@pytest.mark.parametrize("static", [False, True])
def test_training_does_not_notice(batches: int | None, static: bool, tmp_path: Path) -> None:
    class Noisy(paddle.io.Dataset):
        """Draws from all the random numbers there are."""

        def __getitem__(self, index: int) -> Any:
            noise = np.random.rand() + random.random() + paddle.rand([1]).item()  # noqa: NPY002
            return np.full(3, noise, "float32"), np.array([index % 2])

        def __len__(self) -> int:
            return 10

    logs: list[Any] = []

    class Logs(paddle.callbacks.Callback):
        def on_train_batch_end(self, step: int, seen: Any = None) -> None:
            logs.append((seen["loss"][0], seen["acc"]))

        def on_train_batch_begin(self, step: int, seen: Any = None) -> None:
            draws.append((random.random(), np.random.rand(), paddle.rand([1]).item()))  # noqa: NPY002

    def trained(*callbacks: Any) -> Any:
        logs.clear()
        draws.clear()
        net = network()
        model = prepared(paddle.jit.to_static(net) if static else net)
        np.random.seed(3)  # noqa: NPY002
        random.seed(3)
        paddle.seed(3)
        fit(model, *callbacks, Logs(), epochs=3, accumulate_grad_batches=2)
        return weights(model), list(logs), list(draws)

    draws: list[Any] = []
    plain = trained()
    with Tracker(tmp_path) as tracker:
        validated = trained(
            ValidateEvery(
                1, Noisy(), batches, batch_size=BATCH, tracker=tracker, steering=EarlyStop("acc", 99)
            )
        )
    assert len(series(tmp_path, "eval/loss")) == 15
    assert same(plain[0], validated[0])  # BatchNorm's statistics, too
    assert plain[1:] == validated[1:]


def test_every_layer_is_back_in_its_mode() -> None:
    net = network()
    net.train()
    net[1].eval()  # a frozen BatchNorm
    validate = ValidateEvery(
        1,
        dataset(10, 1),
        1,
        network=net,
        loss=paddle.nn.CrossEntropyLoss(),
        metrics=[paddle.metric.Accuracy()],
    )
    assert set(validate.update(0) or ()) == {"eval/loss", "eval/acc"}
    assert [layer.training for layer in net.sublayers(include_self=True)] == [True, True, False, True, True]
    net.eval()
    validate.update(1)
    assert not any(layer.training for layer in net.sublayers(include_self=True))


def test_a_loop_of_ones_own_is_validated_and_steered(tmp_path: Path) -> None:
    net = paddle.nn.Linear(3, 2)
    accuracy = paddle.metric.Accuracy()
    with Tracker(tmp_path) as tracker:
        stop = EarlyStop("eval/loss", 2, window=1, network=net, tracker=tracker)
        validate = ValidateEvery(
            10,
            dataset(10, 1),
            network=net,
            loss=paddle.nn.CrossEntropyLoss(),
            metrics=[accuracy],
            steering=[stop],
            tracker=tracker,
        )
        for step in range(100):
            validate.update(step)  # nothing is learnt
            if stop.stopped:
                break
    assert step == 29
    assert [step for step, _ in series(tmp_path, "eval/acc")] == [9, 19, 29]
    assert accuracy.count[0] == 0  # the caller's metric is the caller's


def test_an_evaluation_of_fit_at_the_same_step_is_recorded_alone(tmp_path: Path) -> None:
    with Tracker(tmp_path / "both") as tracker:
        fit(prepared(), ValidateEvery(5, batches=1, tracker=tracker), tracker.callback(), epochs=2)
    with Tracker(tmp_path / "full") as tracker:
        fit(prepared(), tracker.callback(), epochs=2)
    with Tracker(tmp_path / "quick") as tracker:
        fit(prepared(), ValidateEvery(5, batches=1, tracker=tracker), epochs=2)
    both, full, quick = (series(tmp_path / name, "eval/loss") for name in ("both", "full", "quick"))
    assert both == full
    assert [step for step, _ in quick] == [4, 9]
    assert quick != full


def test_a_stop_by_quick_validation_ends_the_epoch_too(tmp_path: Path) -> None:
    with Tracker(tmp_path) as tracker:
        stop = EarlyStop("acc", target=0.0, tracker=tracker)
        halve = HalveOnPlateau("loss", tracker=tracker)
        model = prepared()
        validate = ValidateEvery(3, batches=1, steering=[stop, halve], tracker=tracker, prefix="quick")
        assert fit(model, validate, tracker.callback()).batches == 3
        assert fit(model, validate, tracker.callback()).batches == 3  # steps go on: 3, 4, 5
    assert [step for step, _ in series(tmp_path, "steering/early stop")] == [2, 5]
    assert "quick/acc" in by_tag(tmp_path)
    assert [step for step, _ in series(tmp_path, "steering/learning rate/waited")] == [2, 5]


def test_a_validation_that_fails_does_not_end_the_training(tmp_path: Path) -> None:
    class Broken(paddle.io.Dataset):
        def __getitem__(self, index: int) -> Any:
            return (np.zeros(7, "float32"), np.array([0]))  # of another shape than the network's inputs

        def __len__(self) -> int:
            return 4

    with pytest.warns(VizKitWarning, match="validation: not recorded") as told:
        model = prepared()
        assert fit(model, ValidateEvery(1, Broken()), epochs=1).batches == STEPS
    assert len([warning for warning in told if warning.category is VizKitWarning]) == 1
    plain = prepared()
    fit(plain, epochs=1)
    assert same(weights(plain), weights(model))
    with Tracker(tmp_path, strict=True) as tracker, pytest.raises(ValueError):  # noqa: PT011
        fit(prepared(), ValidateEvery(1, Broken(), tracker=tracker))


def test_without_a_tracker_nothing_is_recorded_but_all_is_measured() -> None:
    data = dataset()
    model = prepared()
    validate = ValidateEvery(STEPS, data)
    fit(model, validate, epochs=1)
    assert set(validate.last) == {"eval/loss", "eval/acc"}


def test_data_that_is_read_as_a_stream_is_validated_on() -> None:
    class Stream(paddle.io.IterableDataset):
        def __iter__(self) -> Any:
            return iter([data[index] for index in range(len(data))])

    data = dataset()
    network = prepared().network
    validate = ValidateEvery(1, Stream(), network=network, loss=paddle.nn.CrossEntropyLoss())
    same_data = ValidateEvery(1, data, network=network, loss=paddle.nn.CrossEntropyLoss())
    assert validate.update(0) == pytest.approx(same_data.update(0))
