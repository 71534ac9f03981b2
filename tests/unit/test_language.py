"""Words are in English or Chinese; what is recorded, and what programs read, is the same in both."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import vizkit
from tests import messages
from tests.helpers import ROOT, log_of
from vizkit._language import english, speaking, tr, trn
from vizkit._warnings import warn
from vizkit.errors import DataError, VizKitError, VizKitWarning
from vizkit.runs.formatting import duration_text, status_text


def test_messages_are_templates() -> None:
    assert messages.formatted_first() == []


def test_each_text_is_translated_and_no_translation_is_stale() -> None:
    todo = "run python -m tests.messages, and translate what it names"
    assert messages.untranslated() == [], todo
    assert messages.stale() == [], todo


def test_a_translation_has_the_placeholders_of_its_text() -> None:
    wrong = [
        (english, chinese)
        for english, chinese in messages.translations()
        if messages.placeholders(english) != messages.placeholders(chinese)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.GB18030", "LC_ALL": ""}, "zh"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "zh_TW"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "VIZKIT_LANG": "en"}, "en"),
        ({"VIZKIT_LANG": "zh"}, "zh"),
    ],
)
def test_the_environment_chooses(environment: dict[str, str], expected: str) -> None:
    code = "import vizkit; print(vizkit.language())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**_without_language(), **environment},
        capture_output=True,
        text=True,
    )
    assert done.stdout == f"{expected}\n", done.stderr


def _without_language() -> dict[str, str]:
    names = ("VIZKIT_LANG", "LANG", "LC_ALL", "LC_MESSAGES")
    return {**{k: v for k, v in os.environ.items() if k not in names}, "PYTHONPATH": str(ROOT)}


def test_a_language_is_chosen_by_its_name_or_locale() -> None:
    assert vizkit.language("zh") == vizkit.language("zh-CN") == vizkit.language("zh_CN.UTF-8") == "zh"
    assert vizkit.language() == "zh"
    assert vizkit.language("en_GB") == "en"
    with pytest.raises(VizKitError, match="'en' or 'zh', got 'tlh'"):
        vizkit.language("tlh")
    assert vizkit.language() == "en"


def test_errors_and_warnings_are_in_the_language_of_the_moment() -> None:
    vizkit.language("zh")
    with pytest.raises(DataError) as raised:
        vizkit.metrics.compute_pr_curve([0, 1], [0.5])
    assert str(raised.value) == "labels 与 predictions 的长度必须相等，实际为 2 和 1"
    with pytest.warns(VizKitWarning, match="^train/loss：未能记录：NaN$"):
        warn("{tag}: not recorded: {reason}", tag="train/loss", reason="NaN")
    again = pickle.loads(pickle.dumps(raised.value))
    assert type(again) is DataError and str(again) == str(raised.value)


def test_a_message_can_be_told_again_in_another_language() -> None:
    vizkit.language("zh")
    inner = DataError("no samples were added")
    message = tr("{tag}: not recorded: {reason}", tag="a", reason=inner)
    assert message == "a：未能记录：没有添加任何样本"
    assert english(message) == "a: not recorded: no samples were added"
    assert type(english(message)) is str
    with speaking("en"):
        assert tr(message) == english(message)
    assert tr("not in the catalogue {n}", n=3) == "not in the catalogue 3"


def test_another_thread_keeps_its_language() -> None:
    heard: list[str] = []
    with speaking("zh"):
        thread = threading.Thread(target=lambda: heard.append(status_text("running")))
        thread.start()
        thread.join()
        heard.append(status_text("running"))
    assert heard == ["running", "运行中"]


def test_numbers_have_their_plural() -> None:
    one, many = "{n} run", "{n} runs"
    assert [trn(one, many, n) for n in (0, 1, 2)] == ["0 runs", "1 run", "2 runs"]
    vizkit.language("zh")
    assert [trn(one, many, n) for n in (1, 2)] == ["1 个运行", "2 个运行"]


def test_braces_without_values_stay() -> None:
    assert str(DataError("a {b} c")) == "a {b} c"


def test_tables_are_translated_and_what_programs_read_is_not(tmp_path: Path) -> None:
    def record(name: str) -> vizkit.Runs:
        with vizkit.Tracker(tmp_path / name / "run", hparams={"lr": 0.1}, metrics=["acc"]) as tracker:
            tracker.log({"acc": 0.5}, step=0)
        return vizkit.load(tmp_path / name)

    record("english")
    vizkit.language("zh")
    runs = record("chinese")
    shown = str(runs)
    assert "1 个运行" in shown and "已完成" in shown and "状态" in shown
    assert "已完成" in runs._repr_html_() and "标量" in runs[0]._repr_html_()
    assert runs[0].status == "finished"
    assert '"status": "finished"' in runs.to_json()
    assert list(runs.table().columns) == list(vizkit.load(tmp_path / "english").table().columns)
    assert runs[0].tags == vizkit.load(tmp_path / "english")[0].tags
    assert runs[0].hparams == {"lr": 0.1}


def test_durations() -> None:
    from datetime import timedelta

    vizkit.language("zh")
    texts = [duration_text(timedelta(seconds=n)) for n in (3.2, 725, 12_000, 187_200)]
    assert texts == ["3.2 秒", "12 分 05 秒", "3 小时 20 分", "2 天 4 小时"]


def test_a_problem_is_told_in_the_language_of_its_reader(tmp_path: Path) -> None:
    with vizkit.Tracker(tmp_path / "run", quiet=True) as tracker:
        tracker.log({"loss": 0.5}, step=0)
    with log_of(tmp_path / "run").open("ab") as log:
        log.write(b"\x80\x07\xff")
    (problem,) = vizkit.load(tmp_path)[0].problems
    assert problem.message.endswith("the last 3 bytes are not a whole record, or not yet")
    with speaking("zh"):
        assert tr(problem.message) == f"{problem.path}: 最后 3 字节不是（或还不是）完整的记录"
        findings = vizkit.repair.check(tmp_path)
    assert [finding.todo for finding in findings if finding.kind == "torn"] == ["--repair 截去尾部"]


def test_what_is_recorded_of_a_loss_is_english(tmp_path: Path) -> None:
    vizkit.language("zh")
    tracker = vizkit.Tracker(tmp_path / "run", quiet=True)
    tracker.log({"loss": 0.5}, step=0)
    with pytest.warns(VizKitWarning, match="未能记录"):
        tracker.log_scalar("odd", "no number", step=0)
    tracker.close()
    (problem,) = vizkit.load(tmp_path)[0].problems
    assert "a scalar must be one real number" in english(problem.message)
