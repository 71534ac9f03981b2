"""``vizkit serve``."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Literal

import typer

from vizkit.cli._options import DIRECTORY, Logdir, Place
from vizkit.cli._output import say

__all__ = ["serve_page"]

Host = Annotated[str, typer.Option("--host", help="What to listen on; what others can reach needs a token.")]
Port = Annotated[int, typer.Option("--port", "-p", min=0, max=65535, help="0: any free port.")]
Token = Annotated[
    str | None,
    typer.Option("--token", help="What clients must show; made where it is needed.", show_default=False),
]
Names = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-host", metavar="NAME", help="A name it is asked for by, as a proxy's.", show_default=False
    ),
]
Samples = Annotated[int, typer.Option("--samples", min=1, help="Points of one chart; its series share them.")]
Metrics = Annotated[
    Literal["last", "best"], typer.Option("--hparam-metrics", help="Values in the table of hyper-parameters.")
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model", metavar="FILE", help="A model for the page of static graphs.", show_default=False
    ),
]
Language = Annotated[
    Literal["en", "zh"] | None,
    typer.Option("--language", help="Of the page; the browser's.", show_default=False),
]


def serve_page(
    place: Place = None,
    logdir: Logdir = DIRECTORY,
    host: Host = "127.0.0.1",
    port: Port = 8040,
    token: Token = None,
    allow_host: Names = None,
    samples: Samples = 10_000,
    hparam_metrics: Metrics = "last",
    model: Model = None,
    language: Language = None,
) -> None:
    """Serve VisualDL's page over the runs, until Ctrl-C.

    Example: vizkit serve log --port 0
    """
    from vizkit.serve.server import serve

    directory = place or logdir
    server = serve(
        directory,
        host=host,
        port=port,
        token=token,
        allow_hosts=allow_host or (),
        samples=samples,
        hparam_metrics=hparam_metrics,
        model=model,
        language=language,
    )
    with server, suppress(KeyboardInterrupt):
        print(server.url, flush=True)
        say(f"vizkit: serving {directory}; Ctrl-C ends it")
        server.wait()
