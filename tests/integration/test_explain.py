from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import paddle
import pytest

from tests.helpers import by_tag
from vizkit import DataError, MissingDependencyError, Tracker, VizKitWarning, hooks
from vizkit.hooks._explain import attribution
from vizkit.hooks._network.eval_mode import eval_mode

METHODS: dict[str, Any] = {
    "gradcam": attribution.grad_cam,
    "integrated_gradients": attribution.integrated_gradients,
    "smoothgrad": attribution.smooth_grad,
}


def network(channels: int = 3) -> Any:
    """Dropout and batch norm: what depends on mode, random states and buffers."""
    paddle.seed(3)
    return paddle.nn.Sequential(
        paddle.nn.Conv2D(channels, 4, 3, padding=1),
        paddle.nn.BatchNorm2D(4),
        paddle.nn.ReLU(),
        paddle.nn.Conv2D(4, 5, 3),
        paddle.nn.Tanh(),
        paddle.nn.Dropout(0.3),
        paddle.nn.Flatten(),
        paddle.nn.Linear(5 * 6 * 6, 3),
    )


def batch(count: int = 2, channels: int = 3) -> Any:
    return np.random.default_rng(0).normal(size=(count, channels, 8, 8)).astype("float32")


# ---- the formulas ------------------------------------------------------------------------------------


def test_grad_cam_equals_the_calculation_by_hand() -> None:
    paddle.seed(0)
    conv, fc = paddle.nn.Conv2D(1, 2, 3), paddle.nn.Linear(2 * 2 * 2, 2)
    net = paddle.nn.Sequential(conv, paddle.nn.Flatten(), fc)
    x = np.random.default_rng(1).normal(size=(1, 1, 4, 4)).astype("float32")
    kernel, bias = conv.weight.numpy(), conv.bias.numpy()
    parts = [[x[0, 0, i : i + 3, j : j + 3] for j in range(2)] for i in range(2)]
    features = np.array([[[(part * k[0]).sum() for part in row] for row in parts] for k in kernel])
    features += bias[:, None, None]
    # The score is linear in the features: their gradient is the column of the class.
    gradient = fc.weight.numpy()[:, 1].reshape(2, 2, 2)
    small = np.maximum((gradient.mean(axis=(1, 2))[:, None, None] * features).sum(axis=0), 0)
    assert small.max() > 0
    # Enlarged from 2 to 4 pixels between the pixels' middles: 1, 3/4, 1/4, 0 of the first.
    share = np.array([[1, 0], [0.75, 0.25], [0.25, 0.75], [0, 1]])
    expected = share @ small @ share.T
    np.testing.assert_allclose(attribution.grad_cam(net, x, 1)[0], expected, rtol=1e-4, atol=1e-6)


def test_grad_cam_of_a_network_with_channels_last() -> None:
    class Last(paddle.nn.Layer):
        def __init__(self, axes: str) -> None:
            super().__init__()
            paddle.seed(5)
            self.conv = paddle.nn.Conv2D(3, 4, 3, data_format=axes)
            self.fc = paddle.nn.Linear(4, 3)
            self.axes = [1, 2] if axes == "NHWC" else [2, 3]

        def forward(self, x: Any) -> Any:
            return self.fc(paddle.tanh(self.conv(x)).mean(axis=self.axes))

    first, last = Last("NCHW"), Last("NHWC")
    last.set_state_dict(first.state_dict())
    x = np.random.default_rng(0).normal(size=(2, 3, 6, 9)).astype("float32")
    one = attribution.grad_cam(first, x, 0)
    other = attribution.grad_cam(last, x.transpose(0, 2, 3, 1).copy(), 0, dataformats="NHWC")
    assert one.shape == (2, 6, 9)
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("baseline", [0.0, 0.3])
def test_integrated_gradients_add_up_to_the_change_of_the_score(baseline: float) -> None:
    net, x = network(), batch(3)
    found = attribution.integrated_gradients(net, x, 2, steps=200, baseline=baseline)
    net.eval()
    score = net(paddle.to_tensor(x)).numpy()[:, 2]
    start = net(paddle.full(x.shape, baseline)).numpy()[:, 2]
    assert found.shape == x.shape
    np.testing.assert_allclose(found.sum(axis=(1, 2, 3)), score - start, rtol=1e-2, atol=1e-3)


def test_gradients_of_a_linear_network_are_its_weights() -> None:
    net = paddle.nn.Sequential(paddle.nn.Flatten(), paddle.nn.Linear(4, 2))
    x = np.arange(8, dtype="float32").reshape(2, 1, 2, 2)
    weights = net[1].weight.numpy()[:, 1].reshape(1, 2, 2)
    smooth = attribution.smooth_grad(net, x, 1, samples=2)
    np.testing.assert_allclose(smooth, np.stack([weights, weights]), rtol=1e-5)
    integrated = attribution.integrated_gradients(net, x, 1, steps=2)
    np.testing.assert_allclose(integrated, x * weights, rtol=1e-5)


def test_smooth_grad_without_noise_is_the_gradient() -> None:
    net, x = network(), batch()
    net.eval()
    tensor = paddle.to_tensor(x, stop_gradient=False)
    gradient = paddle.grad(net(tensor)[:, 0].sum(), tensor)[0].numpy()
    np.testing.assert_allclose(attribution.smooth_grad(net, x, 0, samples=1, noise=0), gradient, rtol=1e-4)
    assert not np.allclose(attribution.smooth_grad(net, x, 0, samples=3, noise=0.5), gradient, rtol=1e-2)


@pytest.mark.parametrize("method", METHODS)
def test_by_default_the_predicted_class_is_explained(method: str) -> None:
    net, x = network(), batch(4)
    net.eval()
    predicted = net(paddle.to_tensor(x)).numpy().argmax(axis=1)
    np.testing.assert_array_equal(METHODS[method](net, x), METHODS[method](net, x, predicted))


@pytest.mark.parametrize("channels", [1, 2, 4, 7])
@pytest.mark.parametrize("method", METHODS)
def test_any_number_of_channels(tmp_path: Path, method: str, channels: int) -> None:
    with Tracker(tmp_path, strict=True) as tracker:
        heat = tracker.explain(network(channels), batch(2, channels), method, mean=0.0, std=1.0)
    assert heat is not None
    assert heat.shape == (2, 8, 8)
    assert heat.min() >= 0
    assert heat.max() > 0
    assert list(by_tag(tmp_path)) == [f"explain/{method}"]


# ---- nothing stays behind ------------------------------------------------------------------------------


def state_of(net: Any) -> Any:
    layers = net.sublayers(include_self=True)
    return (
        [layer.training for layer in layers],
        [(len(layer._forward_pre_hooks), len(layer._forward_post_hooks)) for layer in layers],
        [sorted(vars(layer)) for layer in layers],
        [None if p.grad is None else p.grad.numpy().tolist() for p in net.parameters()],
        [p.stop_gradient for p in net.parameters()],
        [b.numpy().tolist() for b in net.buffers()],
        [p.numpy().tolist() for p in net.parameters()],
    )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("graph", [None, True, False])
def test_the_network_is_left_as_it_was(tmp_path: Path, method: str, graph: bool | None) -> None:
    net = network()
    if graph is not None:
        net = paddle.jit.to_static(net, full_graph=graph)
    net.train()
    net[1].eval()  # one layer is frozen
    net[0].weight.stop_gradient = True
    net(paddle.to_tensor(batch())).sum().backward()
    fired: list[Any] = []
    net[3].weight.register_hook(lambda gradient: fired.append(gradient))
    before = state_of(net)
    forward = net.forward
    with Tracker(tmp_path, strict=True) as tracker, paddle.no_grad():
        heat = tracker.explain(net, batch(), method)
    assert heat is not None
    assert heat.max() > 0
    assert state_of(net) == before
    assert net.forward == forward
    assert not fired


@pytest.mark.parametrize("method", METHODS)
def test_a_failure_leaves_the_network_as_it_was(method: str) -> None:
    class Fails(paddle.nn.Layer):
        def forward(self, x: Any) -> Any:
            if not self.training:
                raise ZeroDivisionError
            return x

    net = network()
    net.append(Fails())
    before = state_of(net)
    with pytest.raises(ZeroDivisionError):
        METHODS[method](net, batch())
    assert state_of(net) == before


def test_random_states_and_buffers_are_kept_whatever_the_network_does() -> None:
    class Wild(paddle.nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("count", paddle.zeros([1]))

        def forward(self, x: Any) -> Any:
            self.count.set_value(self.count + 1)
            return paddle.nn.functional.dropout(x, 0.5)

    net = paddle.nn.Sequential(Wild(), paddle.nn.Flatten(), paddle.nn.Linear(192, 3))
    paddle.seed(7)
    expected = paddle.rand([2]).tolist()
    paddle.seed(7)
    attribution.smooth_grad(net, batch())
    assert paddle.rand([2]).tolist() == expected
    assert net[0].count.item() == 0


def test_a_backward_pass_may_wait() -> None:
    gradients = []
    for explains in (False, True):
        net = network()
        loss = net(paddle.to_tensor(batch())).sum()
        if explains:
            attribution.grad_cam(net, batch())
        loss.backward()
        gradients.append(net[0].weight.grad.numpy())
    assert gradients[0].any()
    np.testing.assert_array_equal(*gradients)


def trained(tracker: Tracker | None) -> list[Any]:
    net = network()
    optimizer = paddle.optimizer.Adam(0.01, parameters=net.parameters())
    x, y = paddle.to_tensor(batch(8)), paddle.arange(8) % 3
    if tracker:
        tracker.watch(net, every=2)
    for step in range(12):
        loss = paddle.nn.functional.cross_entropy(net(x), y)
        if tracker:
            tracker.explain(net, x[:2], list(METHODS)[step % 3])
        loss.backward()
        optimizer.step()
        optimizer.clear_grad()
    return [*(v.numpy() for v in net.state_dict().values()), paddle.rand([1]).numpy()]


def test_training_is_bit_identical(tmp_path: Path) -> None:
    without = trained(None)
    with Tracker(tmp_path) as tracker:
        having = trained(tracker)
    for one, other in zip(without, having, strict=True):
        np.testing.assert_array_equal(one, other)
    assert not tracker.lost


def test_eval_mode_runs_what_to_static_would_run() -> None:
    net = paddle.jit.to_static(network())
    with eval_mode(net):
        inside = net(paddle.to_tensor(batch())).numpy()
    net.eval()
    np.testing.assert_allclose(net(paddle.to_tensor(batch())).numpy(), inside, rtol=1e-4, atol=1e-5)


def test_images_become_floats_of_their_own() -> None:
    for given, dtype in [
        (np.ones((1, 3, 4, 4)), paddle.float32),
        (np.ones((1, 3, 4, 4), np.uint8), paddle.float32),
        (paddle.ones([1, 3, 4, 4], "float16"), paddle.float16),
    ]:
        assert attribution.batch_of(given).dtype == dtype
    with pytest.raises(DataError, match="images must be a batch"):
        attribution.batch_of(np.ones(3))


def test_scores_of_one_axis_are_those_of_one_class() -> None:
    class Single(paddle.nn.Layer):
        def forward(self, x: Any) -> Any:
            return (2 * x).sum(axis=[1, 2, 3])

    gradients = attribution.smooth_grad(Single(), batch(), samples=2)
    np.testing.assert_array_equal(gradients, np.full((2, 3, 8, 8), 2, np.float32))
    with pytest.raises(DataError, match="target 1 is no class: the network has 0 to 0"):
        attribution.smooth_grad(Single(), batch(), 1)


# ---- what cannot be explained ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "lime"}, "method must be 'gradcam'"),
        ({"method": 3}, "method must be"),
        ({"layer": "conv7"}, "layer: 'conv7' matches nothing; there are '0', '1'"),
        ({"layer": 3}, "layer must be a name"),
        ({"layer": paddle.nn.ReLU()}, "no sublayer"),
        ({"layer": "7"}, r"layer 7 gives .*\[n, c, h, w\]"),
        ({"target": 3}, "target 3 is no class"),
        ({"target": [0, 1, 2]}, "target must be a class number, or 2"),
        ({"target": 0.5}, "target must be"),
        ({"dataformats": "HWC"}, "dataformats='HWC'"),
        ({"steps": 3}, "gradcam has no option 'steps'; it has layer"),
        ({"method": "smoothgrad", "layer": "0"}, "smoothgrad has no option 'layer'; it has samples, noise"),
        ({"method": "smoothgrad", "samples": 0}, "samples must be"),
        ({"method": "smoothgrad", "noise": -1}, "noise must be"),
        ({"method": "integrated_gradients", "steps": True}, "steps must be"),
        ({"method": "integrated_gradients", "baseline": np.zeros(5)}, "baseline"),
    ],
)
def test_bad_arguments_are_told(tmp_path: Path, options: Any, message: str) -> None:
    net = network()
    before = state_of(net)
    with Tracker(tmp_path) as tracker, pytest.raises(DataError, match=message):
        hooks.explain(tracker, net, batch(), **options)
    assert state_of(net) == before


class _Shapes(paddle.io.Dataset):
    """Images with labels."""

    def __init__(self, images: Any) -> None:
        super().__init__()
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Any:
        return paddle.to_tensor(self.images[index]), 1


@pytest.mark.parametrize("kind", [_Shapes, list, np.asarray, paddle.to_tensor])
def test_samples_of_a_data_set_are_explained_by_their_ids(tmp_path: Path, kind: Any) -> None:
    images = batch(6)
    with Tracker(tmp_path, strict=True) as tracker:
        heat = tracker.explain(network(), kind(images), ids=np.array([4, 1]), target=[0, 2])
        tracker.explain(network(), kind(images), ids=range(6), tag="all")
    np.testing.assert_array_equal(heat, attribution.grad_cam(network(), images[[4, 1]], [0, 2]))
    some, every = (by_tag(tmp_path)[tag][0].data for tag in ("explain/gradcam", "all"))
    assert len(every) > len(some)


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([6], r"has no sample 6"),
        ([-1], r"has no sample -1"),
        ([], r"places of 1 to 64 samples in the data set, got \[\]"),
        (["img1.png"], r"places of 1 to 64 samples"),
        (range(65), r"places of 1 to 64 samples"),
        (3, r"places of 1 to 64 samples"),
    ],
)
def test_ids_that_are_no_places_are_refused(tmp_path: Path, ids: Any, message: str) -> None:
    with Tracker(tmp_path) as tracker, pytest.raises(DataError, match=message):
        hooks.explain(tracker, network(), _Shapes(batch(6)), ids=ids)


def test_images_of_different_shapes_are_not_explained_together(tmp_path: Path) -> None:
    images = [np.zeros((3, 8, 8), "float32"), np.zeros((3, 8, 9), "float32")]
    with (
        Tracker(tmp_path) as tracker,
        pytest.raises(DataError, match=r"one shape, got \[3, 8, 8\], \[3, 8, 9\]"),
    ):
        hooks.explain(tracker, network(), images, ids=[0, 1])


def test_a_misspelt_layer_gets_the_closest_names() -> None:
    with pytest.raises(DataError, match=r"'features.conv9' matches nothing.*'features.3'"):
        attribution.grad_cam(paddle.vision.models.LeNet(), batch(1, 1), layer="features.conv9")


def test_a_pattern_names_the_last_layer_that_fits() -> None:
    net = paddle.vision.models.LeNet()
    assert attribution.layer_of(net)[1] == "features.3"
    assert attribution.layer_of(net, "features.*")[1] == "features.5"
    assert attribution.layer_of(net, "features.0") == (net.features[0], "features.0")
    assert attribution.layer_of(net, net.features[0])[1] == "features.0"


def test_a_network_without_convolutions_needs_a_layer() -> None:
    net = paddle.nn.Sequential(paddle.nn.Flatten(), paddle.nn.Linear(192, 2))
    with pytest.raises(DataError, match="Sequential has no Conv2D"):
        attribution.grad_cam(net, batch())


def test_a_network_without_scores_is_refused() -> None:
    with pytest.raises(DataError, match=r"scores of shape \[n, classes\]"):
        attribution.smooth_grad(paddle.nn.Conv2D(3, 2, 3), batch())


def test_a_tracker_that_is_not_strict_warns_and_goes_on(tmp_path: Path) -> None:
    with Tracker(tmp_path) as tracker, pytest.warns(VizKitWarning, match="matches nothing") as told:
        for _ in range(2):
            assert tracker.explain(network(), batch(), layer="none") is None
    assert len(told) == 1
    assert tracker.lost == {"explain/gradcam": 2}
    with Tracker(tmp_path / "strict", strict=True) as tracker, pytest.raises(DataError, match="nothing"):
        tracker.explain(network(), batch(), layer="none")


def test_a_model_is_explained_by_its_network(tmp_path: Path) -> None:
    with Tracker(tmp_path, strict=True) as tracker:
        options: Any = {"tag": "mine", "step": 4, "class_names": ["a", "b", "猫"]}
        one = tracker.explain(paddle.Model(network()), batch(), **options)
    np.testing.assert_array_equal(one, attribution.grad_cam(network(), batch()))
    assert [record.step for record in by_tag(tmp_path)["mine"]] == [4]


def test_a_layer_that_is_not_used_is_refused() -> None:
    class Spare(paddle.nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.net = network()
            self.spare = paddle.nn.Conv2D(3, 2, 3)

        def forward(self, x: Any) -> Any:
            return self.net(x)

    with pytest.raises(DataError, match="does not use its layer spare"):
        attribution.grad_cam(Spare(), batch())


def test_scores_without_a_gradient_are_refused() -> None:
    class Detached(paddle.nn.Layer):
        def forward(self, x: Any) -> Any:
            return x.detach().mean(axis=[2, 3])

    with pytest.raises(DataError, match="do not depend on this input"):
        attribution.smooth_grad(Detached(), batch())


def test_only_networks_are_explained_in_dynamic_mode_alone(tmp_path: Path) -> None:
    net = network()
    with Tracker(tmp_path) as tracker:
        with pytest.raises(DataError, match=r"only a paddle\.nn\.Layer or paddle\.Model"):
            hooks.explain(tracker, "net", batch())
        paddle.enable_static()
        try:
            with pytest.raises(DataError, match="disable_static"):
                hooks.explain(tracker, net, batch())
        finally:
            paddle.disable_static()


def test_a_misspelt_option_raises_even_if_the_tracker_is_not_strict(tmp_path: Path) -> None:
    options: Any = {"sample": 3}
    with Tracker(tmp_path) as tracker, pytest.raises(TypeError, match="sample"):
        tracker.explain(network(), batch(), "smoothgrad", **options)


# ---- InterpretDL: by its documented interface ------------------------------------------------------------


class ScoreCAMInterpreter:
    """Behaves as InterpretDL 0.8's do: leaves the model in eval mode, with hooks and gradients."""

    def __init__(self, model: Any, device: str) -> None:
        self.model, self.device = model, device

    def interpret(
        self,
        inputs: Any,
        target_layer_name: str,
        labels: Any = None,
        resize_to: int = 224,
        visual: bool = True,
        save_path: Any = None,
    ) -> Any:
        assert not visual
        assert inputs.shape[1] == 3 and inputs.dtype == np.float32
        assert target_layer_name in dict(self.model.named_sublayers())
        self.model.eval()
        for layer in self.model.sublayers():
            layer.register_forward_post_hook(lambda *args: None)
        x = paddle.to_tensor(inputs, stop_gradient=False)
        scores = self.model(x)
        paddle.take_along_axis(scores, paddle.to_tensor(labels)[:, None], 1).sum().backward()
        paddle.rand([1])
        return np.abs(x.grad.numpy()).sum(axis=1)


@pytest.fixture
def interpretdl(monkeypatch: pytest.MonkeyPatch) -> Any:
    module: Any = types.ModuleType("interpretdl")
    module.ScoreCAMInterpreter = ScoreCAMInterpreter
    module.__all__ = ["ScoreCAMInterpreter"]
    monkeypatch.setitem(sys.modules, "interpretdl", module)
    return module


@pytest.mark.parametrize("channels", [1, 3])
def test_an_interpreter_of_interpretdl_gets_a_copy(tmp_path: Path, interpretdl: Any, channels: int) -> None:
    net, x = network(channels), batch(2, channels)
    before = state_of(net)
    random = paddle.get_rng_state("cpu")[0].current_seed()
    with Tracker(tmp_path, strict=True) as tracker:
        heat = tracker.explain(net, x, "interpretdl:ScoreCAM", target=1)
        mine = ScoreCAMInterpreter(net, "cpu")
        same = tracker.explain(net, x, mine, target=1)
    assert heat is not None and same is not None
    gradient = np.abs(attribution.smooth_grad(net, x, 1, samples=1, noise=0)).sum(axis=1)
    np.testing.assert_allclose(heat, gradient, rtol=1e-3, atol=1e-6)
    np.testing.assert_array_equal(heat, same)
    assert mine.model is net
    assert state_of(net) == before
    assert paddle.get_rng_state("cpu")[0].current_seed() == random
    assert set(by_tag(tmp_path)) == {"explain/interpretdl/ScoreCAM", "explain/ScoreCAMInterpreter"}


def test_an_unknown_interpreter_is_told(tmp_path: Path, interpretdl: Any) -> None:
    with Tracker(tmp_path) as tracker, pytest.raises(DataError, match="'Score'; it has ScoreCAM"):
        hooks.explain(tracker, network(), batch(), "interpretdl:Score")


def test_interpretdl_is_asked_for_with_the_line_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "interpretdl", None)
    with Tracker(tmp_path) as tracker, pytest.raises(MissingDependencyError, match="pip install"):
        hooks.explain(tracker, network(), batch(), "interpretdl:ScoreCAM")


class Plain:
    """An interpreter that uses no layer, and gives what it was made with."""

    model: Any = None

    def __init__(self, found: Any) -> None:
        self.found = found
        self.options: dict[str, Any] = {}

    def interpret(self, data: Any, label: Any = None, visual: bool = True, **options: Any) -> Any:
        self.options = options
        return self.found


def test_options_of_an_interpreter_are_passed_on(tmp_path: Path) -> None:
    maps = np.ones((2, 8, 8), np.float32)
    plain = Plain(-maps)
    with Tracker(tmp_path, strict=True) as tracker:
        heat = tracker.explain(network(), batch(), plain, interpreter_options={"window": 3})
    assert plain.options == {"window": 3}
    assert heat is not None
    np.testing.assert_array_equal(heat, 0 * maps)  # heat is 0 or more


@pytest.mark.parametrize("found", [{"maps": 1}, np.ones((1, 8, 8)), np.ones(2)])
def test_an_interpreter_without_heat_maps_is_refused(tmp_path: Path, found: Any) -> None:
    with Tracker(tmp_path) as tracker, pytest.raises(DataError, match="Plain gives no heat maps"):
        hooks.explain(tracker, network(), batch(), Plain(found))


def test_interpreters_get_one_or_three_channels_and_a_layer_only_if_they_use_one(tmp_path: Path) -> None:
    plain = Plain(np.ones((2, 8, 8)))
    with Tracker(tmp_path) as tracker:
        with pytest.raises(DataError, match="images of 1 or 3 channels"):
            hooks.explain(tracker, network(2), batch(2, 2), plain)
        with pytest.raises(DataError, match="Plain uses no layer"):
            hooks.explain(tracker, network(), batch(), plain, layer="0")


# ---- recurrent layers ----------------------------------------------------------------------------------


class Reader(paddle.nn.Layer):
    """Reads the rows of feature maps with a recurrent layer."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.conv = paddle.nn.Conv2D(3, 4, 3, padding=1)
        self.rnn = getattr(paddle.nn, kind)(32, 6, num_layers=2, dropout=0.5, direction="bidirect")
        self.dropout = paddle.nn.Dropout(0.5)
        self.fc = paddle.nn.Linear(12, 3)

    def forward(self, x: Any) -> Any:
        rows = self.conv(x).transpose([0, 2, 1, 3]).flatten(2)
        return self.fc(self.dropout(self.rnn(rows)[0][:, -1]))


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "SimpleRNN"])
@pytest.mark.parametrize("method", METHODS)
def test_recurrent_networks_are_explained_without_their_dropout(kind: str, method: str) -> None:
    paddle.seed(1)
    net = Reader(kind)
    net.rnn.parameters()[0].stop_gradient = True
    x = batch()
    net.eval()
    before = net(paddle.to_tensor(x)).numpy()
    net.train()
    with eval_mode(net):
        np.testing.assert_allclose(net(paddle.to_tensor(x)).numpy(), before, rtol=1e-5, atol=1e-6)
    first, again = (METHODS[method](net, x) for _ in range(2))
    assert np.abs(first).max() > 0
    np.testing.assert_allclose(first, again, rtol=1e-5, atol=1e-7)
    assert [weight.stop_gradient for weight in net.rnn.parameters()][:2] == [True, False]
    assert all(weight.grad is None for weight in net.parameters())
    assert net.rnn.training and net.rnn.dropout == 0.5 and net.dropout.training
