"""Model graphs: what is traced, what VisualDL makes of it, and that the model is left alone."""

from __future__ import annotations

import contextlib
import copy
import gc
import itertools
import json
import random
import threading
import weakref
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import paddle
import pytest
from paddle import nn
from paddle.static import InputSpec
from visualdl.component.graph import netron_graph

from vizkit import LogWriter, Tracker, load
from vizkit.errors import DataError
from vizkit.hooks._network.graph import trace_graph
from vizkit.hooks._network.graph_json import (
    Graph,
    GraphNode,
    GraphVariable,
    Operator,
    Variable,
    visualdl_graph,
)

PADDLE_3_0 = paddle.__version__.startswith("3.0.")


class Shared(nn.Layer):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.act = nn.ReLU()

    def forward(self, x: Any) -> Any:
        return self.act(self.fc(self.act(self.fc(x))))


class Branch(nn.Layer):
    """Both kinds of branch: on a Python bool (one side is traced), and on a tensor."""

    def __init__(self, double: bool) -> None:
        super().__init__()
        self.double = double
        self.a = nn.Linear(4, 4)
        self.b = nn.Linear(4, 4)

    def forward(self, x: Any) -> Any:
        y = self.a(x)
        if self.double:
            y = y * 2
        if y.mean() > 0:  # noqa: SIM108 (Paddle sees statements only)
            y = self.b(y) + x
        else:
            y = y - 1
        return y


class Loop(nn.Layer):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)

    def forward(self, x: Any) -> Any:
        i = paddle.zeros([1], "int32")
        while i < 3:
            x = self.fc(x)
            i = i + 1
        return x


class Recurrent(nn.Layer):
    def __init__(self, kind: Any) -> None:
        super().__init__()
        self.rnn = kind(4, 8, 2)

    def forward(self, x: Any) -> Any:
        outputs, _ = self.rnn(x)
        return outputs[:, -1]


class Texts(nn.Layer):
    """Keyword-only and other arguments, a dict as output, tied weights."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(50, 8)
        self.encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16), 2)

    def forward(self, ids: Any, *rest: Any, mask: Any = None, scale: bool = False) -> Any:
        x = self.encoder(self.embed(ids), mask)
        for extra in rest:
            x = x + extra["bias"]
        logits = paddle.matmul(x, self.embed.weight, transpose_y=True)
        return {"logits": logits / 2 if scale else logits, "parts": [x, None, 3]}


def node(graph: Graph, name: str) -> GraphNode:
    [found] = [node for node in graph["nodes"] if node["name"] == name]
    return found


def var(graph: Graph, name: str) -> GraphVariable:
    [found] = [var for var in graph["vars"] if var["name"] == name]
    return found


def types(graph: Graph) -> Counter[str]:
    return Counter(node["type"] for node in graph["nodes"] if node["is_leaf_node"])


def layers(graph: Graph) -> list[str]:
    return [node["name"] for node in graph["nodes"] if not node["is_leaf_node"]]


def reachable(graph: Graph, start: str) -> set[str]:
    """The operators that depend on ``start``."""
    nodes = {node["name"]: node for node in graph["nodes"]}
    todo = [start]
    seen: set[str] = set()
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo.extend(nodes[name]["output_nodes"])
    return seen


def draw(view: Any, graph: Graph) -> None:
    """Check that the page can join up all that is visible: it draws by the names of variables."""
    made = Counter(argument["name"] for port in view.inputs for argument in port["arguments"])
    for shown in view.nodes:
        made.update(argument["name"] for port in shown["outputs"] for argument in port["arguments"])
    used = [argument for shown in view.nodes for port in shown["inputs"] for argument in port["arguments"]]
    used += [argument for port in view.outputs for argument in port["arguments"]]
    assert set(made.values()) <= {1}
    assert all(argument["initializer"] or made[argument["name"]] for argument in used)
    json.dumps(view, allow_nan=False)


def serve(graph: Graph) -> Any:
    """Feed ``graph`` to stock VisualDL: collapsed, each layer opened in turn, and expanded."""
    graph = json.loads(json.dumps(graph, allow_nan=False))
    model = netron_graph.Model(graph)
    view = model.make_graph()
    draw(view, graph)
    for name in sorted(layers(graph), key=len):
        model.adjust_visible(name)
        draw(model.make_graph(), graph)
    draw(model.make_graph(expand_all=True), graph)
    draw(model.make_graph(refresh=True), graph)
    for leaf in [node["name"] for node in graph["nodes"] if node["is_leaf_node"]][:5]:
        model.adjust_search_node_visible(leaf)
        draw(model.make_graph(), graph)
    names = {node["name"] for node in graph["nodes"]}
    for shown in graph["nodes"]:
        assert set(shown["children_node"]) <= names
        assert all(node(graph, child)["parent_node"] == shown["name"] for child in shown["children_node"])
        assert set(shown["attrs"]) == set(shown["attr_types"])
    return view


def test_lenet() -> None:
    net = paddle.vision.models.LeNet()
    graph = trace_graph(net, [InputSpec([None, 1, 28, 28], "float32", "image")])
    view = serve(graph)
    assert [shown["type"] for shown in view.nodes] == ["LeNet"]
    assert [port["name"] for port in view.inputs] == ["image"]
    assert [port["name"] for port in view.outputs] == ["Output0"]

    assert graph["version"] == "1.0.0"
    features = "/LeNet[model]/Sequential[features]"
    assert node(graph, "/")["children_node"] == ["/feed_0", "/LeNet[model]", "/fetch_0"]
    assert node(graph, features)["children_node"] == [
        f"{features}/Conv2D[0]",
        f"{features}/ReLU[1]",
        f"{features}/MaxPool2D[2]",
        f"{features}/Conv2D[3]",
        f"{features}/ReLU[4]",
        f"{features}/MaxPool2D[5]",
    ]
    assert node(graph, features)["show_name"] == "/LeNet/Sequential"
    assert node(graph, features)["type"] == "Sequential"
    conv = node(graph, f"{features}/Conv2D[3]/conv2d_1")
    assert conv["input_vars"] == {"input": ["pool2d_0.out"], "filter": ["features.3.weight"]}
    assert conv["output_vars"] == {"out": ["conv2d_1.out"]}
    assert (conv["attrs"]["strides"], conv["attr_types"]["strides"]) == ([1, 1], "INTS")
    assert (conv["attrs"]["data_format"], conv["attr_types"]["data_format"]) == ("NCHW", "STRING")
    assert types(graph) == {
        "feed": 1, "conv2d": 2, "reshape": 2, "add": 5, "relu": 2, "pool2d": 2, "flatten": 1, "matmul": 3,
        "fetch": 1,
    }  # fmt: skip

    assert var(graph, "image")["shape"] == [-1, 1, 28, 28]
    assert var(graph, "pool2d_1.out")["shape"] == [-1, 16, 5, 5]
    assert var(graph, "pool2d_1.out")["dtype"] == "float32"
    weights = {shown["name"]: shown["shape"] for shown in graph["vars"] if shown["persistable"]}
    assert weights == {name: weight.shape for name, weight in net.named_parameters()}
    assert node(graph, "/LeNet[model]")["attrs"] == {"parameters": 61610}
    assert node(graph, f"{features}/Conv2D[0]")["attrs"] == {"parameters": 60}
    assert "/fetch_0" in reachable(graph, "/feed_0")
    edges = {(edge["from_node"], edge["to_node"]): edge["label"] for edge in graph["edges"]}
    assert edges[(features, "/LeNet[model]/flatten_0")] == "[-1, 16, 5, 5]"
    assert edges[("/LeNet[model]", "/fetch_0")] == "[-1, 10]"


ZOO: dict[str, tuple[Callable[[], Any], tuple[int | None, ...], int]] = {
    "ResNet18": (lambda: paddle.vision.models.resnet18(pretrained=False), (None, 3, 32, 32), 1),
    "MobileNetV3": (lambda: paddle.vision.models.mobilenet_v3_small(pretrained=False), (1, 3, 32, 32), 1),
    "GoogLeNet": (lambda: paddle.vision.models.googlenet(pretrained=False), (1, 3, 224, 224), 3),
    "Transformer": (lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16), 2), (None, 5, 8), 1),
    "LSTM": (lambda: Recurrent(nn.LSTM), (None, 5, 4), 1),
    "GRU": (lambda: Recurrent(nn.GRU), (2, 5, 4), 1),
    "shared": (Shared, (None, 4), 1),
    "branch": (lambda: Branch(True), (None, 4), 1),
    "loop": (Loop, (None, 4), 1),
}


@pytest.mark.parametrize("name", ZOO)
def test_zoo_is_served_by_stock_visualdl(name: str) -> None:
    make, shape, outputs = ZOO[name]
    net = make()
    graph = trace_graph(net, [shape])
    view = serve(graph)
    assert len(view.outputs) == outputs
    assert {f"/fetch_{i}" for i in range(outputs)} <= reachable(graph, "/feed_0")
    assert not any(kind.startswith(("builtin", "pd_op")) for kind in types(graph))
    called = sum(int(weight.size) for weight in net.parameters())
    # The auxiliary outputs of GoogLeNet are traced too, so all weights are there.
    assert node(graph, "/")["attrs"]["parameters"] == called


def test_batch_norm_statistics_are_weights_that_are_not_trained() -> None:
    graph = trace_graph(nn.Sequential(nn.Conv2D(3, 4, 3), nn.BatchNorm2D(4)), (None, 3, 8, 8))
    assert var(graph, "1.weight")["attrs"] == {"trainable": True}
    assert var(graph, "1._mean")["attrs"] == {"trainable": False}
    norm = node(graph, "/Sequential[model]/BatchNorm2D[1]/batch_norm_0")
    assert norm["attrs"]["epsilon"] == 1e-05  # and not 9.999999747378752e-06
    assert norm["input_vars"]["mean"] == ["1._mean"]


def test_a_layer_that_is_called_twice_is_drawn_twice_with_the_same_weights() -> None:
    graph = trace_graph(Shared(), (None, 4))
    assert node(graph, "/Shared[model]")["children_node"] == [
        "/Shared[model]/Linear[fc]",
        "/Shared[model]/ReLU[act]",
        "/Shared[model]/Linear[fc]_1",
        "/Shared[model]/ReLU[act]_1",
    ]
    assert node(graph, "/Shared[model]/Linear[fc]_1")["type"] == "Linear"
    assert len(var(graph, "fc.weight")["to_nodes"]) == 2
    assert node(graph, "/Shared[model]")["attrs"] == {"parameters": 20}


def test_a_branch_on_a_python_bool_is_followed_and_one_on_a_tensor_is_one_operator() -> None:
    assert types(trace_graph(Branch(True), (None, 4)))["scale"] == 1
    graph = trace_graph(Branch(False), (None, 4))
    assert types(graph)["scale"] == 0
    branch = node(graph, "/Branch[model]/if_0")
    assert branch["input_vars"]["x"] == ["greater_than_0.out"]
    assert set(branch["input_vars"]["captured"]) == {"add_0.out", "b.weight", "b.bias", "x"}
    assert node(graph, "/Branch[model]/greater_than_0")["attrs"] == {"y": 0.0}


def test_a_loop_is_one_operator() -> None:
    graph = trace_graph(Loop(), (None, 4))
    loop = node(graph, "/Loop[model]/while_0")
    assert "x" in loop["input_vars"]["x"]
    assert set(loop["input_vars"]["captured"]) == {"fc.weight", "fc.bias"}


def test_lists_of_tensors_are_joined_to_what_made_their_members() -> None:
    class Swap(nn.Layer):
        def forward(self, x: Any) -> Any:
            a, b = paddle.split(x, 2, axis=-1)
            return paddle.concat([b, a, a], axis=-1)

    graph = trace_graph(Swap(), (None, 4))
    serve(graph)
    assert types(graph) == {"feed": 1, "split_with_num": 1, "concat": 1, "fetch": 1}
    concat = node(graph, "/Swap[model]/concat_0")
    first, second = node(graph, "/Swap[model]/split_with_num_0")["output_vars"]["out"]
    assert concat["input_vars"]["x"] == [second, first, first]
    assert concat["attrs"]["axis"] == -1
    assert var(graph, first)["shape"] == [-1, 2]
    lstm = node(trace_graph(Recurrent(nn.LSTM), (2, 5, 4)), "/Recurrent[model]/LSTM[rnn]/rnn_0")
    assert len(lstm["input_vars"]["weight_list"]) == 8


def test_constants_are_attributes_of_what_they_set_up() -> None:
    class Mixed(nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.pool = nn.MaxPool2D(2)
            self.drop = nn.Dropout(0.3)

        def forward(self, x: Any) -> Any:
            x = self.drop(self.pool(x)).clip(0.0, 6.0)
            masked = paddle.where(x > 1, x, paddle.full_like(x, float("-inf")))
            return masked + paddle.to_tensor(np.arange(1000, dtype="float32")), paddle.ones([2])

    graph = trace_graph(Mixed(), (1, 1, 2, 2000))
    serve(graph)
    assert node(graph, "/Mixed[model]/MaxPool2D[pool]/pool2d_0")["attrs"]["kernel_size"] == [2, 2]
    assert node(graph, "/Mixed[model]/Dropout[drop]/dropout_0")["attrs"]["p"] == 0.3
    clip = node(graph, "/Mixed[model]/clip_0")["attrs"]
    assert (clip["min"], clip["max"]) == (0.0, 6.0)
    assert node(graph, "/Mixed[model]/full_like_0")["attrs"]["value"] == "-inf"  # JSON has no infinity
    values = node(graph, "/Mixed[model]/assign_value_0")["attrs"]["values"]
    assert isinstance(values, list)
    assert values[-1] == "... 1000 in all"
    assert len(values) < 100
    [ones] = node(graph, "/fetch_1")["input_nodes"]  # a constant that is a result is drawn
    assert node(graph, ones)["type"] == "full"


def test_dict_outputs_flags_and_arguments_by_name() -> None:
    graph = trace_graph(
        Texts(), {"ids": InputSpec([None, 6], "int64"), "mask": np.zeros([6, 6], "float32"), "scale": True}
    )
    view = serve(graph)
    assert [port["name"] for port in view.inputs] == ["ids", "mask"]
    assert len(view.outputs) == 2
    assert var(graph, "ids")["dtype"] == "int64"
    assert types(graph)["scale"] >= 1
    tied = var(graph, "embed.weight")["to_nodes"]
    assert {name.rpartition("/")[2] for name in tied} == {
        "embedding_0",
        f"matmul_{types(graph)['matmul'] - 1}",
    }
    attention = (
        "/Texts[model]/TransformerEncoder[encoder]/TransformerEncoderLayer[1]/MultiHeadAttention[self_attn]"
    )
    assert f"{attention}/Linear[q_proj]" in layers(graph)


@pytest.mark.skipif(PADDLE_3_0, reason="Paddle 3.0 does not trace functions with such arguments")
def test_nested_and_repeated_arguments() -> None:
    ids = InputSpec([2, 6], "int64")
    graph = trace_graph(Texts(), [ids, {"bias": (8,)}, {"bias": (8,)}])
    assert [shown["name"] for shown in graph["vars"] if shown["from_node"].startswith("/feed")] == [
        "ids",
        "rest_0_bias",
        "rest_1_bias",
    ]
    assert ids.name is None  # Paddle would have named the caller's object


@pytest.mark.parametrize(
    "spec",
    [
        [InputSpec([2, 4], "float32")],
        InputSpec([2, 4], "float32"),
        (2, 4),
        [2, 4],
        [(2, 4)],
        [(np.int64(2), 4)],
        ((2, 4),),
        paddle.zeros([2, 4]),
        np.zeros([2, 4], np.float32),
        [np.zeros([2, 4], np.float32)],
        {"x": (2, 4)},
    ],
    ids=str,
)
def test_ways_to_give_the_input(spec: object) -> None:
    net = Shared()
    assert trace_graph(net, spec) == trace_graph(net, [InputSpec([2, 4], "float32", "x")])


def test_unknown_sizes() -> None:
    for size in (None, -1):
        assert var(trace_graph(Shared(), (size, 4)), "x")["shape"] == [-1, 4]


def test_a_high_level_model_knows_its_inputs() -> None:
    net = Shared()
    given = trace_graph(paddle.Model(net, inputs=[InputSpec([None, 4], "float32", "image")]))
    assert var(given, "image")["shape"] == [-1, 4]
    model = paddle.Model(net)
    with pytest.raises(DataError, match="input_spec"):
        trace_graph(model)
    assert var(trace_graph(model, (3, 4)), "x")["shape"] == [3, 4]
    model.prepare(paddle.optimizer.SGD(parameters=net.parameters()), nn.MSELoss())
    model.train_batch([np.ones([2, 4], "float32")], [np.ones([2, 4], "float32")])
    assert var(trace_graph(model), "x")["shape"] == [2, 4]


def test_a_model_after_to_static_knows_its_inputs() -> None:
    net = paddle.jit.to_static(nn.Linear(4, 3), input_spec=[InputSpec([None, 4], "float32", "row")])
    before = net.forward
    assert var(trace_graph(net), "row")["shape"] == [-1, 4]
    assert net.forward is before
    assert net(paddle.ones([2, 4])).shape == [2, 3]


def test_a_decorated_forward() -> None:
    class Decorated(nn.Layer):
        @paddle.jit.to_static
        def forward(self, x: Any) -> Any:
            return x + 1 if x.mean() > 0 else x

    net = Decorated()
    before = state(net)
    assert types(trace_graph(net, (3,)))["if"] == 1
    assert state(net) == before
    assert net(paddle.ones([3])).tolist() == [2, 2, 2]


def test_a_model_without_inputs() -> None:
    class Prior(nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.mean = self.create_parameter([3])
            self.register_buffer("unit", paddle.ones([3]))

        def forward(self) -> Any:
            return self.mean * 2 + self.unit, self.mean

    graph = trace_graph(Prior())
    assert len(serve(graph).outputs) == 2
    assert node(graph, "/")["attrs"] == {"parameters": 3}  # a buffer is none


def test_weight_norm_runs_and_other_hooks_do_not() -> None:
    seen: list[Any] = []
    net = nn.Sequential(nn.utils.weight_norm(nn.Linear(4, 4)), nn.ReLU())
    net[1].register_forward_post_hook(lambda *args: seen.append(threading.Lock()))
    net[0].register_forward_pre_hook(threading.Lock().acquire)  # cannot be copied
    graph = trace_graph(net, (None, 4))
    assert seen == []
    assert len(net[1]._forward_post_hooks) == 1
    assert types(graph)["multiply"] == 1
    assert var(graph, "0.weight_v")["to_nodes"][0].startswith("/Sequential[model]/Linear[0]/")


def test_layers_with_odd_names_or_out_of_lists() -> None:
    class Odd(nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.blocks = nn.LayerList([nn.Linear(4, 4), nn.Linear(4, 4)])
            self.add_sublayer("in/out", nn.Linear(4, 4))

        def forward(self, x: Any) -> Any:
            for block in self.blocks:
                x = block(x)
            return self._sub_layers["in/out"](x)

    graph = trace_graph(Odd(), (None, 4))
    serve(graph)
    assert layers(graph) == [
        "/",
        "/Odd[model]/Linear[0]",
        "/Odd[model]",
        "/Odd[model]/Linear[1]",
        "/Odd[model]/Linear[in_out]",
    ]


def test_a_model_that_hands_on_its_input() -> None:
    class Same(nn.Layer):
        def forward(self, x: Any) -> Any:
            return x, x

    graph = trace_graph(Same(), (None, 4))
    assert len(serve(graph).outputs) == 2


def test_fields_and_layers_are_those_of_stock_visualdl() -> None:
    from visualdl.component.graph.exporter import translate_graph

    net = paddle.vision.models.LeNet()
    spec = [InputSpec([None, 1, 28, 28], "float32")]
    with paddle.utils.unique_name.guard(), paddle.pir_utils.DygraphOldIrGuard():
        stock = json.loads(translate_graph(copy.deepcopy(net), spec, verbose=False))
    ours = trace_graph(net, spec)
    assert set(layers(ours)) == set(layers(stock))
    assert ours["version"] == stock["version"]
    for kind in ("vars", "edges"):
        assert {tuple(sorted(item)) for item in ours[kind]} == {tuple(sorted(item)) for item in stock[kind]}
    for is_leaf in (True, False):
        fields = [
            {
                tuple(sorted(set(item) - {"attr_types"}))
                for item in graph["nodes"]
                if item["is_leaf_node"] == is_leaf
            }
            for graph in (ours, stock)
        ]
        assert fields[0] == fields[1]
    between_layers = [
        {
            (edge["from_node"], edge["to_node"]): edge["label"]
            for edge in graph["edges"]
            if {edge["from_node"], edge["to_node"]} <= set(layers(graph))
        }
        for graph in (ours, stock)
    ]
    assert between_layers[0] == between_layers[1]


def test_a_file_is_served_by_stock_visualdl(tmp_path: Path) -> None:
    from visualdl.reader.graph_reader import GraphReader

    run = tmp_path / "run"
    run.mkdir()
    (run / "vdlgraph.1700000000.log").write_text(json.dumps(trace_graph(Shared(), (None, 4))))
    reader = GraphReader(str(tmp_path))
    assert reader.component_tabs(update=True) == {"dynamic_graph"}
    [name] = reader.runs()
    reader.set_displayname(type("Reader", (), {"name2tags": {}, "tags2name": {}}))
    view = reader.get_graph(name, nodeid="/Shared[model]", expand=True, refresh=False)
    assert [shown["type"] for shown in view["nodes"]] == ["Linear", "ReLU", "Linear", "ReLU"]
    assert len(reader.search_graph_node(name, "/Shared[model]/Linear[fc]_1/matmul_1")["nodes"]) == 5


# The model and Paddle stay as they were.


class Worked(nn.Layer):
    """All that a trace could disturb: batch norm, dropout, hooks, buffers, other random numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1D(8), nn.Dropout(0.5), nn.Linear(8, 2))
        self.register_buffer("calls", paddle.zeros([1]))
        self.kept: list[Any] = []

    def forward(self, x: Any) -> Any:
        noise = random.random() + float(np.random.rand())  # noqa: NPY002
        self.calls += 1
        x = self.body(x) + noise * 1e-3
        self.kept.append(x)
        return x


def state(net: nn.Layer) -> dict[str, list[Any]]:
    """All of ``net`` that can be compared."""
    return {
        "names": [
            (name, layer.full_name(), layer.training)
            for name, layer in net.named_sublayers(include_self=True)
        ],
        "hooks": [
            (list(layer._forward_pre_hooks.items()), list(layer._forward_post_hooks.items()))
            for layer in net.sublayers(include_self=True)
        ],
        "forward": [vars(layer).get("forward") for layer in net.sublayers(include_self=True)],
        "attributes": [sorted(vars(layer)) for layer in net.sublayers(include_self=True)],
        "originals": [dict(layer._original_funcs) for layer in net.sublayers(include_self=True)],
        "weights": [
            (name, weight.name, id(weight), weight.numpy().tobytes(), weight.stop_gradient)
            for name, weight in itertools.chain(net.named_parameters(), net.named_buffers())
        ],
        "gradients": [None if w.grad is None else w.grad.numpy().tobytes() for w in net.parameters()],
    }


def paddle_state() -> dict[str, Any]:
    try:
        from paddle.jit.dy2static import parameter_recorder as recorder
    except ImportError:  # Paddle 3.0
        from paddle.jit.pir_dy2static import parameter_recorder as recorder

    return {
        "dynamic": paddle.in_dynamic_mode(),
        "pir": paddle.framework.use_pir_api(),
        "programs": [
            program().num_ops()
            for program in (paddle.static.default_main_program, paddle.static.default_startup_program)
        ],
        "names": dict(paddle.base.unique_name.generator.ids),
        "left": [
            list(recorder._global_parameter_recorder.params_dict),
            list(recorder._global_parameter_recorder.tensor2value),
            list(recorder._global_inplace_map.params_dict),
        ],
        "random": [repr(random.getstate()), repr(np.random.get_state())],  # noqa: NPY002
        "device": paddle.get_device(),
        "grad": paddle.is_grad_enabled(),
    }


def train(trace: Callable[[nn.Layer], object]) -> tuple[Any, ...]:
    """Two steps of training, with ``trace`` between them; the weights and random numbers after."""
    paddle.seed(1)
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    net = Worked()
    net.body[0].register_forward_post_hook(lambda layer, inputs, output: None)
    optimizer = paddle.optimizer.Adam(parameters=net.parameters())
    x = paddle.rand([16, 4])
    for _ in range(2):
        loss = net(x).square().mean()
        loss.backward()
        before, before_paddle = state(net), paddle_state()
        trace(net)
        assert state(net) == before
        assert paddle_state() == before_paddle
        optimizer.step()
        optimizer.clear_grad()
    end = [tensor.numpy().tobytes() for tensor in (*net.parameters(), *net.buffers(), paddle.rand([3]))]
    return end, random.random(), np.random.rand(), len(net.kept)  # noqa: NPY002


def test_training_goes_on_as_if_nothing_had_been_traced() -> None:
    alone = train(lambda net: None)
    assert train(lambda net: trace_graph(net, (None, 4))) == alone
    name = paddle.utils.unique_name.generate("probe")
    trace_graph(Shared(), (None, 4))
    number = int(name.rpartition("_")[2])
    assert paddle.utils.unique_name.generate("probe") == f"probe_{number + 1}"


def test_training_goes_on_after_a_trace_that_failed() -> None:
    def fail(net: nn.Layer) -> None:
        with pytest.raises(DataError):
            trace_graph(net, [None])

    assert train(fail) == train(lambda net: None)


@pytest.mark.parametrize("width", [4, 5], ids=["traced", "failed"])
def test_the_copy_is_not_kept(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    copies: list[weakref.ref[Branch]] = []

    def deepcopy(value: Any, memo: Any = None) -> Any:
        made = real(value, memo)
        if isinstance(made, Branch):
            copies.append(weakref.ref(made))
        return made

    real = copy.deepcopy
    monkeypatch.setattr(copy, "deepcopy", deepcopy)
    with contextlib.suppress(DataError):
        trace_graph(Branch(True), (2, width))
    for _ in range(2):  # what Paddle's own objects hold is found in the second round
        gc.collect()
    assert [made() for made in copies] == [None]


def test_train_and_eval_are_drawn_as_they_are() -> None:
    net = Worked()
    norm = "/Worked[model]/Sequential[body]/BatchNorm1D[1]/batch_norm_0"
    assert node(trace_graph(net, (None, 4)), norm)["attrs"]["is_test"] is False
    net.eval()
    assert node(trace_graph(net, (None, 4)), norm)["attrs"]["is_test"] is True
    assert not net.training


def test_the_old_intermediate_representation_is_left_on() -> None:
    with paddle.pir_utils.DygraphOldIrGuard():
        graph = trace_graph(Shared(), (None, 4))
        assert not paddle.framework.use_pir_api()
    assert graph == trace_graph(Shared(), (None, 4))


# Arguments of other kinds.


def test_arguments_by_any_name_and_lists_of_tensors() -> None:
    class Sums(nn.Layer):
        def forward(self, parts: Any, **named: Any) -> Any:
            return sum([*parts, *named.values()])

    graph = trace_graph(Sums(), {"parts": [np.zeros([2, 3], "float32"), (2, 3)], "more": (2, 3)})
    assert [shown["name"] for shown in graph["vars"] if shown["from_node"].startswith("/feed")] == [
        "parts_0",
        "parts_1",
        "more",
    ]
    assert types(graph)["add"] == 2


def test_the_network_within_data_parallel_is_drawn() -> None:
    net = Shared()
    assert trace_graph(paddle.DataParallel(net), (2, 4)) == trace_graph(net, (2, 4))


# What cannot be drawn.


def test_what_is_no_model() -> None:
    with pytest.raises(DataError, match="got ndarray of shape"):
        trace_graph(np.zeros(3), (3,))


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (None, r"shapes that Shared.forward\(x: 'Any'\) -> 'Any' takes are not known.*give an input_spec"),
        ([(2, 4), (2, 4)], "does not fit.*too many positional"),
        ({"image": (2, 4)}, "does not fit.*missing a required argument: 'x'"),
        ([np.array(["text"])], "no input of Shared.forward"),
        pytest.param(
            [(2, 5)],
            r"cannot trace Shared with forward\(x=InputSpec of shape \[2, 5\].*InvalidArgument",
            marks=pytest.mark.skipif(PADDLE_3_0, reason="Paddle 3.0 does not compare the shapes"),
        ),
        ([None], "cannot trace Shared"),
    ],
)
def test_input_that_does_not_fit(spec: object, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        trace_graph(Shared(), spec)
    assert caught.value.__cause__ is not None


def test_a_model_that_cannot_be_copied() -> None:
    net = Shared()
    net.lock = threading.Lock()
    with pytest.raises(DataError, match=r"copy\.deepcopy failed.*keep files, locks") as caught:
        trace_graph(net, (2, 4))
    assert isinstance(caught.value.__cause__, TypeError)


def test_static_mode() -> None:
    net = Shared()
    paddle.enable_static()
    try:
        with pytest.raises(DataError, match="disable_static"):
            trace_graph(net, (2, 4))
    finally:
        paddle.disable_static()


# The JSON, without Paddle.


def _program() -> Any:
    program = paddle.static.Program()
    with paddle.static.program_guard(program):
        hidden = nn.Linear(4, 3)(paddle.static.data("x", [None, 4], "float32"))
        nn.functional.softmax(hidden)
        nn.functional.relu(hidden)
    return program


@pytest.mark.parametrize("pir", [True, False])
def test_a_program_is_drawn_as_it_is(pir: bool, tmp_path: Path) -> None:
    """As VisualDL's development branch takes it; a run of it alone has a log."""
    with contextlib.nullcontext() if pir else paddle.pir_utils.OldIrGuard():
        paddle.enable_static()
        try:
            program = _program()
            with LogWriter(tmp_path / "run") as writer:
                writer.add_graph(program, None, False, True)
        finally:
            paddle.disable_static()
    (path,) = (tmp_path / "run").glob("*vdlgraph*")
    graph = json.loads(path.read_text("utf-8"))
    kinds = [node["type"] for node in graph["nodes"] if node["is_leaf_node"]]
    assert [kind for kind in kinds if kind != "reshape"] == [
        "feed", "matmul", "add", "softmax", "relu", "fetch", "fetch",
    ]  # fmt: skip
    weights = {tuple(each["shape"]) for each in graph["vars"] if each["persistable"]}
    assert weights == {(4, 3), (3,)}
    assert [run.name for run in load(tmp_path)] == ["run"]


def test_a_tracker_takes_a_program(tmp_path: Path) -> None:
    paddle.enable_static()
    try:
        program = _program()
    finally:
        paddle.disable_static()
    with Tracker(tmp_path, system=False, strict=True) as tracker:
        tracker.log_graph(program)
        with pytest.raises(TypeError, match="Layer"):
            tracker.log_graph("net")
    assert list(tmp_path.glob("*vdlgraph*"))


def test_json_of_a_small_graph() -> None:
    variables = [
        Variable("x", (-1, 2), "float32", "tensor"),
        Variable("w", (2, 3), "float32", "tensor", persistable=True, attrs={"trainable": True}),
        Variable("y", (-1, 3), "float32", "tensor"),
        Variable("z", (-1, 3), "float32", "tensor"),
    ]
    operators = [
        Operator("", "feed_0", "feed", {}, {"Out": ["x"]}),
        Operator("/Net[model]/Linear[fc]", "matmul_0", "matmul", {"x": ["x"], "y": ["w"]}, {"out": ["y"]}),
        Operator("/Net[model]/Linear[fc]", "add_0", "add", {"x": ["y"], "y": ["y"]}, {"out": ["z"]}),
        Operator("", "fetch_0", "fetch", {"X": ["z"]}, {}),
    ]
    graph = visualdl_graph(operators, variables)
    serve(graph)
    assert [(edge["from_node"], edge["to_node"], edge["vars"], edge["label"]) for edge in graph["edges"]] == [
        ("/feed_0", "/Net[model]", ["x"], "[-1, 2]"),
        ("/Net[model]", "/Net[model]/Linear[fc]", ["x"], "[-1, 2]"),
        ("/Net[model]/Linear[fc]", "/Net[model]/Linear[fc]/matmul_0", ["x"], "[-1, 2]"),
        ("/Net[model]/Linear[fc]/matmul_0", "/Net[model]/Linear[fc]/add_0", ["y"], "[-1, 3]"),
        ("/Net[model]/Linear[fc]/add_0", "/Net[model]/Linear[fc]", ["z"], "[-1, 3]"),
        ("/Net[model]/Linear[fc]", "/Net[model]", ["z"], "[-1, 3]"),
        ("/Net[model]", "/fetch_0", ["z"], "[-1, 3]"),
    ]
    fc = node(graph, "/Net[model]/Linear[fc]")
    assert fc["input_vars"] == {"X": ["x", "w"]}
    assert fc["output_vars"] == {"Y": ["z"]}
    assert (fc["input_nodes"], fc["output_nodes"]) == (["/feed_0"], ["/fetch_0"])
    assert fc["attrs"] == {"parameters": 6}
    assert var(graph, "w")["from_node"] == ""


def test_edges_of_several_tensors_are_counted() -> None:
    variables = [Variable(name, (1,), "float32", "tensor") for name in "ab"]
    operators = [
        Operator("", "split_0", "split", {}, {"out": ["a", "b"]}),
        Operator("", "add_0", "add", {"x": ["a"], "y": ["b"]}, {}),
    ]
    [edge] = visualdl_graph(operators, variables)["edges"]
    assert edge["label"] == "2 tensors"


@pytest.mark.parametrize(
    ("value", "shown", "kind"),
    [
        (True, True, "BOOL"),
        (3, 3, "INT"),
        (2**40, 2**40, "LONG"),
        (0.5, 0.5, "FLOAT"),
        (float("nan"), "nan", "FLOAT"),
        ("same", "same", "STRING"),
        ([], [], "INTS"),
        ([1, 2**40], [1, 2**40], "LONGS"),
        ([0.5, float("inf")], [0.5, "inf"], "FLOATS"),
        ([True], [True], "BOOLS"),
        (["a"], ["a"], "STRINGS"),
        (3j, "3j", "STRING"),
    ],
)
def test_attributes_have_visualdls_types(value: Any, shown: Any, kind: str) -> None:
    graph = visualdl_graph([Operator("", "op_0", "op", {}, {}, {"a": value})], [])
    assert node(graph, "/op_0")["attrs"] == {"a": shown}
    assert node(graph, "/op_0")["attr_types"] == {"a": kind}
