"""Serving: on a thread for notebooks and scripts, or until Ctrl-C for the command."""

from __future__ import annotations

import html
import importlib
import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Literal

from vizkit.errors import DataError, LogNotFoundError, MissingDependencyError, ServeError

__all__ = ["Server", "serve"]

_BACKLOG = 2048
_MOST_CONNECTIONS = 1000
_IDLE = 65  # seconds that a connection without a request is kept: longer than between two polls of the page


class Server:
    """A running server. A notebook shows the page in its place; as a context manager it stops at the end.

    Attributes:
        host: what it listens on.
        port: the port, the one that was found if 0 was asked for.
        token: what clients must show; None: nothing.
        logdir: what it serves.
    """

    def __init__(
        self, logdir: str, host: str, listener: socket.socket, token: str | None, app: Any, api: Any
    ) -> None:
        self.logdir, self.host, self.token = logdir, host, token
        self._api = api
        self._socket = listener
        self.port: int = self._socket.getsockname()[1]
        self._uvicorn = _uvicorn_server(app)
        self._thread = threading.Thread(target=self._run, name="vizkit-serve", daemon=True)

    @property
    def url(self) -> str:
        """The page's address, with the token if there is one."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(self.host, self.host)  # noqa: S104
        if ":" in host and not host.startswith("["):
            host = f"[{host}]"
        return f"http://{host}:{self.port}/app/index" + (f"?token={self.token}" if self.token else "")

    def start(self) -> Server:
        """Begins to serve on a thread, and returns when it does."""
        self._api.log.start()
        self._thread.start()
        while not self._uvicorn.started and self._thread.is_alive():
            time.sleep(0.005)
        if not self._uvicorn.started:
            self.stop()
            raise ServeError(f"the server of {self.logdir!r} did not start; its log says why")
        return self

    def stop(self) -> None:
        """Ends serving; what is asked for at that moment is still answered."""
        self._uvicorn.should_exit = True
        if self._thread.is_alive():
            self._thread.join(5)
            self._uvicorn.force_exit = True
            self._thread.join(5)
        self._api.close()
        self._socket.close()

    def wait(self) -> None:
        """Waits until it is stopped."""
        while self._thread.is_alive():
            self._thread.join(0.5)

    def _run(self) -> None:
        self._uvicorn.run(sockets=[self._socket])

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def is_running(self) -> bool:
        """Whether it serves."""
        return self._thread.is_alive()

    def __repr__(self) -> str:
        state = "at" if self.is_running else "stopped, was at"
        return f"<Server of {self.logdir!r} {state} {self.url}>"

    def _repr_html_(self) -> str:
        url = html.escape(self.url, quote=True)
        return (
            f'<iframe src="{url}" title="VisualDL" style="width: 100%; height: 720px; border: 0"></iframe>'
            f'<div><a href="{url}" target="_blank" rel="noopener noreferrer">{url}</a></div>'
        )


def serve(
    logdir: str | os.PathLike[str] = "log",
    *,
    port: int = 0,
    host: str = "127.0.0.1",
    token: str | None = None,
    samples: int = 10_000,
    hparam_metrics: Literal["last", "best"] = "last",
    model: str | os.PathLike[str] | None = None,
    allow_hosts: Sequence[str] = (),
    language: Literal["en", "zh"] | None = None,
) -> Server:
    """Serves VisualDL's page over the runs of a log directory, on a thread of this process.

    Args:
        logdir: a directory of runs, one run's directory, a log file, or a remote directory (``s3://``).
        port: where to listen; 0: any free port.
        host: what to listen on. What other machines can reach is served to those who have the token.
        token: the token; made anew for a host that other machines can reach, none by default else.
        samples: points of one chart; its series share them.
        hparam_metrics: whether the table of hyper-parameters shows last or best values.
        model: a model file for the page of static graphs.
        allow_hosts: names that the server is asked for by, such as that of a proxy.
        language: of the page; as the browser asks for by default.

    Raises:
        LogNotFoundError: no such directory or file.
        DataError: another option than those above, or a model that the page does not draw.
        ServeError: the host or port cannot be listened on.
        MissingDependencyError: a package is not installed.
    """
    try:
        from vizkit.server.app import build_app
        from vizkit.server.live_runs import Followed
        from vizkit.server.security import is_loopback
        from vizkit.server.visualdl.api.dispatch import API
        from vizkit.server.visualdl.api.endpoint import Settings
        from vizkit.server.visualdl.api.graph_pages import MODELS
        from vizkit.server.visualdl.static_graph import pdmodel
    except ImportError as error:
        raise MissingDependencyError.for_extra("serve", f"serving needs {error.name}") from error

    if hparam_metrics not in ("last", "best"):
        raise DataError(f"hparam_metrics must be 'last' or 'best', got {hparam_metrics!r}")
    if isinstance(samples, bool) or not isinstance(samples, int) or samples < 1:
        raise DataError(f"samples must be a positive number of points, got {samples!r}")
    if language not in (None, "en", "zh"):
        raise DataError(f"language must be 'en' or 'zh', got {language!r}")
    if model is not None:
        if not os.path.isfile(model):
            raise LogNotFoundError(f"there is no model file {os.fspath(model)!r}")
        if not os.fspath(model).endswith(MODELS):
            raise DataError(f"the page draws models of {', '.join(MODELS)}, not {os.fspath(model)!r}")
        if os.fspath(model).endswith(".json"):
            pdmodel(model)  # says what is wrong with it
    path = os.fspath(logdir)
    local = is_loopback(host)
    if not token and not local:
        token = secrets.token_urlsafe(24)
    names = [host, *allow_hosts] if local else [host, socket.gethostname(), *allow_hosts]
    listener = _bind(host, port)  # who comes while the logs are read waits
    try:
        log = Followed(path)
        api = API(log, Settings(samples, hparam_metrics, None if model is None else os.fspath(model)))
        app = build_app(api, token=token or None, hosts=names, addresses=not local, language=language)
    except BaseException as error:
        listener.close()
        if not isinstance(error, FileNotFoundError):
            raise
        where = "" if "://" in path else f" (looked in {os.getcwd()})"
        raise LogNotFoundError(
            f"{path!r} is not there{where}: name the directory that training writes its logs to"
        ) from error
    return Server(path, host, listener, token or None, app, api).start()


def _bind(host: str, port: int) -> socket.socket:
    """A socket that listens; whoever connects from now on is answered once the server runs."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With its protocol named, asyncio sends at once (TCP_NODELAY); else answers wait 40 ms for an ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name != "nt":  # there it would let two servers share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        raise ServeError(
            f"cannot listen on {host}:{port}: {getattr(error, 'strerror', None) or error}{_who_has(port)}; "
            "ask for another port, or for --port 0, which takes a free one"
        ) from error
    return listener


def _who_has(port: int) -> str:
    """The process that listens on a port, if that can be known."""
    try:
        psutil: Any = importlib.import_module("psutil")

        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (process {connection.pid})"
    except Exception:  # another user's process
        logging.getLogger(__name__).debug("who listens on %d is not known", port, exc_info=True)
    return ""


def _uvicorn_server(app: Any) -> Any:
    import uvicorn

    from vizkit.server.connections import Connection

    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=Connection,
            loop="asyncio",  # the same everywhere, also where uvloop happens to be installed
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            ws="none",
            backlog=_BACKLOG,
            limit_concurrency=_MOST_CONNECTIONS,
            timeout_keep_alive=_IDLE,
            timeout_graceful_shutdown=3,
        )
    )
