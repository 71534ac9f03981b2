"""`vizkit.sweep` in one process: what is trained, what is kept, how it goes on."""

from __future__ import annotations

import json
import math
import os
import random
import shutil
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vizkit
from tests.helpers import python
from vizkit.errors import DataError, LogNotFoundError, MissingDependencyError, UnknownNameError
from vizkit.sweeps import Pruned, integers, log, status, uniform, when
from vizkit.sweeps.space import Value

Hparams = dict[str, Value]


def peak(hparams: Hparams, tracker: vizkit.Tracker) -> None:
    """A training whose accuracy is best at a learning rate of 0.1 and a batch of 64, at the second step."""
    rate, batch = hparams["lr"], hparams["batch"]
    assert isinstance(rate, float) and isinstance(batch, int)
    best = 1 - abs(math.log10(rate) + 1) / 10 - abs(batch - 64) / 1000
    for step, value in enumerate((best / 2, best, best - 0.01)):
        tracker.log({"eval/acc": value, "train/loss": 1 - value}, step=step)


SPACE: dict[str, list[float]] = {"lr": [0.01, 0.1, 1.0], "batch": [32, 64]}


def test_a_grid_is_trained_once_and_its_best_is_named(tmp_path: Path) -> None:
    result = vizkit.sweep(peak, SPACE, logdir=tmp_path, metric="eval/acc", quiet=True)
    assert [dict(trial.hparams) for trial in result.trials] == [
        {"lr": rate, "batch": batch} for rate in SPACE["lr"] for batch in SPACE["batch"]
    ]
    assert result.best.hparams == {"lr": 0.1, "batch": 64} and result.best.value == 1.0
    assert math.isnan(result.best.spread) and result.best.state == "finished" and result.best.duration
    assert [trial.value for trial in result.finished] == sorted(
        (t.value for t in result.trials), reverse=True
    )
    run = result.runs[result.best.runs[0]]
    assert run.hparams == {"lr": 0.1, "batch": 64, "seed": 0} and run.status == "finished"
    assert run.best("eval/acc").value == 1.0 and run.metrics == ["eval/acc"]
    assert len(result.runs) == 6


def test_stock_visualdl_reads_each_trial(tmp_path: Path) -> None:
    from visualdl import LogReader

    result = vizkit.sweep(peak, {"lr": 0.1, "batch": [64]}, logdir=tmp_path, metric="eval/acc", quiet=True)
    (name,) = result.trials[0].runs
    (path,) = (tmp_path / name).glob("*vdlrecords*")
    assert [record.value for record in LogReader(file_path=str(path)).get_data("scalar", "eval/acc")] == [
        0.5,
        1.0,
        pytest.approx(0.99),
    ]


def test_the_value_is_the_best_or_the_last_of_a_training(tmp_path: Path) -> None:
    found = {
        objective: vizkit.sweep(
            peak,
            {"lr": [0.1], "batch": [64]},
            logdir=tmp_path / objective,
            metric=metric,
            objective=objective,  # type: ignore[arg-type]
            quiet=True,
        ).best.value
        for metric, objective in (("eval/acc", "best"), ("train/loss", "last"))
    }
    assert found == {"best": 1.0, "last": pytest.approx(0.01)}


def test_a_loss_is_minimized(tmp_path: Path) -> None:
    result = vizkit.sweep(peak, SPACE, logdir=tmp_path, metric="train/loss", quiet=True)
    assert result.mode == "min" and result.best.hparams == {"lr": 0.1, "batch": 64}


def test_seeds_are_averaged_and_set(tmp_path: Path) -> None:
    seen: list[tuple[Value, float, float]] = []

    def noisy(hparams: Hparams, tracker: vizkit.Tracker) -> None:
        noise = float(np.random.random())  # noqa: NPY002 - the global generator is what is set
        seen.append((hparams["seed"], noise, random.random()))
        tracker.log({"eval/acc": noise}, step=0)

    result = vizkit.sweep(
        noisy, {"lr": [1, 2]}, logdir=tmp_path, metric="eval/acc", seeds=3, seed=5, quiet=True
    )
    assert [seed for seed, _, _ in seen] == [5, 6, 7, 5, 6, 7]
    assert seen[:3] == seen[3:] and len({noise for _, noise, _ in seen}) == 3
    values = [noise for _, noise, _ in seen[:3]]
    for trial in result.trials:
        assert trial.values == tuple(values)
        assert trial.value == pytest.approx(np.mean(values))
        assert trial.spread == pytest.approx(np.std(values, ddof=1))
        assert trial.runs == tuple(f"trial{trial.number:03d}-seed{index}" for index in range(3))
    assert len(result.runs.group_by("lr")) == 2


@pytest.mark.parametrize("sampler", ["random", "quasi-random", "tpe"])
def test_a_search_trains_as_many_points_as_asked_for(tmp_path: Path, sampler: Any) -> None:
    options: dict[str, Any] = {"metric": "eval/acc", "sampler": sampler, "quiet": True}
    space = {"lr": log(1e-3, 1), "batch": [32, 64]}
    result = vizkit.sweep(peak, space, logdir=tmp_path / "a", trials=8, **options)
    again = vizkit.sweep(peak, space, logdir=tmp_path / "b", trials=8, **options)
    assert len(result.finished) == 8
    assert all(1e-3 <= trial.hparams["lr"] <= 1 for trial in result.trials)  # type: ignore[operator]
    assert [trial.hparams for trial in result.trials] == [trial.hparams for trial in again.trials]


def test_a_sweep_goes_on_and_draws_no_point_twice(tmp_path: Path) -> None:
    options: dict[str, Any] = {"logdir": tmp_path, "metric": "eval/acc", "sampler": "random", "quiet": True}
    space = {"lr": log(1e-3, 1), "batch": [64]}
    first = vizkit.sweep(peak, space, trials=3, **options)
    runs = sorted(os.listdir(tmp_path))
    assert vizkit.sweep(peak, space, trials=3, **options).to_dict() == first.to_dict()
    assert sorted(os.listdir(tmp_path)) == runs
    more = vizkit.sweep(peak, space, trials=7, **options)
    assert more.trials[:3] == first.trials
    assert len({trial.hparams["lr"] for trial in more.trials}) == 7
    assert status(tmp_path).to_dict() == more.to_dict()


def test_known_points_come_first_and_once(tmp_path: Path) -> None:
    options: dict[str, Any] = {
        "logdir": tmp_path,
        "metric": "eval/acc",
        "trials": 4,
        "sampler": "random",
        "quiet": True,
    }
    space = {"lr": log(1e-3, 1), "batch": [32, 64]}
    for _ in range(2):
        result = vizkit.sweep(peak, space, points=[{"lr": 0.1, "batch": 64}, {"lr": 0.5}], **options)
    assert result.trials[0].hparams == {"lr": 0.1, "batch": 64}
    assert result.trials[1].hparams["lr"] == 0.5
    assert len(result.trials) == 4


def test_constraints_hold_for_every_point(tmp_path: Path) -> None:
    def both(point: Hparams) -> bool:
        return point["a"] + point["b"] <= 10  # type: ignore[operator]

    def train(hparams: Hparams, tracker: vizkit.Tracker) -> None:
        a, b = hparams["a"], hparams["b"]
        assert isinstance(a, int) and isinstance(b, int)
        tracker.log({"eval/acc": a * b}, step=0)

    space = {"a": integers(1, 9), "b": integers(1, 9)}
    drawn = vizkit.sweep(
        train,
        space,
        logdir=tmp_path / "r",
        metric="eval/acc",
        trials=12,
        sampler="random",
        constraint=both,
        quiet=True,
    )
    assert len(drawn.finished) == 12 and all(both(dict(trial.hparams)) for trial in drawn.trials)
    grid = vizkit.sweep(
        train, space, logdir=tmp_path / "g", metric="eval/acc", sampler="grid", constraint=both, quiet=True
    )
    assert len(grid.finished) == 45 and grid.best.value == 25
    with pytest.raises(DataError, match="holds for no point"):
        vizkit.sweep(
            train, {"a": [9], "b": [9]}, logdir=tmp_path / "n", metric="eval/acc", constraint=both, quiet=True
        )


def test_conditional_hyper_parameters_reach_the_training_where_they_are_there(tmp_path: Path) -> None:
    seen = []

    def train(hparams: Hparams, tracker: vizkit.Tracker) -> None:
        seen.append({name: value for name, value in hparams.items() if name != "seed"})
        tracker.log({"eval/acc": 0.5}, step=0)

    space = {"optimizer": ["SGD", "Adam"], "momentum": when(uniform(0.8, 0.9), optimizer="SGD")}
    vizkit.sweep(train, space, logdir=tmp_path, metric="eval/acc", trials=10, sampler="random", quiet=True)
    assert {len(point) for point in seen} == {1, 2}
    assert all(("momentum" in point) == (point["optimizer"] == "SGD") for point in seen)


def test_a_failed_trial_keeps_its_error_and_stops_nothing(tmp_path: Path) -> None:
    def train(hparams: Hparams, tracker: vizkit.Tracker) -> None:
        rate = hparams["lr"]
        assert isinstance(rate, int)
        tracker.log({"eval/acc": math.nan if rate == 3 else rate}, step=0)
        if rate == 2:
            raise ZeroDivisionError("no such luck")

    options: dict[str, Any] = {"logdir": tmp_path, "metric": "eval/acc", "quiet": True}
    result = vizkit.sweep(train, {"lr": [1, 2, 3, 4]}, **options)
    assert [trial.state for trial in result.trials] == ["finished", "failed", "failed", "finished"]
    assert result.trials[1].error == "ZeroDivisionError: no such luck"
    assert "has diverged" in result.trials[2].error
    assert result.best.hparams == {"lr": 4}
    assert result.runs["trial001"].status == "failed"
    assert "trial 1 failed: ZeroDivisionError: no such luck" in str(result)
    assert len(vizkit.sweep(train, {"lr": [1, 2, 3, 4]}, **options).trials) == 4


def test_a_training_that_exits_ends_its_trial_alone(tmp_path: Path) -> None:
    def train(hparams: Hparams, tracker: vizkit.Tracker) -> None:
        tracker.log({"eval/acc": 0.5}, step=0)
        sys.exit(hparams["code"])  # type: ignore[arg-type]

    result = vizkit.sweep(
        train, {"code": [0, 2, None, "no data"]}, logdir=tmp_path, metric="eval/acc", quiet=True
    )
    assert [trial.state for trial in result.trials] == ["finished", "failed", "finished", "failed"]
    assert result.trials[1].error.endswith("the training has ended with sys.exit(2)")
    assert "sys.exit('no data')" in result.trials[3].error
    assert [run.status for run in result.runs] == ["finished", "failed", "finished", "failed"]


def test_five_seeds_are_enough_for_wilcoxons_rule(tmp_path: Path) -> None:
    def train(hparams: Hparams, tracker: vizkit.Tracker) -> None:
        tracker.log({"eval/acc": hparams["level"] + hparams["seed"] / 100}, step=0)  # type: ignore[operator]

    result = vizkit.sweep(
        train, {"level": [9, 1]}, logdir=tmp_path, metric="eval/acc", seeds=5, pruner="wilcoxon", quiet=True
    )
    assert [(trial.state, len(trial.values)) for trial in result.trials] == [("finished", 5), ("pruned", 4)]


def test_a_metric_that_is_never_recorded_ends_the_sweep_at_once(tmp_path: Path) -> None:
    count = []

    def train(hparams: Hparams, tracker: vizkit.Tracker) -> None:
        count.append(1)
        tracker.log({"train/acc": 1.0}, step=0)

    with pytest.raises(UnknownNameError, match="without a value of 'eval/acc'; it has recorded 'train/acc'"):
        vizkit.sweep(train, {"lr": [1, 2, 3]}, logdir=tmp_path, metric="eval/acc", quiet=True)
    assert len(count) == 1


def test_the_median_rule_ends_trials_and_their_runs_are_labelled(tmp_path: Path) -> None:
    steps: Counter[int] = Counter()

    def train(hparams: Hparams, tracker: vizkit.Tracker) -> None:
        level = hparams["level"]
        assert isinstance(level, int)
        for step in range(20):
            steps[level] += 1
            try:
                tracker.log({"eval": {"acc": level + step / 100}}, step=step)
            except Exception:  # a training that catches all errors is ended, too
                raise AssertionError from None

    result = vizkit.sweep(
        train,
        {"level": list(range(10, 0, -1))},
        logdir=tmp_path,
        metric="eval/acc",
        pruner="median",
        quiet=True,
    )
    states = [trial.state for trial in result.trials]
    assert states[:4] == ["finished"] * 4 and states[4:] == ["pruned"] * 6
    assert [steps[level] for level in range(10, 0, -1)] == [20] * 4 + [1] * 6
    pruned = result.runs[result.trials[-1].runs[0]]
    assert pruned.labels == ["pruned"] and pruned.status == "finished"
    assert result.best.hparams == {"level": 10}


def test_halving_lets_the_better_half_go_on_after_two_evaluations_and_four(tmp_path: Path) -> None:
    steps: Counter[Value] = Counter()

    def train(hparams: Hparams, tracker: vizkit.Tracker) -> None:
        for step in range(9):
            steps[hparams["level"]] += 1
            tracker.log({"eval/acc": hparams["level"]}, step=step)  # type: ignore[dict-item]

    levels = [
        4,
        5,
        1,
        4.5,
        3,
        6,
        2,
    ]  # of 2, 3, 4 trials go on 1, 1, 2; of three after evaluation 4, one
    options: dict[str, Any] = {"metric": "eval/acc", "pruner": "halving", "quiet": True}
    result = vizkit.sweep(train, {"level": levels}, logdir=tmp_path, **options)
    assert steps == {4: 9, 5: 9, 1: 2, 4.5: 4, 3: 2, 6: 9, 2: 2}
    assert result.best.hparams == {"level": 6}


def test_a_trial_is_ended_by_the_value_that_would_count(tmp_path: Path) -> None:
    def train(hparams: Hparams, tracker: vizkit.Tracker) -> None:
        for step, value in enumerate({"early": (5, 1, math.nan), "even": (4, 4, 4)}[str(hparams["name"])]):
            tracker.log({"eval/acc": value}, step=step)

    for objective, state in (("best", "pruned"), ("last", "finished")):
        result = vizkit.sweep(
            train,
            {"name": ["early", "even"]},
            logdir=tmp_path / objective,
            metric="eval/acc",
            objective=objective,  # type: ignore[arg-type]
            pruner="halving",
            quiet=True,
        )
        assert result.trials[1].state == state, objective


def test_wilcoxons_rule_trains_fewer_seeds_of_a_bad_point(tmp_path: Path) -> None:
    count: Counter[Value] = Counter()

    def train(hparams: Hparams, tracker: vizkit.Tracker) -> None:
        count[hparams["level"]] += 1
        tracker.log({"eval/acc": hparams["level"] + hparams["seed"] / 100}, step=0)  # type: ignore[operator]

    result = vizkit.sweep(
        train, {"level": [9, 1]}, logdir=tmp_path, metric="eval/acc", seeds=12, pruner="wilcoxon", quiet=True
    )
    assert count[9] == 12 and 1 < count[1] < 12
    assert [trial.state for trial in result.trials] == ["finished", "pruned"]


def test_ctrl_c_gives_the_trial_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stop = [True]

    def train(hparams: Hparams, tracker: vizkit.Tracker) -> None:
        if hparams["lr"] == 2 and stop:
            raise KeyboardInterrupt
        tracker.log({"eval/acc": hparams["lr"]}, step=0)  # type: ignore[dict-item]

    options: dict[str, Any] = {"logdir": tmp_path, "metric": "eval/acc"}
    with pytest.raises(KeyboardInterrupt):
        vizkit.sweep(train, {"lr": [1, 2, 3]}, **options)
    assert "interrupted; the same call goes on" in capsys.readouterr().err
    assert [trial.state for trial in status(tmp_path).trials] == ["finished", "waiting", "waiting"]
    stop.clear()
    result = vizkit.sweep(train, {"lr": [1, 2, 3]}, **options)
    assert sorted(trial.value for trial in result.finished) == [1, 2, 3] and len(result.trials) == 3
    assert "3/3 trials" in capsys.readouterr().err


def test_another_space_in_the_same_directory_is_refused(tmp_path: Path) -> None:
    options: dict[str, Any] = {"logdir": tmp_path, "metric": "eval/acc", "quiet": True}
    vizkit.sweep(peak, {"lr": [0.1], "batch": [64]}, **options)
    with pytest.raises(DataError, match=r"holds a sweep whose space is .* take another logdir"):
        vizkit.sweep(peak, {"lr": [0.2], "batch": [64]}, **options)
    with pytest.raises(DataError, match="whose seeds is 1, not 2"):
        vizkit.sweep(peak, {"lr": [0.1], "batch": [64]}, seeds=2, **options)
    assert len(status(tmp_path).trials) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"metric": ""}, "metric must be the tag"),
        ({"metric": "reward"}, "whether 'reward' is better high or low is not known"),
        ({"seeds": 0}, "seeds"),
        ({"workers": 1.5}, "workers"),
        ({"sampler": "best"}, "sampler must be"),
        ({"pruner": "soon"}, "pruner must be"),
        ({"pruner": "wilcoxon"}, "ends no point with fewer than 5 seeds, got seeds=1"),
        ({"pruner": "wilcoxon", "seeds": 4}, "ends no point with fewer than 5 seeds, got seeds=4"),
        ({"seconds": -1}, "seconds must be above 0"),
        ({"space": {"lr": log(1e-3, 1)}}, "how long shall the sweep search"),
        ({"space": {"lr": log(1e-3, 1)}, "sampler": "grid"}, "lr has no end of values"),
        ({"points": [{"lr": 7}]}, "is not in the space"),
        ({"space": {"seed": [1, 2]}, "seeds": 2}, "a 'seed' of its own"),
        ({"space": {}}, "the space is empty"),
        ({"space": {"lr": []}}, "lr: a choice needs at least one value"),
        ({"constraint": lambda point: False}, "holds for no point"),
        ({"engine": "slurm"}, "engine must be"),
        ({"resources": {"GPU": 1}}, "resources= is of engine='ray'"),
    ],
)
def test_bad_options_are_refused_before_anything_is_trained(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    options = {"space": SPACE, "metric": "eval/acc", "quiet": True, **change}
    with pytest.raises(DataError, match=said):
        vizkit.sweep(lambda hparams, tracker: pytest.fail("trained"), logdir=tmp_path / "log", **options)
    assert not (tmp_path / "log").exists()


def test_a_train_that_is_no_function_is_a_wrong_call(tmp_path: Path) -> None:
    for wrong in (3, "python train.py", [], [1]):
        with pytest.raises(TypeError, match="train must be a function"):
            vizkit.sweep(wrong, SPACE, logdir=tmp_path, metric="eval/acc")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"called as train\(hparams, tracker\).*too many positional"):
        vizkit.sweep(lambda hparams: None, SPACE, logdir=tmp_path, metric="eval/acc")  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_status_of_a_directory_without_a_sweep(tmp_path: Path) -> None:
    with pytest.raises(LogNotFoundError, match="holds no sweep"):
        status(tmp_path)
    (tmp_path / ".sweep").mkdir()
    (tmp_path / ".sweep" / "sweep.json").write_text('{"space": 3}')
    with pytest.raises(DataError, match="does not describe a sweep"):
        status(tmp_path)


def test_a_result_is_json_and_html(tmp_path: Path) -> None:
    result = vizkit.sweep(
        peak, {"lr": [0.1, 0.2], "batch": [64]}, logdir=tmp_path / "<b>", metric="eval/acc", quiet=True
    )
    content = json.loads(json.dumps(result.to_dict()))
    assert content["best"]["hparams"] == {"lr": 0.1, "batch": 64} and len(content["trials"]) == 2
    assert "&lt;b&gt;" in result._repr_html_() and "/<b>" not in result._repr_html_()


def anything(point: Hparams) -> bool:
    return True


def killed(study: Any, number: int) -> None:
    """Have a trial look as if its process had been killed."""
    import optuna

    optuna.Trial(study._study, study.trials()[number]._trial_id).set_user_attr(
        "worker", {"id": "x", "pid": 2**22 + 1, "process": "gone", "host": os.uname().nodename}
    )


def test_a_trial_of_a_killed_process_is_tried_again_so_often(tmp_path: Path) -> None:
    from vizkit.sweeps._plan import Plan
    from vizkit.sweeps._study import SweepStudy
    from vizkit.sweeps.space import as_space

    study = SweepStudy(tmp_path, Plan(as_space({"lr": [1]}), "eval/acc", "max", sampler="grid"))
    study.enqueue([{"lr": 1}])
    for attempt in range(3):
        claim = study.claim(None, 2, anything)
        assert claim is not None and claim.point == {"lr": 1}
        assert study.claim(None, 2, anything) is None  # nobody takes it while it runs
        killed(study, claim.trial.number)
        assert len(study.counted()) == 1, attempt
    assert study.claim(None, 2, anything) is None
    (trial,) = study.counted()
    assert trial.state.name == "FAIL" and trial.user_attrs["error"] == "its process was killed"
    assert not study.running()


def test_a_result_that_comes_after_the_trial_was_given_to_others_is_left_out(tmp_path: Path) -> None:
    from vizkit.sweeps._plan import Plan
    from vizkit.sweeps._study import SweepStudy
    from vizkit.sweeps.space import as_space

    study = SweepStudy(tmp_path, Plan(as_space({"lr": [1]}), "eval/acc", "max", sampler="grid"))
    study.enqueue([{"lr": 1}])
    slow = study.claim(None, 2, anything)
    assert slow is not None
    killed(study, slow.trial.number)
    quick = study.claim(None, 2, anything)
    assert quick is not None
    study.finish(slow, values=[1.0], runs=["slow"])
    study.finish(quick, values=[2.0], runs=["quick"])
    (trial,) = study.counted()
    assert trial.value == 2.0 and trial.user_attrs["runs"] == ["quick"]


def study_of(directory: Path, **about: Any) -> Any:
    from vizkit.sweeps._plan import Plan
    from vizkit.sweeps._study import SweepStudy
    from vizkit.sweeps.space import as_space

    plan = Plan(as_space({"lr": [1, 2], "batch": [64]}), "eval/acc", "max", sampler="grid")
    return SweepStudy(directory, plan, **about)


def test_a_point_is_kept_though_its_process_dies_while_it_takes_it_on(tmp_path: Path) -> None:
    study = study_of(tmp_path)
    study.enqueue([{"lr": 2, "batch": 64}])
    study._study.ask()  # and killed
    claim = study_of(tmp_path).claim(1, 2, anything)
    assert claim.point == {"lr": 2, "batch": 64} and len(study.counted()) == 1


def test_a_trial_is_tried_again_once_though_those_who_see_to_it_are_killed_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = study_of(tmp_path)
    study.enqueue([{"lr": 1, "batch": 64}])
    first = study.claim(1, 2, anything)
    killed(study, first.trial.number)

    def dies(number: int, why: str) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(study, "_end_void", dies)
        with pytest.raises(SystemExit):
            study.claim(1, 2, anything)
    again = study_of(tmp_path).claim(1, 2, anything)
    assert again.point == first.point and len(study.counted()) == 1
    assert sum(trial.state.name == "WAITING" for trial in study.trials()) == 0


def test_a_trial_that_nobody_in_this_process_holds_any_more_is_free(tmp_path: Path) -> None:
    one, other = study_of(tmp_path), study_of(tmp_path)
    one.enqueue([{"lr": 1, "batch": 64}])
    assert one.claim(1, 2, anything) is not None
    assert other.claim(1, 2, anything) is None
    one.leave()
    assert other.claim(1, 2, anything) is not None


def test_a_constraint_that_raises_leaves_no_trial_behind(tmp_path: Path) -> None:
    options: dict[str, Any] = {"logdir": tmp_path, "metric": "eval/acc", "trials": 2, "quiet": True}
    space = {"lr": log(1e-3, 1), "batch": [64]}
    with pytest.raises(ZeroDivisionError):
        vizkit.sweep(peak, space, constraint=lambda point: 1 / 0, **options)  # type: ignore[arg-type, return-value]
    assert len(vizkit.sweep(peak, space, **options).finished) == 2


def test_a_search_may_have_a_time_alone(tmp_path: Path) -> None:
    result = vizkit.sweep(
        peak, {"lr": log(1e-3, 1), "batch": [64]}, logdir=tmp_path, metric="eval/acc", seconds=0.5, quiet=True
    )
    assert len(result.finished) >= 1


def test_known_points_of_a_grid_come_first(tmp_path: Path) -> None:
    result = vizkit.sweep(
        peak, SPACE, logdir=tmp_path, metric="eval/acc", points=[{"lr": 1.0}, {"batch": 64}], quiet=True
    )
    assert [(trial.hparams["lr"], trial.hparams["batch"]) for trial in result.trials] == [
        (1.0, 32),
        (1.0, 64),
        (0.01, 64),
        (0.1, 64),
        (0.01, 32),
        (0.1, 32),
    ]


def test_a_sweep_that_is_done_answers_and_starts_nothing(tmp_path: Path) -> None:
    def train(hparams: Hparams, tracker: vizkit.Tracker) -> None:
        pytest.fail("trained")

    study = study_of(tmp_path)
    study.enqueue([{"lr": 1, "batch": 64}, {"lr": 2, "batch": 64}])
    for value in (1.0, 2.0):
        study.finish(study.claim(2, 2, anything), values=[value], runs=[])
    journal = tmp_path / ".sweep" / "journal"
    size = journal.stat().st_size
    options: dict[str, Any] = {"logdir": tmp_path, "metric": "eval/acc", "sampler": "grid", "quiet": True}
    for workers in (1, 2):
        result = vizkit.sweep(train, {"lr": [1, 2], "batch": [64]}, workers=workers, **options)
        assert result.best.hparams == {"lr": 2, "batch": 64} and len(result.trials) == 2
    assert journal.stat().st_size < size + 1000


def test_looking_at_a_sweep_writes_nothing(tmp_path: Path) -> None:
    vizkit.sweep(peak, SPACE, logdir=tmp_path, metric="eval/acc", quiet=True)

    def state() -> dict[str, int]:
        return {str(path): path.stat().st_mtime_ns for path in tmp_path.rglob("*")}

    before = state()
    assert len(status(tmp_path).finished) == 6
    assert state() == before


def test_runs_of_others_in_the_directory_are_left_alone(tmp_path: Path) -> None:
    with vizkit.Tracker(tmp_path / "mine", quiet=True) as tracker:
        tracker.log({"eval/acc": 7.0}, step=0)
    result = vizkit.sweep(peak, SPACE, logdir=tmp_path, metric="eval/acc", quiet=True)
    assert len(result.runs) == 6 and result.best.value == 1.0
    assert vizkit.load(tmp_path / "mine")[0].best("eval/acc").value == 7.0


def test_runs_of_a_sweep_whose_state_is_gone_are_not_mixed_with_another_ones(tmp_path: Path) -> None:
    vizkit.sweep(peak, SPACE, logdir=tmp_path, metric="eval/acc", quiet=True)
    shutil.rmtree(tmp_path / ".sweep")
    with pytest.raises(DataError, match="holds runs of a sweep whose state is gone, such as trial000"):
        vizkit.sweep(peak, SPACE, logdir=tmp_path, metric="eval/acc", quiet=True)


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"a sweep cannot be kept in .*file/.sweep .*take another logdir"):
        vizkit.sweep(peak, SPACE, logdir=tmp_path / "file", metric="eval/acc", quiet=True)


def test_a_sampler_and_a_pruner_of_ones_own(tmp_path: Path) -> None:
    import optuna

    result = vizkit.sweep(
        peak,
        SPACE,
        logdir=tmp_path,
        metric="eval/acc",
        trials=3,
        sampler=optuna.samplers.BruteForceSampler(seed=0),
        pruner=optuna.pruners.ThresholdPruner(lower=0.45),
        quiet=True,
    )
    assert len(result.trials) == 3
    assert {trial.state for trial in result.trials if trial.hparams["lr"] != 0.1} <= {"pruned", "finished"}
    (tmp_path / ".sweep" / "job.json").write_text('{"command": ["true"], "trials": 9, "until": null}')
    with pytest.raises(DataError, match="an object of its program, BruteForceSampler: run the same program"):
        vizkit.sweeps.join(tmp_path, quiet=True)


def test_the_package_that_is_missing_is_named(tmp_path: Path) -> None:
    done = python(
        "import sys; sys.modules['optuna'] = None; import vizkit; "
        "vizkit.sweep(lambda hparams, tracker: None, {'x': [1]}, metric='eval/acc', logdir=sys.argv[1])",
        tmp_path,
    )
    assert "MissingDependencyError: sweeps need optuna: pip install 'paddle-vizkit[sweep]'" in done.stderr


def test_a_package_of_a_sampler_is_missed_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cmaes", None)
    with pytest.raises(MissingDependencyError, match="sampler='cma-es' needs cmaes: pip install cmaes"):
        vizkit.sweep(
            peak, {"lr": log(1e-3, 1)}, logdir=tmp_path, metric="eval/acc", trials=1, sampler="cma-es"
        )
    assert not list(tmp_path.iterdir())


def test_pruned_is_no_ordinary_error() -> None:
    assert not issubclass(Pruned, Exception)
