"""What a server holds does not grow with polling, nor with runs that are replaced."""

from __future__ import annotations

import gc
import shutil
from pathlib import Path

import vizkit
from tests.helpers import api, get, until
from vizkit.runs import Run


def test_polling_runs_that_grow_and_are_replaced_keeps_one_answer_and_one_run_each(tmp_path: Path) -> None:
    def write(number: int, values: int) -> None:
        with vizkit.LogWriter(tmp_path / "log" / f"run{number}") as writer:
            writer.add_hparams({"rate": 0.1 * number}, ["eval/acc"])
            for step in range(values):
                writer.add_scalar("eval/acc", float(step * number), step)

    for number in range(4):
        write(number, 5)
    gc.collect()
    before = sum(isinstance(one, Run) for one in gc.get_objects())
    with vizkit.serve(tmp_path / "log") as server:
        for turn in range(12):
            shutil.rmtree(tmp_path / "log" / f"run{turn % 4}")
            write(turn % 4, 10 + turn)
            until(lambda: api(server, "scalar/list", run=f"run{turn % 4}", tag="eval/acc")[-1][1] == 9 + turn)  # noqa: B023
            for number in range(4):
                api(server, "scalar/list", run=f"run{number}", tag="eval/acc")
            for path in ("runs", "tags", "hparams/list", "hparams/indicators"):
                api(server, path)
            for view in ("", "api/runs", "api/groups?group=rate&tag=eval/acc", "api/importance?tag=eval/acc"):
                assert get(f"http://127.0.0.1:{server.port}/vizkit/{view}").status_code == 200
        gc.collect()
        assert len(server._api._cache) == 8
        assert server._api._cache.size < 100_000
        assert sum(isinstance(one, Run) for one in gc.get_objects()) - before <= 4
