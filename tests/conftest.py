"""Browser tests are left out, in so many words, where there is no browser."""

from __future__ import annotations

import gc
import importlib
import math
import os
import signal
import sys
import threading
from collections.abc import Generator, Iterator
from typing import Any

import hypothesis
import pytest

from tests.helpers import PATIENCE, find_browser
from vizkit._language import language

os.environ["VIZKIT_LANG"] = "en"  # of all that VizKit says, in children too

# A machine may be slow: how long one example takes says nothing. The same examples each time; for others,
# pytest --hypothesis-profile=search
hypothesis.settings.register_profile("vizkit", deadline=None, derandomize=True)
hypothesis.settings.register_profile("search", deadline=None, print_blob=True)
hypothesis.settings.load_profile("vizkit")

# Coverage costs each child half a second. It does not follow those that run what others run, too; the workers
# of sweeps run what nobody else does. While a test waits for a browser, nothing is measured.
UNTRACED = (
    *("tests/browser/", "tests/faults/", "tests/typing/", "tests/unit/writing/"),
    *("tests/integration/test_docs_site.py", "tests/integration/test_notebooks.py"),
    # Workers of loaders: each saves at its end what all tests before it have covered.
    "tests/integration/test_samples.py::test_the_same_samples_are_recorded_at_every_evaluation[2]",
    "tests/integration/test_tasks.py::test_rows_have_the_indices_of_the_data_set[2-True]",
)
TRACED = "tests/faults/test_sweep_workers.py"

NO_BROWSER = "no chromium found (apt-get install chromium)"


def pytest_configure(config: pytest.Config) -> None:
    os.environ["VIZKIT_CACHE_DIR"] = ""  # nothing is left behind; tests of the cache have their own
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # in a shell's background; children inherit it
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if "coverage" in sys.modules:  # it asks where it was started in each fork: for seconds, beside Paddle
        importlib.import_module("coverage.collector").short_stack = str  # type: ignore[attr-defined]
    if os.environ.get("VIZKIT_REQUIRE_BROWSER") == "1" and not find_browser():
        raise pytest.UsageError(f"VIZKIT_REQUIRE_BROWSER=1, and {NO_BROWSER}")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    with pytest.MonkeyPatch.context() as patch:
        if item.nodeid.startswith(UNTRACED) and not item.nodeid.startswith(TRACED):
            patch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
            if os.name == "posix":  # coverage's own saves its data in each forked child
                patch.setattr(os, "_exit", importlib.import_module("posix")._exit)
        return (yield)


@pytest.fixture(autouse=True)
def _english_again() -> Iterator[None]:
    """Whatever language a test chooses, the next one starts in English."""
    yield
    language("en")


@pytest.fixture(autouse=True)
def _except_hook_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that a test runs in this process leaves Typer's hook."""
    monkeypatch.setattr("sys.excepthook", sys.excepthook)


@pytest.fixture(autouse=True)
def _no_loader_goes_on() -> Iterator[None]:
    """A training that an error ended leaves the thread of Paddle's loader, which waits for ever."""
    yield
    for thread in threading.enumerate():
        loader: Any = getattr(getattr(thread, "_target", None), "__self__", None)
        if type(loader).__name__ == "_DataLoaderIterSingleProcess":
            loader._exit_thread_expectedly()
            thread.join(PATIENCE)


@pytest.fixture(autouse=True)
def _no_slow_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking git and the GPU's driver takes longer than most tests; those of the environment do."""
    monkeypatch.setattr("vizkit.environment.session.slow_snapshot", dict)


@pytest.fixture(autouse=True)
def _no_system_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is, a run holds what its test recorded alone."""
    monkeypatch.setattr("vizkit.tracking.tracker._SAMPLE_SECONDS", None)


@pytest.fixture(autouse=True)
def _no_slow_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine's disk is, records are written through; tests of slow disks make their own."""
    monkeypatch.setattr("vizkit.writing.paced_log._AT_ONCE_SECONDS", math.inf)


@pytest.hookimpl(trylast=True)  # after -m and -k
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = [item for item in items if item.get_closest_marker("browser")]
    if left_out and not find_browser():
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)
    if config.pluginmanager.hasplugin("_cov"):
        for item in items:
            if item.get_closest_marker("browser"):
                item.add_marker("no_cover")


@pytest.fixture(autouse=True, scope="module")
def _no_visits_to_what_stays() -> Iterator[None]:
    """After thousands of tests a collection visits millions of objects; in a forked child it copies them."""
    yield
    gc.collect()
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What is loaded now stays: a collection of garbage would take half a second to visit it."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not find_browser():
        terminalreporter.write_line(f"browser tests left out: {NO_BROWSER}")
