"""The demo's town over HTTP, to look at: an operator's key for a day, and commands to paste."""

import socket

from rich.markup import escape

from kaquan.cli.printing import Screen
from kaquan.commands.model import Effect, Kind
from kaquan.db.embedded import Server
from kaquan.identity.keys import new_token
from kaquan.identity.model import ANYTHING, IssueKey
from kaquan.kernel.caller import OPERATOR, Role
from kaquan.main import Kaquan
from kaquan.settings import Settings

HOST, PORT = "127.0.0.1", 8080
KEY_DAYS = 1


def serve_town(app: Kaquan, server: Server, settings: Settings, screen: Screen) -> None:
    """Serve until Ctrl-C. Time stands where the simulation ended: the timetable does not run."""
    from kaquan.cli import serving  # the web framework takes half a second, which no other command should wait for

    port = _free_port()
    token = new_token()
    command = IssueKey(
        key=f"demo-{token.prefix}",
        caller=OPERATOR,
        name="demo",
        organisation="",
        role=Role.OPERATOR,
        scopes=(ANYTHING,),
        days=KEY_DAYS,
        prefix=token.prefix,
        digest=token.digest,
    )
    if isinstance(app.one(Kind.ISSUE_KEY, command), Effect):
        screen.line("")
        screen.line(escape(screen.words(*_WORDS)))
        screen.line("")
        screen.line(f"  export KAQUAN_TOKEN={token.text}")
        for path in ("programs", "merchants?limit=5", "ledger/balances"):
            address = f"http://{HOST}:{port}/v1/{path}"
            screen.line(f"  curl -s -H 'Authorization: Bearer '$KAQUAN_TOKEN '{address}'")
        screen.line("")
    wishes = serving.Wishes(host=HOST, port=port, lanes=2, proxy=None, certificate=None, private_key=None, jobs=False)
    serving.run(wishes, server, settings, screen)


_WORDS = (
    "小镇可以用 HTTP 查看。这把演示用的运营方密钥一天有效，只有本机能用：",
    "The town can be looked at over HTTP. This key of the operator is for the demo: a day, from this machine only:",
)


def _free_port() -> int:
    """The usual port, or any that is free when it is taken."""
    with socket.socket() as probe:
        return PORT if probe.connect_ex((HOST, PORT)) else 0
