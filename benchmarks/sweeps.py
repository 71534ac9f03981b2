"""``python -m benchmarks.sweeps``: all that is promised about sweeps.

Topics: nine LeNets with two workers, the own cost of a trial, killed workers, a sweep that is done, and the
search with TPE and early ends. Ray Tune is measured where Ray is installed.
"""

from __future__ import annotations

from benchmarks._main import main

TOPICS = ["sweep_lenets", "sweep_cost", "sweep_killed", "sweep_again", "sweep_search"]
PACKAGES = ["paddle-vizkit", "paddlepaddle", "optuna", "ray", "numpy"]

if __name__ == "__main__":
    main("benchmarks.sweeps", __doc__, TOPICS, PACKAGES)
