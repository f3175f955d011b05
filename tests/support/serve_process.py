"""`kaquan serve` as an operator starts it, on a test's database."""

import http.client
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep
from typing import Any

from support.cli import SOURCES
from support.database import Database
from support.town import MASTER_KEY

END_SECONDS = 60


class Serve:
    """Starts servers of one installation below `folder`, on its private database when none is given."""

    def __init__(self, database: Database | None, folder: Path) -> None:
        self.log = folder / "home" / "log" / "kaquan.log"
        self._environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "PYTHONPATH": os.pathsep.join([*filter(None, [os.environ.get("PYTHONPATH")]), str(SOURCES)]),
            "PYTHONUTF8": "1",
            "KAQUAN_HOME": str(folder / "home"),
            "KAQUAN_SHARED_BUFFERS_MB": "32",
            "KAQUAN_LOG_LEVEL": "debug",
        }
        if database is not None:
            self._environment |= {
                "KAQUAN_DATABASE_URL": database.app_url,
                "KAQUAN_MASTER_KEY": MASTER_KEY.hex(),
            }

    def start(self, *words: str, port: int = 0) -> tuple[subprocess.Popen[str], str]:
        """A process that listens, and its address."""
        process = self._popen("--port", str(port), *words)
        assert process.stdout is not None
        told: dict[str, Any] = json.loads(said) if (said := process.stdout.readline()).startswith("{") else {}
        assert told.get("outcome") == "effect", said
        return process, told["address"]

    @contextmanager
    def running(self, *words: str, port: int = 0) -> Iterator[str]:
        """The address of a server that ends in order afterwards."""
        process, address = self.start(*words, port=port)
        try:
            yield address
        finally:
            process.terminate()
            status = process.wait(END_SECONDS)
            assert status == 0, f"it ended with status {status}"

    def refused(self, *words: str) -> tuple[int, dict[str, Any]]:
        """Exit status and answer of a server that does not start. One that does is killed, not left behind."""
        process = self._popen(*words)
        try:
            said, _ = process.communicate(timeout=END_SECONDS)
        finally:
            process.kill()
            process.wait()
        told: dict[str, Any] = json.loads(said)
        return process.returncode, told

    def _popen(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "kaquan", "serve", "--json", *words],
            text=True,
            encoding="utf-8",
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )


def request(address: str, token: str, key: str, body: dict[str, Any], *, parts: int = 1) -> tuple[bytes, Any]:
    """Status line and body of the answer to a payment sent in so many parts: in one it takes the short way."""
    host, _, port = address.removeprefix("http://").partition(":")
    content = json.dumps(body).encode()
    head = f"POST /v1/payments HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nIdempotency-Key: {key}\r\n"
    whole = f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content
    cut = len(whole) - 7 if parts == 2 else len(whole)
    with socket.create_connection((host, int(port)), timeout=30) as caller:
        caller.sendall(whole[:cut])
        if whole[cut:]:
            sleep(0.1)
            caller.sendall(whole[cut:])
        answer = http.client.HTTPResponse(caller)
        answer.begin()
        told = json.loads(answer.read())
        for own in ("request_id", "instance", "replayed"):  # of the request, not of the wish
            told.pop(own, None)
        return f"{answer.status} {answer.headers.get_content_type()}".encode(), told
