"""Cells of a real IPython kernel that raise, and what the runs say that were recorded in them."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator

import pytest

from vizkit._protocols import JSONObject

nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

import nbformat  # noqa: E402
from jupyter_client.manager import AsyncKernelManager  # noqa: E402

RunCell = Callable[[str], str]


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunCell]:
    """Runs a cell, and returns what it printed or raised."""
    notebook = nbformat.v4.new_notebook()  # type: ignore[no-untyped-call]
    with tempfile.TemporaryDirectory() as sockets:
        manager = AsyncKernelManager(kernel_name="python3", transport="ipc", ip=f"{sockets}/kernel")
        client = nbclient.NotebookClient(
            notebook,
            manager,
            timeout=300,
            allow_errors=True,
            resources={"metadata": {"path": str(tmp_path_factory.mktemp("log"))}},
        )

        def run(code: str) -> str:
            notebook.cells.append(nbformat.v4.new_code_cell(code))  # type: ignore[no-untyped-call]
            client.execute_cell(notebook.cells[-1], len(notebook.cells) - 1)
            said = notebook.cells[-1].outputs
            return "".join(each.get("text", "") + each.get("ename", "") for each in said)

        with client.setup_kernel(cleanup_kc=True, env={**os.environ, "IPYTHONDIR": f"{sockets}/ipython"}):
            run("import vizkit\nfrom vizkit import Tracker")
            yield run


@pytest.fixture
def state(kernel: RunCell) -> Callable[[], JSONObject]:
    def read() -> JSONObject:
        printed = kernel("import json; print(open(f'{tracker.logdir}/environment.json').read())")
        found: JSONObject = json.loads(printed)
        return found

    return read


def test_a_loop_that_raises_has_failed_until_it_records_on(
    kernel: RunCell, state: Callable[[], JSONObject]
) -> None:
    kernel("tracker = Tracker('run', quiet=True)")
    assert state()["status"] == "running"
    loop = "for step in range({0}, {0} + 3):\n    tracker.log({{'loss': 1 / step}}, step)\n{1}"
    assert kernel(loop.format(1, "raise ValueError('diverged')")) == "ValueError"
    found = state()
    assert (found["status"], found["error"]) == ("failed", {"type": "ValueError", "message": "diverged"})
    assert kernel("1 / 0") == "ZeroDivisionError"  # no business of the run's
    assert state()["error"] == {"type": "ValueError", "message": "diverged"}

    going_on = "print(open(f'{tracker.logdir}/environment.json').read().count('\"running\"'))"
    assert kernel(loop.format(4, going_on)) == "1\n"
    found = state()
    assert found["status"] == "running" and "error" not in found
    assert kernel("tracker.logdirr") == "AttributeError"
    assert state()["status"] == "running"
    kernel("tracker.close()")
    assert state()["status"] == "finished"
    assert kernel("print(len(vizkit.load('run')[0].columns('loss').values))") == "6\n"


@pytest.mark.parametrize(
    "cell",
    [
        "raise ValueError('no')",
        "def train():\n    tracker.log({'loss': 1 / len([])})\ntrain()",
        "%%time\nfor step in range(2):\n    tracker.log({'loss': step})\nraise ValueError('no')",
    ],
)
def test_a_cell_that_makes_the_tracker(kernel: RunCell, state: Callable[[], JSONObject], cell: str) -> None:
    magic, rest = cell.split("\n", 1) if cell.startswith("%") else ("", cell)
    kernel(f"{magic}\ntracker = Tracker('made', quiet=True)\n{rest}".strip())
    assert state()["status"] == "failed"
    kernel("tracker.close()")
    assert state()["status"] == "failed"


@pytest.mark.parametrize(
    "call", ["Trainer().fit()", "train(tracker)", "while True:\n    raise KeyError(tracker)"]
)
def test_a_training_that_fails_before_its_first_record(
    kernel: RunCell, state: Callable[[], JSONObject], call: str
) -> None:
    kernel("tracker = Tracker('early', quiet=True)")
    kernel(
        "def train(visual):\n    batch = {}['images']\n    visual.log({'loss': 1})\n"
        "class Trainer:\n    def __init__(self):\n        self.visual = tracker\n"
        "    def fit(self):\n        {}['images']"
    )
    assert kernel("{}['else']") == "KeyError" and state()["status"] == "running"
    assert kernel(call) == "KeyError"
    assert state()["status"] == "failed" and state()["error"]["type"] == "KeyError"


def test_ctrl_c_interrupts(kernel: RunCell, state: Callable[[], JSONObject]) -> None:
    kernel("tracker = Tracker('stopped', quiet=True)")
    assert kernel("tracker.log({'loss': 1})\nraise KeyboardInterrupt") == "KeyboardInterrupt"
    assert state()["status"] == "interrupted"


def test_a_writer_of_visualdls_under_autolog(kernel: RunCell) -> None:
    said = "import json; state = json.load(open('stock/environment.json')); print(state['status'])"
    kernel("vizkit.autolog(quiet=True)\nfrom visualdl import LogWriter\nwriter = LogWriter('stock')")
    assert kernel("1 / 0") == "ZeroDivisionError"  # nothing is recorded yet
    assert kernel("writer.add_scalar('loss', 0.5, 0)\nraise ValueError('diverged')") == "ValueError"
    assert kernel(said) == "failed\n"
    assert kernel("1 / 0") == "ZeroDivisionError"
    assert kernel("print(state['error']['message'])") == "diverged\n"
    kernel("writer.add_scalar('loss', 0.5, 1)")
    assert kernel(said) == "running\n"
    assert kernel("1 / 0") == "ZeroDivisionError"  # no business of the run's
    assert kernel(said) == "running\n"
    closing = "try:\n    writer.add_scalar('loss', 0.5, 2)\n    {}['image']\nfinally:\n    writer.close()"
    assert kernel(closing) == "KeyError"
    assert kernel(said) == "failed\n"
    kernel("vizkit.autolog(disable=True)")
    assert kernel(said) == "failed\n"


def test_the_kernel_is_as_it_was(kernel: RunCell) -> None:
    kernel("tracker = Tracker('dropped', quiet=True)")
    assert kernel("print(get_ipython().custom_exceptions)") == "()\n"
    kernel("import weakref; dropped = weakref.ref(tracker); tracker.log({'loss': 1})")
    assert kernel("tracker = Tracker('next', quiet=True)\nprint(dropped())") == "None\n"


def test_a_sweep_in_a_cell_sends_the_cells_function_to_its_workers(kernel: RunCell) -> None:
    said = kernel("""
best = 2
def train(hparams, tracker):
    tracker.log({"eval/acc": -abs(hparams["x"] - best)}, step=0)
result = vizkit.sweep(train, {"x": [1, 2, 3]}, logdir="sweep", metric="eval/acc", workers=2, quiet=True)
print(result.best.hparams, len(result.finished))
""")
    assert said == "{'x': 2} 3\n"
