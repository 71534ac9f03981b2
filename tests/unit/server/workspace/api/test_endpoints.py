"""Wrong queries are refused with their names, whatever they hold; the API describes itself."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import vizkit
from vizkit.server.workspace.api.operations import EDITS, OPERATIONS

from .client import Client

PATHS = {*(one.path for one in OPERATIONS), *(one.path for one in EDITS)}
WRONG = [
    ("curves", {}, "tag"),
    ("curves", {"tag": "loss", "width": 0}, "width"),
    ("curves", {"tag": "loss", "width": 10**9}, "width"),
    ("curves", {"tag": "loss", "width": "nan"}, "width"),
    ("curves", {"tag": "loss", "width": 2.5}, "width"),
    ("curves", {"tag": "loss", "start": "nan"}, "start"),
    ("curves", {"tag": "loss", "end": "inf"}, "end"),
    ("curves", {"tag": "loss", "end": "1e308"}, "end"),
    ("curves", {"tag": "loss", "smooth": "2"}, "smooth"),
    ("curves", {"tag": "loss", "smooth": "median:3"}, "smooth"),
    ("curves", {"tag": "loss", "band": "iqr"}, "band"),
    ("curves", {"tag": ["loss", "loss"]}, "tag"),
    ("curves", {"tag": "a" * 5000}, "tag"),
    ("curves", {"tag": "loss", "<script>": 1}, "<script>"),
    ("values", {"tag": "loss"}, "at"),
    ("changes", {"since": "a.1.1", "wait": 26}, "wait"),
    ("runs", {"tag": "loss"}, "tag"),
    ("run", {}, "run"),
    ("file", {"run": "lr0/seed0"}, "path"),
    ("file", {"run": "lr0/seed0", "path": "a", "tail": 1 << 30}, "tail"),
    ("records", {}, "tag"),
    ("records", {"tag": "picture", "most": 0}, "most"),
    ("records", {"tag": "picture", "start": "nan"}, "start"),
    ("content", {"run": "lr0/seed0", "tag": "picture", "place": -1, "name": "a"}, "place"),
    ("content", {"run": "lr0/seed0", "tag": "picture", "place": 0, "name": "a", "side": 8}, "side"),
    ("layers", {"run": "lr0/seed0", "tag": "picture", "place": 0}, "name"),
    ("layer", {"run": "lr0/seed0", "tag": "picture", "place": 0, "name": "a", "layer": ["a", "b"]}, "layer"),
    ("histograms", {"run": "lr0/seed0", "tag": "weights", "most": 501}, "most"),
    ("search", {}, "text"),
    ("rows", {"run": "lr0/seed0", "table": "eval/predictions", "most": 1001}, "most"),
    ("rows", {"run": "lr0/seed0", "table": "eval/predictions", "direction": "left"}, "direction"),
    ("row-groups", {"run": "lr0/seed0", "table": "eval/predictions", "most": 0}, "most"),
    ("sample", {"run": "lr0/seed0", "table": "eval/predictions"}, "id"),
    ("input", {"run": "lr0/seed0", "digest": "1", "side": 1}, "side"),
]


@pytest.mark.parametrize(("path", "query", "name"), WRONG)
def test_a_wrong_parameter_is_named(path: str, query: dict[str, Any], name: str, client: Client) -> None:
    answer = client.get(path, **query)
    assert answer.status_code == 400, answer.text
    assert answer.json()["parameter"] == name and name in answer.json()["message"]


def test_an_axis_that_is_none_is_refused(client: Client) -> None:
    answer = client.get("curves", tag="loss", x="steps")
    assert answer.status_code == 404 and "'steps'" in answer.json()["message"]


NUMBERS = st.one_of(
    st.floats().map(str),
    st.integers().map(str),
    st.sampled_from(["", "0", "-0", "1e400", "0x10", "１２", "1_0"]),
)
TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["loss", "lr0/seed0", "guesses", "id", "x > 1", "eval/acc", "lr", "step", "../..", "%00", "pair/a"]
    ),
)


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from([one.path for one in OPERATIONS]),
    texts=st.dictionaries(
        st.sampled_from(
            [
                "tag",
                "run",
                "path",
                "x",
                "smooth",
                "group",
                "center",
                "band",
                "filter",
                "a",
                "b",
                "name",
                "text",
                "layer",
                "table",
                "against",
                "where",
                "order",
                "by",
                "id",
                "digest",
            ]
        ),
        TEXTS,
        max_size=4,
    ),
    numbers=st.dictionaries(
        st.sampled_from(["start", "end", "width", "at", "tail", "most", "place", "side", "step"]),
        NUMBERS,
        max_size=4,
    ),
    right=st.booleans(),
)
def test_no_query_breaks_it(
    path: str, texts: dict[str, str], numbers: dict[str, str], right: bool, client: Client
) -> None:
    texts = {**({"tag": "loss"} if right and path in ("curves", "values") else {}), **texts}
    query = {key: text.encode("utf-8", "replace").decode() for key, text in {**texts, **numbers}.items()}
    if path == "changes":
        query["wait"] = "0"
    answer = client.get(path, **query)
    assert answer.status_code in (200, 400, 404), answer.text
    if answer.status_code != 200:
        assert set(answer.json()) == {"message", "parameter"} and answer.json()["message"]
        assert "Traceback" not in answer.text


def test_there_is_a_path_or_a_list_of_them(client: Client) -> None:
    answer = client.get("nothing/here")
    assert answer.status_code == 404 and "curves" in answer.json()["message"]


def _fits(value: Any, schema: dict[str, Any], document: dict[str, Any]) -> bool:
    try:
        _validated(value, schema, document)
    except AssertionError:
        return False
    return True


def _validated(value: Any, schema: dict[str, Any], document: dict[str, Any]) -> None:
    """Check a value against the parts of JSON Schema that the document uses."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    if "anyOf" in schema:
        assert any(_fits(value, one, document) for one in schema["anyOf"]), (value, schema)
        return
    kinds = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "null": type(None)}
    kinds |= {"array": list, "object": dict}
    assert isinstance(value, kinds[schema["type"]]), (value, schema)  # type: ignore[arg-type]
    assert value in schema.get("enum", [value])
    if schema["type"] == "array":
        for one in value:
            _validated(one, schema["items"], document)
    elif "additionalProperties" in schema:
        for one in value.values():
            _validated(one, schema["additionalProperties"], document)
    elif schema["type"] == "object":
        assert set(value) == set(schema["properties"]) == set(schema["required"])
        for key, one in value.items():
            _validated(one, schema["properties"][key], document)


def test_the_document_describes_what_is_answered(client: Client) -> None:
    document = client.json("openapi.json")
    assert document["openapi"] == "3.1.0" and set(document["paths"]) == {f"/{path}" for path in PATHS}
    cursor = client.json("runs")["cursor"]
    queries: dict[str, dict[str, Any]] = {
        "runs": {},
        "run": {"run": "lr0/seed0"},
        "values": {"tag": "loss", "at": 7},
        "records": {"run": "lr0/seed0", "tag": "picture"},
        "histograms": {"run": "lr0/seed0", "tag": "weights"},
        "search": {"text": "some"},
        "changes": {"since": cursor, "wait": 0},
        "importance": {"tag": "eval/acc"},
        "comparison": {"tag": "eval/acc", "a": "lr0/seed0", "b": ["lr1/seed2", "lr1/seed3"]},
        "groups": {"tag": "eval/acc", "group": ["lr", "odd"]},
        "differences": {"run": ["lr0/seed0", "lr1/seed2"]},
        "texts": {"a": "lr0/seed0", "b": "lr1/seed2"},
        "views": {},
        "tables": {},
        "rows": {"run": "lr0/seed0", "table": "guesses", "against": "lr0/seed1"},
        "row-groups": {"run": "lr0/seed0", "table": "guesses", "by": "x"},
        "sample": {"run": ["lr0/seed0", "lr1/seed2"], "table": "guesses", "id": "1"},
    }
    for path, query in queries.items():
        schema = document["paths"][f"/{path}"]["get"]["responses"]["200"]["content"]["application/json"][
            "schema"
        ]
        _validated(client.json(path, **query), schema, document)
        failure = document["paths"][f"/{path}"]["get"]["responses"]["400"]["content"]["application/json"][
            "schema"
        ]
        _validated(client.get(path, wrong="1").json(), failure, document)
    head = client.curves(tag="loss", group="lr", width=5)
    described = document["paths"]["/curves"]["get"]["responses"]["200"]["content"][
        "application/octet-stream"
    ]["schema"]
    assert set(head) == set(document["components"]["schemas"]["CurvesHead"]["properties"])
    assert described["x-head"]["$ref"].endswith("CurvesHead")
    names = {one["name"]: one for one in document["paths"]["/curves"]["get"]["parameters"]}
    assert names["tag"]["required"] and names["width"]["schema"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 8192,
        "default": 800,
    }
    assert names["run"]["schema"] == {"type": "array", "items": {"type": "string"}}
    assert not any(math.isinf(one["schema"].get("maximum", 0)) for one in names.values())


def test_who_has_no_token_gets_nothing(log: Path) -> None:
    with vizkit.serve(log, token="secret") as server:
        client = Client(server.port)
        assert client.get("runs").status_code == 401
        assert client.get("runs", token="secret").status_code == 200
        answer = client.http.get("runs", headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 403
        assert client.http.post("runs").status_code == 405
        client.http.close()


def test_the_page_of_the_api_names_every_path_and_parameter(client: Client) -> None:
    text = (Path(__file__).parents[5] / "docs" / "http-api.md").read_text("utf-8")
    for path, described in client.json("openapi.json")["paths"].items():
        assert f"| `{path[1:]}` |" in text
        body = described.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json")
        for name in body["schema"]["properties"] if body else ():
            assert f"`{name}`" in text
        for parameter in described["get"]["parameters"] if "get" in described else ():
            assert f"`{parameter['name']}`" in text
            least, most = (parameter["schema"].get(bound) for bound in ("minimum", "maximum"))
            if isinstance(most, int) and least:
                assert f"{most:,}" in text
