"""Several ranks: who records where, and numbers over all of them. Two real processes, over gloo."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import ROOT, by_tag, series
from vizkit import DataError, Tracker, VizKitError, VizKitWarning, autolog
from vizkit.environment import read_environment
from vizkit.hooks import _distributed

LAUNCHED = """
import json, sys, warnings
import numpy as np, paddle
from vizkit import RunExistsError, Tracker, VizKitError, VizKitWarning

root, out = sys.argv[1], {}
paddle.distributed.init_parallel_env()
rank = paddle.distributed.get_rank()

def recorded(**options):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", VizKitWarning)
        with Tracker(root + "/run", system=False, display_name="net", **options) as tracker:
            tracker.log({"loss": 0.1 * (rank + 1), "acc": np.float32(rank)}, 0, reduce="mean")
            tracker.log({"b": rank, "a": 1} if rank else {"a": 1, "b": rank}, 1, reduce="sum")
            tracker.log({"max": rank + 0.5, "nan": float("nan") if rank else 1}, 2, reduce="max")
            tracker.log({"own": rank}, 3)
            tracker.log({"text": "x" if rank else 1}, 4, reduce="mean")
            tracker.log({"only 1": 1} if rank else {"only 0": 1}, 5, reduce="mean")
            tracker.log({"many": rank} if rank else {str(i): i for i in range(40)}, 5, reduce="mean")
            tracker.log({"last": rank}, 6, reduce="sum")
    warned = [str(warning.message) for warning in caught if issubclass(warning.category, VizKitWarning)]
    return {"warned": warned, "enabled": tracker.enabled}

out["first"] = recorded(ranks="all")
out["second"] = recorded(ranks="all")
out["rank 0"] = recorded(if_exists="new")
try:
    Tracker(root + "/run", ranks="all", if_exists="fail")
except RunExistsError as error:
    out["fail"] = str(error)
Tracker(root + "/run-2", ranks="all", if_exists="replace", hparams={"lr": 1}).close()

class Data(paddle.io.Dataset):
    def __len__(self):
        return 8

    def __getitem__(self, index):
        return np.full(2, index % 2, "float32"), np.float32(index % 2)  # even ones are rank 0's

paddle.seed(1)
model = paddle.Model(paddle.nn.Linear(2, 1))
model.prepare(paddle.optimizer.SGD(0.0, parameters=model.parameters()), lambda y, _: y.square().mean())
data = paddle.io.DataLoader(Data(), batch_sampler=paddle.io.DistributedBatchSampler(Data(), 2))
with Tracker(root + "/fit", system=False) as tracker:
    model.fit(data, data, epochs=2, verbose=0, callbacks=tracker.callback(reduce=True, graph=False))
weight, bias = (parameter.numpy().astype("float64").sum() for parameter in model.network.parameters())
out["losses"] = [bias ** 2, (weight + bias) ** 2]
open(f"{root}/{rank}.json", "w").write(json.dumps(out))
"""

SPAWNED = """
import sys
import paddle
import vizkit
from vizkit import Tracker
from visualdl import LogWriter

vizkit.autolog()
of_the_module = Tracker(sys.argv[1] + "/module", hparams={"lr": 0.1}, system=False)
writer = LogWriter(sys.argv[1] + "/writer")

def train(root):
    paddle.distributed.init_parallel_env()
    rank = paddle.distributed.get_rank()
    of_the_module.log({"rank": rank}, 0)
    writer.add_scalar("rank", rank, 0)
    with Tracker(root + "/run", ranks="all", system=False) as tracker:
        tracker.log({"loss": rank}, 0, reduce="mean")
    try:
        with Tracker(root + "/failed", ranks="all", system=False) as tracker:
            raise RuntimeError(f"rank {rank}")
    except RuntimeError:
        pass

if __name__ == "__main__":
    paddle.distributed.spawn(train, (sys.argv[1],), nprocs=2, backend="gloo")
"""


def fail(tag: str, error: Exception) -> None:
    pytest.fail(f"{tag}: {error}")


def run_script(code: str, directory: Path, *launcher: str) -> None:
    script = directory / "script.py"
    script.write_text(code, "utf-8")
    done = subprocess.run(
        [sys.executable, *launcher, str(script), str(directory)],
        capture_output=True, text=True, timeout=200, check=False, cwd=ROOT,
    )  # fmt: skip
    logs = "".join(path.read_text("utf-8", "replace") for path in directory.glob("logs/workerlog*"))
    assert done.returncode == 0, done.stdout + done.stderr + logs


@pytest.fixture(scope="module")
def launched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Any]]:
    """A directory of runs that two launched processes made, and what each of them saw."""
    root = tmp_path_factory.mktemp("launched")
    launcher = ("-m", "paddle.distributed.launch", "--nproc_per_node", "2", "--backend", "gloo")
    run_script(LAUNCHED, root, *launcher, "--log_dir", str(root / "logs"))
    return root, [json.loads((root / f"{rank}.json").read_text("utf-8")) for rank in range(2)]


def test_launched_ranks_record(launched: tuple[Path, list[Any]]) -> None:
    """One test: each of the processes takes seconds to start."""
    root, seen = launched
    runs = sorted(path.name for path in root.iterdir() if path.is_dir() and path.name != "logs")
    assert runs == ["fit", "run", "run-2", "run-2-rank1", "run-3", "run-rank1"]

    # Each its own number and name, and the same numbers over both.
    for rank, name in enumerate(("run", "run-rank1")):
        assert series(root / name, "own") == [(3, rank)]
        assert series(root / name, "loss") == [(0, pytest.approx(0.15, rel=1e-12))]
        assert series(root / name, "acc") == [(0, 0.5)]
        assert series(root / name, "a") == [(1, 2)]
        assert series(root / name, "b") == [(1, 1)]
        assert series(root / name, "max") == [(2, 1.5)]
        assert str(series(root / name, "nan")) == str([(2, float("nan"))])
        assert str(series(root / name, "text")) == str([(4, float("nan"))])
        assert series(root / name, "last") == [(6, 1)]
        made = read_environment(root / name)
        assert (made["rank"], made["world_size"], made["status"]) == (rank, 2, "finished")
        assert not {"only 0", "only 1", "many", "3"} & set(by_tag(root / name))

    # What went wrong is said where it did; the name that was taken, once.
    for rank in range(2):
        first, second = seen[rank]["first"]["warned"], seen[rank]["second"]["warned"]
        assert any("needs the same tags on all ranks; here: only " + str(rank) in text for text in first)
        assert sum("one real number, got 'x'" in text for text in first) == rank
        assert sum("recording to" in text for text in second) == 1 - rank
        assert "run holds records already" in seen[rank]["fail"]

    # By default rank 0 records, and what is reduced is over both ranks all the same.
    assert [one["rank 0"]["enabled"] for one in seen] == [True, False]
    assert series(root / "run-3", "loss") == [(0, pytest.approx(0.15, rel=1e-12))]
    assert read_environment(root / "run-3")["world_size"] == 2

    # Replaced on all ranks.
    assert [set(by_tag(root / name)) for name in ("run-2", "run-2-rank1")] == [{"hparam"}] * 2

    # Model.fit: each rank has two batches an epoch, and its loss is that of its samples.
    losses = series(root / "fit", "train/loss")
    assert [step for step, _ in losses] == [0, 1, 2, 3]
    assert [loss for _, loss in losses] == pytest.approx([sum(seen[0]["losses"]) / 2] * 4)
    assert series(root / "fit", "eval/loss")[0][1] == pytest.approx(sum(seen[0]["losses"]) / 2)


def test_spawned_ranks_record(tmp_path: Path) -> None:
    run_script(SPAWNED, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == [
        "failed", "failed-rank1", "module", "run", "run-rank1", "writer"
    ]  # fmt: skip
    for name in ("module", "writer"):
        assert series(tmp_path / name, "rank") == [(0, 0)]
    for rank, suffix in enumerate(("", "-rank1")):
        assert series(tmp_path / f"run{suffix}", "loss") == [(0, 0.5)]
        assert read_environment(tmp_path / f"run{suffix}")["world_size"] == 2
        failed = read_environment(tmp_path / f"failed{suffix}")
        assert (failed["rank"], failed["status"]) == (rank, "failed")
        assert failed["error"]["message"] == f"rank {rank}"


# -- in one process -----------------------------------------------------------------------------------


def test_one_process_is_rank_0_of_one(tmp_path: Path) -> None:
    with Tracker(tmp_path / "run", ranks="all", system=False) as tracker:
        tracker.log({"loss": 0.5}, reduce="mean")
    assert series(tmp_path / "run", "loss") == [(0, 0.5)]
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert _distributed.reduced({"loss": 0.5}, "sum", fail) == {"loss": 0.5}


def test_bad_arguments_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="ranks must be 0 or 'all', got 1"):
        Tracker(tmp_path / "run", ranks=1)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="reduce must be 'mean', 'sum' or 'max', got 'min'"):
        _distributed.reduced({"loss": 1}, "min", fail)
    with pytest.raises(TypeError, match="'reduce'"):
        autolog(str(tmp_path), reduce=True)  # type: ignore[call-arg]
    assert not list(tmp_path.iterdir())


def of_two(monkeypatch: pytest.MonkeyPatch, rank: int) -> None:
    monkeypatch.setenv("PADDLE_TRAINERS_NUM", "2")
    monkeypatch.setenv("PADDLE_TRAINER_ID", str(rank))


@pytest.mark.parametrize("rank", [0, 1])
def test_without_a_process_group_the_way_out_is_named(
    rank: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_two(monkeypatch, rank)
    with pytest.raises(VizKitError, match=r"init_parallel_env\(\)"):
        Tracker(tmp_path / "all", ranks="all")
    tracker = Tracker(tmp_path / "run", system=False)
    with pytest.warns(VizKitWarning, match=r"reduce needs the process group: call .*init_parallel_env\(\)"):
        tracker.log({"loss": 1}, reduce="mean")
    tracker.close()
    strict = Tracker(tmp_path / "run", strict=True, if_exists="resume", system=False)
    with pytest.raises(VizKitError, match="process group"):
        strict.log({"loss": 1}, reduce="mean")
    strict.close()
    assert not (tmp_path / "all").exists()


def test_a_run_is_taken_while_another_ranks_records_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_two(monkeypatch, 0)
    monkeypatch.setattr("vizkit.hooks.from_rank_0", lambda make: make())
    with Tracker(tmp_path / "run-rank1", system=False) as tracker:
        tracker.log({"loss": 1})
    with pytest.warns(VizKitWarning, match="recording to"), Tracker(tmp_path / "run", ranks="all") as tracker:
        pass
    assert tracker.logdir == str(tmp_path / "run-2")


def test_an_error_of_rank_0_is_raised_on_every_rank(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for the broadcast, to have both ends in one process."""
    import paddle

    told: list[Any] = []
    monkeypatch.setattr(paddle.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(paddle.distributed, "get_rank", lambda: 0)
    monkeypatch.setattr(paddle.distributed, "broadcast_object_list", lambda value, src: told.extend(value))

    def fail() -> None:
        raise PermissionError("no")

    def fail_oddly() -> None:
        raise KeyError(object())

    with pytest.raises(PermissionError):
        _distributed.from_rank_0(fail)
    with pytest.raises(VizKitError, match="KeyError"):
        _distributed.from_rank_0(fail_oddly)
    monkeypatch.setattr(paddle.distributed, "get_rank", lambda: 1)
    monkeypatch.setattr(
        paddle.distributed, "broadcast_object_list", lambda value, src: value.__setitem__(0, told.pop(0))
    )
    with pytest.raises(PermissionError, match="no"):
        _distributed.from_rank_0(pytest.fail)


class Gathering:
    """A stand-in for the collectives of two ranks: the other's row is of its own numbers."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, other: dict[str, float]) -> None:
        import paddle

        monkeypatch.setenv("PADDLE_TRAINERS_NUM", "2")
        monkeypatch.setattr(paddle.distributed, "is_initialized", lambda: True)
        monkeypatch.setattr(paddle.distributed, "get_world_size", lambda: 2)
        monkeypatch.setattr(paddle.distributed, "all_gather", self.remember)
        self.rows: list[Any] = []
        _distributed.reduced(other, "max", fail)  # to see its row
        self.theirs = self.rows[0]
        monkeypatch.setattr(paddle.distributed, "all_gather", self.gather)

    def remember(self, rows: list[Any], row: Any) -> None:
        self.rows.append(row)
        rows.append(row)

    def gather(self, rows: list[Any], row: Any) -> None:
        rows.extend([row, self.theirs])


def test_numbers_are_reduced_over_the_ranks(monkeypatch: pytest.MonkeyPatch) -> None:
    Gathering(monkeypatch, other={"loss": 0.25, "acc": math.inf})
    assert _distributed.reduced({"acc": 0.5, "loss": 0.5}, "max", fail) == {"acc": math.inf, "loss": 0.5}


def test_what_is_no_number_takes_part_as_nan(monkeypatch: pytest.MonkeyPatch) -> None:
    errors: list[str] = []
    Gathering(monkeypatch, other={"loss": 0.25})
    found = _distributed.reduced({"loss": "x"}, "max", lambda tag, error: errors.append(f"{tag}: {error}"))
    assert math.isnan(found["loss"])  # type: ignore[arg-type]
    assert [error.partition(",")[0] for error in errors] == ["loss: a scalar must be one real number"]


@pytest.mark.parametrize("strict", [False, True])
def test_ranks_with_other_tags_are_refused(
    strict: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Gathering(monkeypatch, other={"loss": 0.25})
    with Tracker(tmp_path / "run", strict=strict, system=False) as tracker:
        if strict:
            with pytest.raises(DataError, match="needs the same tags on all ranks; here: acc"):
                tracker.log({"acc": 0.5}, reduce="max")
        else:
            with pytest.warns(VizKitWarning, match="needs the same tags on all ranks; here: acc"):
                tracker.log({"acc": 0.5}, reduce="max")
    with Tracker(tmp_path / "run", if_exists="resume", system=False) as tracker:
        tracker.log({"loss": 0.5}, reduce="max")
    assert series(tmp_path / "run", "loss") == [(0, 0.5)]


def test_steering_decides_by_the_mean_over_the_ranks(monkeypatch: pytest.MonkeyPatch) -> None:
    import paddle

    from vizkit.hooks.steering._steering import over_ranks

    assert over_ranks(0.5) == 0.5
    monkeypatch.setattr(paddle.distributed, "get_world_size", lambda: 2)
    assert over_ranks(0.5) == 0.5  # before init_parallel_env()
    monkeypatch.setattr(paddle.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(
        paddle.distributed, "all_reduce", lambda total: total.add_(paddle.full([1], 1.5, "float64"))
    )
    assert over_ranks(0.5) == 1.0


def test_a_rank_stands_beside_the_run_that_rank_0_took(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_two(monkeypatch, 1)
    monkeypatch.setattr("vizkit.hooks.from_rank_0", lambda make: str(tmp_path / "run-2"))
    with Tracker(tmp_path / "run", ranks="all", display_name="mine", system=False) as tracker:
        tracker.log({"loss": 1})
    assert [path.name for path in tmp_path.iterdir()] == ["run-2-rank1"]
