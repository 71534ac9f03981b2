"""Who is answered, and what a browser may do with the answers."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import vizkit
from tests.helpers import PATIENCE, ROOT, get, python
from vizkit.server.security import WORKER_POLICY, WORKSPACE_POLICY, is_loopback, visualdl_policy

RUNS = "/app/api/runs"


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("guarded")
    with vizkit.LogWriter(root / "run") as writer:
        writer.add_scalar("x", 1.0, 0)
    return root


@pytest.fixture(scope="module")
def local(log: Path) -> Iterator[httpx.Client]:
    with (
        vizkit.serve(log, allow_hosts=["proxy.example"]) as server,
        httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=PATIENCE) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def secret(log: Path) -> Iterator[vizkit.Server]:
    with vizkit.serve(log, host="0.0.0.0", token="pa-ss_word") as server:
        yield server


def test_only_this_machine_is_listened_to_by_default(log: Path) -> None:
    with vizkit.serve(log) as server:
        assert server._socket.getsockname()[0] == "127.0.0.1"
        assert server.token is None


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:1", 200),
        ("127.0.0.1", 200),
        ("[::1]:80", 200),
        ("vizkit.localhost", 200),
        ("proxy.example", 200),
        ("PROXY.example:8040", 200),
        ("evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("localhost.evil.example:8040", 403),
        ("192.168.1.7", 403),
        ("", 403),
    ],
)
def test_foreign_hosts_are_refused(local: httpx.Client, host: str, status: int) -> None:
    assert local.get(RUNS, headers={"Host": host}).status_code == status


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1", "http://127.0.0.1:1", ""]
)
def test_other_origins_are_refused(local: httpx.Client, origin: str) -> None:
    assert local.get(RUNS, headers={"Origin": origin}).status_code == 403


def test_the_pages_own_origin_is_not(local: httpx.Client) -> None:
    own = str(local.base_url).rstrip("/")
    answer = local.get(RUNS, headers={"Origin": own})
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", [RUNS, "/app/api/graph/upload", "/app/api/inference/convert", "/app/index"])
def test_nothing_can_be_written(local: httpx.Client, method: str, path: str) -> None:
    assert local.request(method, path).status_code == 405


@pytest.mark.parametrize(
    ("given", "status", "english", "chinese"),
    [
        (
            {"headers": {"Host": "evil.example"}},
            403,
            "not known as 'evil.example'",
            "不以 'evil",
        ),
        ({"headers": {"Origin": "http://evil.example"}}, 403, "Requests from other sites", "来自其他网站"),
        ({"method": "POST"}, 405, "Nothing can be written here.", "此处不能写入任何内容。"),
        ({"url": "/app/none.js"}, 404, "There is no such file.", "没有这个文件。"),
        ({"url": "/app/api/none"}, 200, "api not found", "没有这个接口"),
    ],
)
def test_refusals_are_in_the_language_of_who_asks(
    local: httpx.Client, given: dict[str, Any], status: int, english: str, chinese: str
) -> None:
    for language, words in {"zh-CN,zh;q=0.9": chinese, "en,zh;q=0.5": english, "": english}.items():
        headers = {**given.get("headers", {}), "Accept-Language": language}
        answer = local.request(**{"method": "GET", "url": RUNS, **given, "headers": headers})
        assert answer.status_code == status and words in answer.text


@pytest.mark.parametrize(
    "path", ["graph/upload", "fastdeploy/get_directory", "inference/convert", "x2paddle/convert"]
)
def test_what_stock_lets_do_more_than_look_is_not_there(local: httpx.Client, path: str) -> None:
    assert local.get(f"/app/api/{path}").json()["msg"] == "api not found"


@pytest.mark.parametrize(
    "path", ["/app/index", RUNS, "/app/api/nope", "/nowhere", "/app/__snowpack__/env.js"]
)
def test_every_answer_is_guarded(local: httpx.Client, path: str) -> None:
    headers = local.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    policy = headers["content-security-policy"]
    assert policy.startswith(("default-src 'none'", "default-src 'self'"))
    assert not re.search(r"https:|(?<!localhost:)(?<!127\.0\.0\.1:)\*|script-src[^;]*'unsafe-inline'", policy)
    assert "server" not in headers


def test_a_host_that_others_reach_makes_a_token(log: Path) -> None:
    with vizkit.serve(log, host="0.0.0.0") as server:
        assert server.token is not None and len(server.token) >= 32
        assert server.url.endswith(f"?token={server.token}")
        assert server.token in server._repr_html_()


def test_without_the_token_nobody_is_answered(secret: vizkit.Server) -> None:
    origin = f"http://127.0.0.1:{secret.port}"
    for headers in (
        {},
        {"Authorization": "Bearer wrong"},
        {"X-VisualDL-Instance-ID": "pa-ss_wor"},
        {"Cookie": "=;;"},
    ):
        for path in (RUNS, "/app/index", "/", "/vizkit/", f"{RUNS}?token=", f"{RUNS}?token=pa-ss_word2"):
            answer = get(origin + path, headers=headers)
            assert answer.status_code == 401, path
            assert "set-cookie" not in answer.headers
    # The page's own files tell nothing of the runs.
    assert get(f"{origin}/app/__snowpack__/env.js").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer pa-ss_word"},
        {"Authorization": "bearer pa-ss_word"},
        {"X-VisualDL-Instance-ID": "pa-ss_word"},
    ],
)
def test_the_token_is_taken_from_a_header(secret: vizkit.Server, headers: dict[str, str]) -> None:
    assert get(f"http://127.0.0.1:{secret.port}{RUNS}", headers=headers).json()["data"] == ["run"]


def test_the_address_gives_a_cookie(secret: vizkit.Server) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{secret.port}", timeout=PATIENCE) as client:
        page = client.get(secret.visualdl_url)
        assert page.status_code == 200
        cookie = next(c for c in page.headers.get_list("set-cookie") if c.startswith("vizkit_token"))
        assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
        assert str(secret.port) in cookie.partition("=")[0]  # cookies are shared by a host's ports
        assert client.get(RUNS).json()["data"] == ["run"]
        settings = client.get("/app/__snowpack__/env.local.js").text
        assert 'API_TOKEN_KEY="token"' in settings  # the page sends it with every request of its own


def test_addresses_are_hosts_but_other_names_are_not(secret: vizkit.Server) -> None:
    url, token = f"http://127.0.0.1:{secret.port}{RUNS}", {"Authorization": "Bearer pa-ss_word"}
    assert get(url, headers={**token, "Host": "192.168.1.7:8040"}).status_code == 200
    assert get(url, headers={**token, "Host": "evil.example"}).status_code == 403


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("example.com", False),
        ("", False),
    ],
)
def test_loopback_is_known(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_serving_connects_to_nothing_and_writes_nothing(log: Path, tmp_path: Path) -> None:
    """In a process of its own, whose audit events tell of every connection, process and file."""
    done = python(
        """
import sys, urllib.request, os
sys.dont_write_bytecode = True  # the interpreter would, of what is imported for the first time
events = []
def hook(name, args):
    if name == "socket.connect" and args[1][0] != "127.0.0.1":
        events.append((name, args[1]))
    if name in ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork"):
        events.append((name,))
    if name == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+"):
        events.append((name, args[0]))
    if name in ("os.mkdir", "os.remove", "os.rename"):
        events.append((name, args[0]))
import vizkit
with vizkit.serve(sys.argv[1]) as warm:
    urllib.request.urlopen(warm.visualdl_url).read()
sys.addaudithook(hook)
from vizkit.server.visualdl.api.dispatch import ENDPOINTS
with vizkit.serve(sys.argv[1]) as server:
    query = "run=run&tag=x&metric=x&name=y&nodeid=/&view=Operator&worker=w&span=0"
    for path in ["index", *("api/" + path for path in ENDPOINTS)]:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{server.port}/app/{path}?{query}").read()
        except urllib.error.HTTPError:
            pass
print("EVENTS", events)
""",
        log,
    )
    assert "EVENTS []" in done.stdout, done.stdout + done.stderr


def test_the_command_says_where_it_serves_or_why_not(log: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "vizkit", "serve", "--port", "0", "--logdir"]
    with subprocess.Popen([*command, str(log)], stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert found, line
        assert get(found[0] + RUNS).json()["data"] == ["run"]
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
    wrong = subprocess.run(
        [*command, str(tmp_path / "nowhere")], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert wrong.returncode == 2 and "is not there" in wrong.stderr and "Traceback" not in wrong.stderr


def test_a_cookie_that_is_none_is_not_the_token(secret: vizkit.Server) -> None:
    answer = get(
        f"http://127.0.0.1:{secret.port}{RUNS}", headers={"Cookie": "a@b=c; vizkit_token=pa-ss_word"}
    )
    assert answer.status_code == 401


def test_all_policies_forbid_other_sites() -> None:
    for policy in (WORKSPACE_POLICY, WORKER_POLICY, visualdl_policy(["let a = 1"])):
        assert policy.startswith(("default-src 'none'", "default-src 'self'")) and "https:" not in policy
    # echo -n 'let a = 1' | openssl dgst -sha256 -binary | base64
    assert "'sha256-LAfYd7pbFUgwfQu8b4q135PeTG2z+/coPEUYCd74eCQ='" in visualdl_policy(["let a = 1"])
