"""Paddle 3's saved models as Paddle 2's, read back by Paddle's own definition of that format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import paddle
import pytest
from paddle.base.proto import framework_pb2

import vizkit
from tests.helpers import get
from vizkit.errors import DataError
from vizkit.server.visualdl.static_graph import pdmodel


class Looping(paddle.nn.Layer):
    """A loop, a branch, a list, and a constant that is a result."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = paddle.nn.Linear(4, 4)

    def forward(self, x: Any) -> Any:
        while x.sum() < 10:
            x = self.linear(x) + 1
        x = x * 2 if x.mean() > 0 else x - 1
        return paddle.concat([x, x], axis=1), paddle.zeros([2])


def saved(network: paddle.nn.Layer, path: Path, spec: list[int | None]) -> Path:
    network.eval()
    paddle.jit.save(network, str(path), input_spec=[paddle.static.InputSpec(spec, "float32", "image")])
    return path.with_suffix(".json")


@pytest.fixture(scope="module")
def lenet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(paddle.vision.models.LeNet(), tmp_path_factory.mktemp("model") / "lenet", [None, 1, 28, 28])


def block(data: bytes) -> Any:
    (block,) = framework_pb2.ProgramDesc.FromString(data).blocks
    return block


def slots(variables: Any) -> dict[str, list[str]]:
    return {variable.parameter: list(variable.arguments) for variable in variables}


def attributes(operator: Any) -> dict[str, Any]:
    fields = ("i", "f", "s", "ints", "floats", "strings", "b", "bools")  # in the order of their types
    return {
        about.name: list(value) if about.type in (3, 4, 5, 7) else value
        for about in operator.attrs
        for value in [getattr(about, fields[about.type])]
    }


def test_a_networks_operators_weights_and_attributes_are_there(lenet: Path) -> None:
    program = block(pdmodel(lenet))
    feed, conv, reshape, add, relu, pool, *others = program.ops
    kinds = ["conv2d", "reshape", "add", "relu", "pool2d", "flatten", *["matmul", "add"] * 3, "fetch"]
    assert [operator.type for operator in others] == kinds
    assert slots(feed.outputs) == {"Out": ["image"]}
    weight, bias = slots(conv.inputs)["Filter"][0], slots(reshape.inputs)["X"][0]
    assert slots(conv.inputs) == {"Input": ["image"], "Filter": [weight]}
    assert slots(add.inputs) == {"X": slots(conv.outputs)["Out"], "Y": slots(reshape.outputs)["Out"]}
    assert slots(relu.inputs)["X"] == slots(add.outputs)["Out"]
    assert slots(others[-1].inputs)["X"] == slots(others[-2].outputs)["Out"]
    assert attributes(reshape)["shape"] == [1, -1, 1, 1]
    about = attributes(pool)
    assert (about["kernel_size"], about["strides"], about["pooling_type"]) == ([2, 2], [2, 2], "max")
    assert (about["ceil_mode"], about["data_format"]) == (False, "NCHW")

    variables = {variable.name: variable for variable in program.vars}
    kept = {name for name, variable in variables.items() if variable.persistable}
    assert len(kept) == 10
    assert {weight, bias} <= kept
    shapes = {name: tuple(v.type.dense_tensor.tensor.dims) for name, v in variables.items()}
    assert (shapes[weight], shapes["image"]) == ((6, 1, 3, 3), (-1, 1, 28, 28))
    assert variables[weight].type.dense_tensor.tensor.data_type == framework_pb2.VarType.FP32


def test_loops_branches_lists_and_constants_are_connected(tmp_path: Path) -> None:
    program = block(pdmodel(saved(Looping(), tmp_path / "looping", [None, 4])))
    made = {name: op for op in program.ops for names in slots(op.outputs).values() for name in names}
    asked = {name for op in program.ops for names in slots(op.inputs).values() for name in names}
    weights = {variable.name for variable in program.vars if variable.persistable}
    assert asked <= {"feed", *made, *weights}

    def of(kind: str) -> Any:
        (operator,) = (op for op in program.ops if op.type == kind)
        return operator

    loop, branch = slots(of("while").inputs), slots(of("if").inputs)
    assert [made[loop[f"block 0, result {k}"][0]].type for k in (0, 1)] == ["less_than", "scale"]
    assert [made[branch[f"block {k}, result 0"][0]].type for k in (0, 1)] == ["scale", "scale"]
    assert slots(of("matmul").inputs)["X"] == ["image"]  # what the loop begins with
    assert slots(of("concat").inputs) == {"X": [*slots(of("if").outputs)["Out"]] * 2}
    fetched = [slots(op.inputs)["X"][0] for op in program.ops if op.type == "fetch"]
    assert [made[name].type for name in fetched] == ["concat", "full"]


def test_values_that_paddle_2_has_no_type_for_are_text(lenet: Path, tmp_path: Path) -> None:
    document = json.loads(lenet.read_text())
    (inner,) = document["program"]["regions"][0]["blocks"]
    conv = next(op for op in inner["ops"] if op["#"] == "1.conv2d")
    mixed = [{"#": "0.a_i32", "D": 1}, {"#": "0.a_str", "D": "路"}]
    conv["A"] = [
        {"N": "great", "AT": {"#": "0.a_i64", "D": 2**40}},
        {"N": "mixed", "AT": {"#": "0.a_array", "D": mixed}},
        {"N": "none", "AT": {"#": "0.a_array", "D": []}},
        {"N": "half", "AT": {"#": "0.a_f32", "D": 0.5}},
        {"N": "bare", "AT": {"#": "9.a_other"}},
    ]
    path = tmp_path / "model.json"
    path.write_text(json.dumps(document))
    operator = next(op for op in block(pdmodel(path)).ops if op.type == "conv2d")
    wanted = {"great": str(2**40), "mixed": ["1", "路"], "none": [], "half": 0.5, "bare": "None"}
    assert attributes(operator) == wanted


def test_a_model_is_served_while_it_is_there_and_whole(lenet: Path, tmp_path: Path) -> None:
    path = tmp_path / "my model.json"
    path.write_bytes(lenet.read_bytes())
    with vizkit.serve(tmp_path, model=path) as server:
        address = f"http://127.0.0.1:{server.port}/app/api/graph/static_graph"
        answer = get(address)
        assert answer.content == pdmodel(lenet)
        assert 'filename="my model.json.pdmodel"' in answer.headers["content-disposition"]
        path.write_text("{")
        assert get(address).content == b""
    with pytest.raises(DataError, match="my model"):
        pdmodel(path)
