"""A process that serves the home in argv[1] over HTTP, to be killed; its port goes to the file in argv[2]."""

import sys
from pathlib import Path
from threading import Thread
from time import sleep

import structlog
import uvicorn

from kaquan.api.app import build
from kaquan.api.serving import Serving
from kaquan.db import embedded
from kaquan.settings import Settings
from support.town import MASTER_KEY


def serve(home: Path, port_file: Path) -> None:
    """Serve until killed. Whoever needs the database and finds it dead starts it again."""
    settings = Settings(home=home, shared_buffers_mb=32, log_level="warning")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    servers: list[embedded.Server] = []

    def reach() -> str:
        servers.append(embedded.open_server(settings))
        return servers[-1].app_url

    with Serving(settings, reach, MASTER_KEY) as serving:
        server = uvicorn.Server(uvicorn.Config(build(serving), port=0, log_config=None, access_log=False))
        Thread(target=_tell, args=(server, port_file), daemon=True).start()
        server.run()


def _tell(server: uvicorn.Server, port_file: Path) -> None:
    while not server.started:
        sleep(0.01)
    partial = port_file.with_suffix(".partial")
    partial.write_text(str(server.servers[0].sockets[0].getsockname()[1]))
    partial.rename(port_file)


if __name__ == "__main__":
    serve(Path(sys.argv[1]), Path(sys.argv[2]))
