"""`serve` and the running `Server`: on a thread for notebooks and scripts, until Ctrl-C for the command."""

from __future__ import annotations

import html
import importlib
import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Literal

from vizkit._checks import one_of, whole_number
from vizkit._language import tr
from vizkit.errors import DataError, LogNotFoundError, MissingDependencyError, ServeError
from vizkit.server.options import DEFAULT_SAMPLES, HparamMetrics, ServeOptions

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

    from vizkit.server.app import App
    from vizkit.server.visualdl.api.dispatch import API

__all__ = ["Server", "serve"]

_PREPARED_AFTER = 0.05  # seconds
_BACKLOG = 2048
_SEND_BUFFER = 128 << 10  # bytes of a connection's kernel memory, which would else grow to megabytes
_IDLE_TIMEOUT = 65  # seconds a connection waits for a request: longer than between two polls of the page


class Server:
    """A running server. A notebook shows its page in a frame; as a context manager it stops at the end.

    Attributes:
        host: the host that it listens on.
        port: the port that it listens on.
        token: the token that clients must send; None: none is needed.
        logdir: the log directory that it serves.
    """

    def __init__(
        self,
        logdir: str,
        host: str,
        listener: socket.socket,
        token: str | None,
        app: App,
        api: API,
        public_path: str = "",
    ) -> None:
        self.logdir, self.host, self.token = logdir, host, token
        self._public_path = public_path
        self._api = api
        self._socket = listener
        self.port: int = self._socket.getsockname()[1]
        self._uvicorn = _uvicorn_server(app.asgi)
        self._thread = threading.Thread(target=self._run, name="vizkit-serve", daemon=True)
        # The workspace is there before it is asked for; a request that waits already comes first.
        self._preparing = threading.Timer(_PREPARED_AFTER, _quietly(app.prepare))
        self._preparing.daemon = True

    @property
    def url(self) -> str:
        """The address of the workspace, with the token if there is one."""
        return self._address("/vizkit/")

    @property
    def visualdl_url(self) -> str:
        """The address of VisualDL's page, with the token if there is one."""
        return self._address("/app/index")

    @property
    def unlisted(self) -> list[str]:
        """The directories below the log directory that may not be listed, whose runs are missing."""
        return self._api.runs.unlisted

    def _address(self, path: str) -> str:
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(self.host, self.host)  # noqa: S104
        if ":" in host and not host.startswith("["):
            host = f"[{host}]"
        return f"http://{host}:{self.port}{self._public_path}{path}" + (
            f"?token={self.token}" if self.token else ""
        )

    def start(self) -> Server:
        """Start to serve on a thread, and return once it accepts requests."""
        self._api.runs.start()
        self._thread.start()
        while not self._uvicorn.started and self._thread.is_alive():
            time.sleep(0.005)
        if not self._uvicorn.started:
            self.stop()
            raise ServeError("the server of {logdir!r} did not start; its log says why", logdir=self.logdir)
        self._preparing.start()
        self._socket.listen(_BACKLOG)  # many may wait, though few are accepted at once
        return self

    def stop(self) -> None:
        """Stop serving; requests under way are still answered."""
        self._preparing.cancel()
        self._api.runs.stop()  # pages that wait for changes are answered
        self._uvicorn.should_exit = True
        if self._thread.is_alive():
            self._thread.join(5)
            self._uvicorn.force_exit = True
            self._thread.join(5)
        self._api.close()
        self._socket.close()

    def wait(self) -> None:
        """Wait until it is stopped."""
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
        """True while it serves."""
        return self._thread.is_alive()

    def __repr__(self) -> str:
        state = "at" if self.is_running else "stopped, was at"
        return f"<Server of {self.logdir!r} {state} {self.url}>"

    def _repr_html_(self) -> str:
        every = [html.escape(each, quote=True) for each in (self.url, self.visualdl_url)]
        links = (f'<a href="{each}" target="_blank" rel="noopener noreferrer">{each}</a>' for each in every)
        return (
            f'<iframe src="{every[0]}" title="VizKit" style="width: 100%; height: 720px; border: 0"></iframe>'
            f"<div>{' · '.join(links)}</div>"
        )


def serve(
    logdir: str | os.PathLike[str] = "log",
    *,
    port: int = 0,
    host: str = "127.0.0.1",
    token: str | None = None,
    samples: int = DEFAULT_SAMPLES,
    hparam_metrics: HparamMetrics = "last",
    model: str | os.PathLike[str] | None = None,
    allow_hosts: Sequence[str] = (),
    language: Literal["en", "zh"] | None = None,
    edit: bool = False,
    public_path: str = "",
) -> Server:
    """Serve the workspace and VisualDL's page over the runs of a log directory, on a thread of this process.

    Args:
        logdir: a directory of runs, one run's directory, a log file, or a remote directory (``s3://``).
        port: the port to listen on; 0: any free port.
        host: the host to listen on. Other machines, where they can reach it, need the token.
        token: the token; by default a new one for a host that other machines can reach, else none.
        samples: points of one chart; its curves share them.
        hparam_metrics: show last or best values in the table of hyper-parameters.
        model: a model file for the page of static graphs.
        allow_hosts: further host names that are accepted, such as that of a proxy.
        language: language of the pages; by default the browser's.
        edit: let the workspace label, note and archive runs, and save views. With further host names, or a
            public path, it needs a token, too.
        public_path: path that a proxy puts before the server's own, such as ``/proxy/8040``, and passes on or
            takes off; by default what the proxy says as ``X-Forwarded-Prefix``.

    Raises:
        LogNotFoundError: no such directory or file.
        DataError: an option with another value than those above, a model that the page cannot draw, or too
            many open files.
        ServeError: the host or port cannot be listened on.
        MissingDependencyError: a package is not installed.
    """
    try:
        from vizkit.server.app import build_app
        from vizkit.server.live_runs import LiveRuns
        from vizkit.server.public_path import checked_public_path
        from vizkit.server.security import is_loopback
        from vizkit.server.visualdl.api.dispatch import API
    except ImportError as error:
        raise MissingDependencyError.for_extra(
            "serve", tr("serving needs {package}", package=error.name)
        ) from error

    one_of("hparam_metrics", hparam_metrics, ("last", "best"))
    whole_number("samples", samples, unit=tr("points"))
    if language is not None:
        one_of("language", language, ("en", "zh"))
    model_path = None if model is None else _checked_model(os.fspath(model))
    path = os.fspath(logdir)
    public_path = checked_public_path(public_path)
    local = is_loopback(host)
    if not token and (not local or (edit and (allow_hosts or public_path))):
        token = secrets.token_urlsafe(24)
    hosts = [host, *allow_hosts] if local else [host, socket.gethostname(), *allow_hosts]
    listener = _listen(host, port)  # clients wait while the logs are read
    try:
        api = API(LiveRuns(path), ServeOptions(samples, hparam_metrics, model_path))
        app = build_app(
            api,
            token=token or None,
            hosts=hosts,
            addresses=not local,
            language=language,
            edit=edit,
            public_path=public_path,
        )
    except BaseException:
        listener.close()
        raise
    return Server(path, host, listener, token or None, app, api, public_path).start()


def _checked_model(path: str) -> str:
    """The path of a model file that the page of static graphs draws."""
    from vizkit.server.visualdl.api.graph_pages import MODEL_ENDINGS
    from vizkit.server.visualdl.static_graph import pdmodel

    if not os.path.isfile(path):
        raise LogNotFoundError("there is no model file {path!r}", path=path)
    if not path.endswith(MODEL_ENDINGS):
        raise DataError(
            "the page draws models of {model_endings}, not {path!r}",
            model_endings=", ".join(MODEL_ENDINGS),
            path=path,
        )
    if path.endswith(".json"):
        pdmodel(path)  # raises if it is not a model
    return path


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket; connections made from now on are answered once the server runs."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With its protocol named, asyncio sends at once (TCP_NODELAY); else answers wait 40 ms for an ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name != "nt":  # there it would let two servers share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)  # connections inherit it
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        raise ServeError(
            "cannot listen on {host}:{port}: {error}{owner}; ask for another port, or for "
            "--port 0, which takes a free one",
            host=host,
            port=port,
            error=tr(getattr(error, "strerror", None) or str(error)),
            owner=_port_owner(port),
        ) from error
    return listener


def _quietly(prepare: Callable[[], None]) -> Callable[[], None]:
    """Prepare as far as possible: what fails now, as no more descriptors, is said to whoever asks for it."""

    def prepared() -> None:
        with suppress(Exception):
            prepare()

    return prepared


def _port_owner(port: int) -> str:
    """The process that listens on a port, if that can be known."""
    try:
        psutil = importlib.import_module("psutil")  # untyped
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
                name = psutil.Process(connection.pid).name()
                return tr(" by {name} (process {pid})", name=name, pid=connection.pid)
    except Exception:  # another user's process
        logging.getLogger(__name__).debug("the process that listens on %d is not known", port, exc_info=True)
    return ""


def _uvicorn_server(app: ASGIApp) -> uvicorn.Server:
    import uvicorn

    from vizkit.server.connections import Connection, ConnectionLimits

    limits = ConnectionLimits.of_process()
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=Connection,
            loop="asyncio",  # everywhere, even where uvloop is installed
            log_config=None,
            log_level="error",  # warnings are caused by clients
            access_log=False,
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            ws="none",
            backlog=limits.accepted_at_once,
            limit_concurrency=limits.most,
            timeout_keep_alive=_IDLE_TIMEOUT,
            timeout_graceful_shutdown=3,
        )
    )
