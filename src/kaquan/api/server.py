"""Serving over HTTP: uvicorn with the limits of the house, ended in order."""

from typing import Any

import uvicorn

CONNECTIONS_MAX = 2_000
KEEP_ALIVE_SECONDS = 30
DRAIN_SECONDS = 30  # what was taken in is answered within this time of a stop
HEAD_BYTES_MAX = 32 * 1024
BACKLOG = 2_048


def serve(application: Any, host: str, port: int) -> None:
    """Serve until the process is told to stop (SIGTERM, Ctrl-C); requests under way are finished first."""
    config = uvicorn.Config(
        application,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        backlog=BACKLOG,
        limit_concurrency=CONNECTIONS_MAX,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        h11_max_incomplete_event_size=HEAD_BYTES_MAX,
        http="h11",
        ws="none",
    )
    uvicorn.Server(config).run()
