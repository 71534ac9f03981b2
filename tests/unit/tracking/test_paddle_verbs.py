"""The options of `Tracker`'s Paddle verbs and of `autolog`: those of the hooks, with their types."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import pytest

import vizkit
from vizkit import LogWriter, Tracker, hooks

VERBS: dict[str, Callable[..., object]] = {
    "callback": hooks.callback,
    "watch": hooks.watch,
    "explain": hooks.explain,
    "log_model": hooks.log_model,
}


def options(function: Callable[..., object]) -> list[inspect.Parameter]:
    """All parameters but the tracker."""
    return list(inspect.signature(function).parameters.values())[1:]


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_has_the_options_of_its_hook(verb: str) -> None:
    assert options(getattr(Tracker, verb)) == options(VERBS[verb])


@pytest.mark.parametrize(
    ("verb", "returned"),
    [
        ("callback", "TrackerCallback"),
        ("watch", "Watch"),
        ("explain", "NDArray[np.float32] | None"),
        ("log_model", "str | None"),
    ],
)
def test_a_verb_names_what_it_returns(verb: str, returned: str) -> None:
    assert inspect.signature(getattr(Tracker, verb)).return_annotation == returned


def test_a_verb_returns_what_its_hook_does_or_none() -> None:
    for verb, hook in VERBS.items():
        ours = inspect.signature(getattr(Tracker, verb)).return_annotation
        theirs = inspect.signature(hook).return_annotation
        assert ours.removesuffix(" | None") == theirs


def test_autolog_has_the_options_of_the_callback() -> None:
    ours = list(inspect.signature(vizkit.autolog).parameters.values())
    assert [parameter.name for parameter in ours[:3]] == ["logdir", "disable", "quiet"]
    assert ours[3:] == [option for option in options(hooks.callback) if option.name != "reduce"]


PUBLIC = [name for name in dir(Tracker) if not name.startswith("_") and callable(getattr(Tracker, name))]


@pytest.mark.parametrize("verb", PUBLIC)
def test_no_verb_takes_just_anything(verb: str) -> None:
    signature = inspect.signature(getattr(Tracker, verb))
    for parameter in options(getattr(Tracker, verb)):
        assert parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
        assert parameter.annotation not in (parameter.empty, "Any"), parameter
    assert signature.return_annotation not in (signature.empty, "Any")


WRITERS = {
    "log_scalar": "add_scalar",
    "log_scalars": "add_scalars",
    "log_image": "add_image",
    "log_images": "add_image_matrix",
    "log_figure": "add_figure",
    "log_text": "add_text",
    "log_table": "add_table",
    "log_audio": "add_audio",
    "log_histogram": "add_histogram",
    "log_pr_curve": "add_pr_curve",
    "log_roc_curve": "add_roc_curve",
    "log_curves": "add_class_curves",
}


@pytest.mark.parametrize("verb", WRITERS)
def test_a_verb_has_the_arguments_of_the_writers_method(verb: str) -> None:
    ours = options(getattr(Tracker, verb))
    theirs = options(getattr(LogWriter, WRITERS[verb]))
    assert [(one.name, one.kind) for one in ours] == [(one.name, one.kind) for one in theirs]
