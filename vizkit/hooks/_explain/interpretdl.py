"""InterpretDL's interpreters as methods of `vizkit.hooks.explain`.

They take float images of 3 channels as they are (other ones they normalise), and leave the model that they
look at in another mode, with hooks and gradients: so they get a copy of it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vizkit._checks import describe
from vizkit.errors import DataError, MissingDependencyError
from vizkit.hooks._explain.attribution import layer_of
from vizkit.hooks._network.network_copy import copy_network
from vizkit.hooks._network.random_states import paddle_random_states_kept
from vizkit.hooks._paddle import paddle
from vizkit.metrics.arrays import to_array

__all__ = ["interpreter_of"]

_CHANNELS = 3


def interpreter_of(method: Any) -> tuple[str, Callable[..., NDArray[Any]]]:
    """A name for tags, and the method as a function of ``(net, images, classes, *, layer, **options)``.

    Args:
        method: an interpreter, or a name such as ``ScoreCAM`` (for ``ScoreCAMInterpreter``).

    Raises:
        MissingDependencyError: a name, and InterpretDL is not installed.
        DataError: InterpretDL has no interpreter of that name.
    """
    if not isinstance(method, str):
        return type(method).__name__.removesuffix("Interpreter"), _method_of(lambda net: method)
    try:
        import interpretdl
    except ImportError as error:
        raise MissingDependencyError(
            f"method 'interpretdl:{method}' needs InterpretDL, whose setup needs help: "
            "pip install 'setuptools<80' wheel; pip install --no-build-isolation --no-deps interpretdl; "
            "pip install 'ipython<9' scikit-learn scikit-image tqdm"
        ) from error
    found: Any = getattr(interpretdl, f"{method}Interpreter", getattr(interpretdl, method, None))
    if not hasattr(found, "interpret"):
        known = [name.removesuffix("Interpreter") for name in interpretdl.__all__ if "Interpreter" in name]
        raise DataError(f"InterpretDL has no interpreter {method!r}; it has {', '.join(sorted(known))}")
    return method, _method_of(lambda net: found(net, device=str(paddle.device.get_device())))


def _method_of(make: Callable[[Any], Any]) -> Callable[..., NDArray[Any]]:
    def run(
        net: Any,
        images: Any,
        classes: list[int],
        *,
        layer: Any = None,
        dataformats: str = "NCHW",
        **options: Any,
    ) -> NDArray[Any]:
        data, network = _fitted(net, images, dataformats)
        interpreter = make(network)
        parameters = inspect.signature(interpreter.interpret).parameters
        if "target_layer_name" in parameters and "target_layer_name" not in options:
            options["target_layer_name"] = f"net.{layer_of(net, layer)[1]}"
        elif layer is not None:
            raise DataError(f"{type(interpreter).__name__} looks at no layer, so layer= has no meaning")
        options[next(name for name in ("labels", "label") if name in parameters)] = np.array(classes)
        before, interpreter.model = interpreter.model, network
        device = paddle.device.get_device()
        try:
            with paddle_random_states_kept(), paddle.enable_grad():
                found = interpreter.interpret(data, visual=False, **options)
        finally:
            interpreter.model = before
            paddle.device.set_device(device)
        heat = np.asarray(found) if not isinstance(found, dict) else np.empty(0)
        if heat.ndim not in (3, 4) or heat.shape[0] != len(data):
            raise DataError(f"{type(interpreter).__name__} gives no heat maps but {describe(found)}")
        return np.abs(heat).sum(axis=1) if heat.ndim == 4 else heat

    return run


class _OfThree(paddle.nn.Layer):  # type: ignore[misc]
    """A network of 1 or 3 channels as one of 3; NHWC ones as NCHW."""

    def __init__(self, net: Any, channels: int, axes: str) -> None:
        super().__init__()
        self.net = net
        self._channels = channels
        self._axes = axes

    def forward(self, x: Any) -> Any:
        x = x[:, : self._channels].astype("float32")
        output = self.net(x.transpose([0, 2, 3, 1]) if self._axes == "NHWC" else x)
        return output[0] if isinstance(output, (list, tuple)) else output


def _fitted(net: Any, images: Any, axes: str) -> tuple[NDArray[np.float32], Any]:
    """Images of 3 channels, and a copy of the network that takes them."""
    data = to_array(images).astype(np.float32)
    data = data.transpose(0, 3, 1, 2) if axes == "NHWC" else data
    channels = data.shape[1]
    if channels not in (1, _CHANNELS):
        raise DataError(f"InterpretDL takes images of 1 or 3 channels, got {describe(images)}")
    network = _OfThree(copy_network(net), channels, axes)
    network.eval()
    return np.repeat(data, _CHANNELS // channels, axis=1), network
