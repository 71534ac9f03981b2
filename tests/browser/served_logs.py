"""The sample log as VizKit and as stock VisualDL write it, with a profiler's trace and a model file."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.helpers import PATIENCE
from vizkit import LogWriter

from .sample_log import GRAPH_RUN, write_log

PROFILED_STEPS = 3

# With Paddle's old programs VisualDL's `add_graph` works and `jit.save` makes a model that its page draws.
_STOCK = f"""
import sys
from pathlib import Path
import numpy as np
import paddle
from paddle import profiler
import visualdl
from tests.browser.sample_log import write_log

np.float = float  # without it VisualDL's curves fail on this numpy
root = Path(sys.argv[1])
write_log(root / "log", visualdl.LogWriter)
net = paddle.nn.Linear(8, 4)
paddle.jit.save(net, str(root / "net"), [paddle.static.InputSpec([None, 8], "float32")])
keep = profiler.export_chrome_tracing(str(root / "log/{GRAPH_RUN}"), worker_name="host")
cpu = [profiler.ProfilerTarget.CPU]
steps = (1, {1 + PROFILED_STEPS})
with profiler.Profiler(targets=cpu, scheduler=steps, on_trace_ready=keep, profile_memory=True) as running:
    for _ in range(steps[1] + 1):
        net(paddle.ones([2, 8])).sum().backward()
        running.step()
"""


def write_logs(root: Path) -> tuple[Path, Path, Path]:
    """Returns VizKit's log directory, stock VisualDL's, and a model file."""
    ours, stock = root / "vizkit/log", root / "stock/log"
    stock.mkdir(parents=True)
    command = [sys.executable, "-c", _STOCK, str(stock.parent)]
    environment = {**os.environ, "FLAGS_enable_pir_api": "0"}
    with subprocess.Popen(
        command,
        cwd=Path(__file__).parents[2],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as writing:
        write_log(ours, LogWriter)
        said, _ = writing.communicate(timeout=PATIENCE)
    assert writing.returncode == 0, said
    (trace,) = (stock / GRAPH_RUN).glob("*.paddle_trace.json")
    shutil.copy(trace, ours / GRAPH_RUN)
    return ours, stock, stock.parent / "net.pdmodel"
